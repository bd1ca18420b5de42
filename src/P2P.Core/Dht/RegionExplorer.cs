namespace P2P.Core.Dht;

/// <summary>
/// Finds every node of a region by lookups: the 20 closest to a point show everybody in the largest part around it that the farthest of them is outside of;
/// what is left is looked through in the same way.
/// </summary>
/// <param name="region">The region.</param>
/// <param name="maxLookups">More are not made for it (count): what is known then is all there is.</param>
/// <param name="random">Chance.</param>
internal sealed class RegionExplorer(DhtPrefix region, int maxLookups, Random random)
{
    /// <summary>So many lookups in a row that found nobody, and the region cannot be reached.</summary>
    private const int MaxFailures = 3;

    private const int K = RoutingTableSettings.K;

    private readonly List<DhtPrefix> _left = [region]; // a stack: the smallest on top, so that what is left stays in few parts
    private readonly Dictionary<DhtKey, Contact> _peers = [];
    private int _failures;

    /// <summary>The region; wider than at first when it held too few.</summary>
    public DhtPrefix Region { get; private set; } = region;

    /// <summary>Lookups made.</summary>
    public int Lookups { get; private set; }

    /// <summary>Whether nobody answers there.</summary>
    public bool IsUnreachable => _failures >= MaxFailures;

    /// <summary>Whether the network holds fewer than 20 others in all, and they are all known.</summary>
    public bool IsWholeNetwork { get; private set; }

    /// <summary>Whether there is nothing left to look for.</summary>
    public bool IsDone => _left.Count == 0 || Lookups >= maxLookups;

    /// <summary>Nodes of the region that are known.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (DhtKey key in _peers.Keys)
                count += Region.Contains(key) ? 1 : 0;
            return count;
        }
    }

    /// <summary>Everybody who is known, also outside of the region.</summary>
    public IReadOnlyCollection<Contact> Peers => _peers.Values;

    /// <summary>What to look up next: any point of this part.</summary>
    public DhtPrefix NextPart => _left[^1];

    /// <summary>What to look up next.</summary>
    public DhtKey NextTarget() => NextPart.PointIn(random);

    /// <summary>A lookup has ended.</summary>
    /// <param name="target">The point that it was for, in <see cref="NextPart"/>.</param>
    /// <param name="closest">The closest that answered, the closest first.</param>
    public void OnLookup(DhtKey target, IReadOnlyList<Contact> closest)
    {
        Lookups++;
        if (closest.Count == 0)
        {
            _failures++;
            return;
        }

        _failures = 0;
        foreach (Contact contact in closest)
            _peers.TryAdd(contact.Key, contact);
        if (closest.Count < K)
        {
            IsWholeNetwork = true;
            _left.Clear();
            return;
        }

        // whoever shares more bits with the target than the farthest of the 20 closest does is nearer than that one, so among them
        Take(DhtPrefix.Of(target, target.CommonPrefixLength(closest[^1].Key) + 1));
    }

    /// <summary>The region holds too few: looks through the other half of the part of twice the width too.</summary>
    public void Widen()
    {
        _left.Add(Region.Sibling);
        Region = Region.Parent;
    }

    private void Take(DhtPrefix seen)
    {
        for (int i = _left.Count - 1; i >= 0; i--)
        {
            DhtPrefix part = _left[i];
            if (seen.Contains(part))
            {
                _left.RemoveAt(i);
            }
            else if (part.Contains(seen))
            {
                _left.RemoveAt(i);
                for (int length = part.Length + 1; length <= seen.Length; length++)
                    _left.Insert(i++, DhtPrefix.Of(seen.First, length).Sibling);
                return; // the parts that are left do not overlap
            }
        }
    }
}
