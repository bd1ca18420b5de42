namespace P2P.Core.Dht;

/// <summary>
/// A lookup along several paths that share no contact (S/Kademlia, 4.4): each begins with its own part of the known contacts, and nobody is asked by two of
/// them. A hostile contact leads one path astray, not the others; the result is the nearest that answered on any of them.
/// </summary>
internal sealed class DisjointLookup : ILookup
{
    private readonly Lookup[] _paths;
    private readonly Dictionary<DhtKey, int> _askedBy = [];
    private readonly HashSet<DhtKey> _failed = [];
    private readonly int _k;
    private int _turn;

    /// <summary>Begins a lookup.</summary>
    /// <param name="target">The point.</param>
    /// <param name="known">Contacts to begin with, the nearest first; dealt to the paths in turn.</param>
    /// <param name="paths">How many paths; no more than <see cref="LookupSettings.Alpha"/>, which they share.</param>
    /// <param name="settings">The numbers of the whole: each path has its part of the requests at a time and in all.</param>
    /// <param name="self">The node that looks, which is never asked.</param>
    public DisjointLookup(DhtKey target, ReadOnlySpan<Contact> known, int paths, LookupSettings settings, DhtKey? self = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(paths, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(paths, settings.Alpha);
        (Target, _k) = (target, settings.K);
        LookupSettings each = settings with { Alpha = settings.Alpha / paths, MaxRequests = Math.Max(settings.K, settings.MaxRequests / paths) };
        _paths = new Lookup[paths];
        for (int path = 0; path < paths; path++)
        {
            var seeds = new List<Contact>((known.Length / paths) + 1);
            for (int i = path; i < known.Length; i += paths)
                seeds.Add(known[i]);
            int number = path;
            _paths[path] = new Lookup(target, seeds.ToArray(), each, self, contact => Claim(contact.Key, number));
        }
    }

    /// <inheritdoc/>
    public DhtKey Target { get; }

    /// <inheritdoc/>
    public int Requests => _askedBy.Count;

    /// <inheritdoc/>
    public List<Contact> Closest
    {
        get
        {
            List<Contact> closest = Answered;
            if (closest.Count > _k)
                closest.RemoveRange(_k, closest.Count - _k);
            return closest;
        }
    }

    /// <inheritdoc/>
    public List<Contact> Answered
    {
        get
        {
            List<Contact> answered = [];
            foreach (Lookup path in _paths)
                answered.AddRange(path.Answered);
            answered.Sort((a, b) => Target.CompareDistance(a.Key, b.Key));
            return answered;
        }
    }

    /// <summary>Which path has asked a contact; -1: none.</summary>
    public int PathOf(in DhtKey peer) => _askedBy.TryGetValue(peer, out int path) ? path : -1;

    /// <inheritdoc/>
    public LookupStep Next(TimeSpan now)
    {
        TimeSpan until = TimeSpan.MaxValue;
        bool isOver = true;
        for (int i = 0; i < _paths.Length; i++)
        {
            LookupStep step = _paths[_turn].Next(now);
            _turn = (_turn + 1) % _paths.Length; // in turn, so that no path takes the near ones before the others come to them
            if (step.Kind == LookupStepKind.Ask)
                return step;
            if (step.Kind == LookupStepKind.Done)
                continue;
            isOver = false;
            if (step.Until < until)
                until = step.Until;
        }

        return isOver ? new LookupStep(LookupStepKind.Done) : new LookupStep(LookupStepKind.Wait, Until: until);
    }

    /// <inheritdoc/>
    public bool OnReply(in DhtKey peer, ReadOnlySpan<Contact> closer) => _askedBy.TryGetValue(peer, out int path) && _paths[path].OnReply(peer, closer);

    /// <inheritdoc/>
    public bool OnFailure(in DhtKey peer)
    {
        if (!_askedBy.TryGetValue(peer, out int owner) || !_paths[owner].OnFailure(peer))
            return false;
        _failed.Add(peer);
        foreach (Lookup path in _paths)
            path.OnTakenFailed(peer);
        return true;
    }

    /// <inheritdoc/>
    public void Extend(double reach, int extraRequests)
    {
        foreach (Lookup path in _paths)
            path.Extend(reach, extraRequests / _paths.Length);
    }

    /// <inheritdoc/>
    public int HopsTo(in DhtKey key)
    {
        int hops = -1;
        foreach (Lookup path in _paths)
        {
            int there = path.HopsTo(key);
            if (there >= 0 && (hops < 0 || there < hops))
                hops = there;
        }

        return hops;
    }

    /// <inheritdoc/>
    public void Stop()
    {
        foreach (Lookup path in _paths)
            path.Stop();
    }

    private LookupClaim Claim(in DhtKey peer, int path) =>
        _askedBy.TryAdd(peer, path) ? LookupClaim.Granted
        : _failed.Contains(peer) ? LookupClaim.Failed
        : LookupClaim.Taken;
}
