using P2P.Core.Addresses;

namespace P2P.Core.Connections;

/// <summary>What a dial should do now.</summary>
internal enum DialStepKind
{
    /// <summary>Try the address.</summary>
    Dial,

    /// <summary>Wait until the time given, or until an attempt ends.</summary>
    Wait,

    /// <summary>Nothing is left to try and no attempt is under way.</summary>
    Exhausted,
}

/// <summary>One step of a dial.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Address">For Dial.</param>
/// <param name="Delay">For Wait: how long at most; null: until an attempt ends.</param>
internal readonly record struct DialStep(DialStepKind Kind, KnownAddress Address, TimeSpan? Delay);

/// <summary>
/// The order and the times in which one peer's addresses are tried (RFC 8305): near before far, IPv6 and IPv4 in turns, one started each
/// <see cref="ConnectionOptions.DialStagger"/> or as soon as all those started have failed. Owns no I/O and no clock.
/// </summary>
internal sealed class DialSchedule(TimeSpan stagger, int maxAddresses, long timestampFrequency)
{
    private readonly List<KnownAddress> _waiting = [];
    private readonly HashSet<Multiaddress> _seen = [];
    private int _running;
    private long? _lastStart;

    /// <summary>Attempts under way.</summary>
    public int Running => _running;

    /// <summary>Adds addresses not seen before, while there is room.</summary>
    public void Add(IEnumerable<KnownAddress> addresses)
    {
        foreach (KnownAddress known in addresses)
        {
            KnownAddress bare = known with { Address = known.Address.WithoutPeerId() };
            if (_seen.Count < maxAddresses && _seen.Add(bare.Address))
            {
                _waiting.Add(bare);
            }
        }

        Sort();
    }

    /// <summary>What to do at a time (timestamp of the time provider). Dial counts as started.</summary>
    public DialStep Next(long now)
    {
        if (_waiting.Count == 0)
        {
            return _running == 0 ? new DialStep(DialStepKind.Exhausted, default, null) : new DialStep(DialStepKind.Wait, default, null);
        }

        if (_running > 0 && _lastStart is { } last)
        {
            TimeSpan left = stagger - TimeSpan.FromSeconds((now - last) / (double)timestampFrequency);
            if (left > TimeSpan.Zero)
            {
                return new DialStep(DialStepKind.Wait, default, left);
            }
        }

        KnownAddress next = _waiting[0];
        _waiting.RemoveAt(0);
        _running++;
        _lastStart = now;
        return new DialStep(DialStepKind.Dial, next, null);
    }

    /// <summary>An attempt ended without a connection.</summary>
    public void OnEnded() => _running--;

    /// <summary>Starts no further attempt.</summary>
    public void Stop() => _waiting.Clear();

    private void Sort()
    {
        // stable: within a class the caller's order, most trusted first, stays
        List<KnownAddress> ordered = [];
        foreach (IGrouping<int, KnownAddress> near in _waiting.GroupBy(known => Distance(known.Address)).OrderBy(group => group.Key))
        {
            Queue<KnownAddress> six = new(near.Where(known => IsIPv6(known.Address)));
            Queue<KnownAddress> four = new(near.Where(known => !IsIPv6(known.Address)));
            bool takeSix = near.Key != 0; // on loopback IPv4 is the common listener
            while (six.Count + four.Count > 0)
            {
                Queue<KnownAddress> source = four.Count == 0 || (takeSix && six.Count > 0) ? six : four;
                ordered.Add(source.Dequeue());
                takeSix = !takeSix;
            }
        }

        _waiting.Clear();
        _waiting.AddRange(ordered);
    }

    private static int Distance(Multiaddress address) => address.Scope switch
    {
        AddressScope.Loopback => 0,
        AddressScope.LinkLocal or AddressScope.Private => 1,
        _ => 2,
    };

    private static bool IsIPv6(Multiaddress address) =>
        address.TryGetEndPoint(out System.Net.IPEndPoint? end) && end.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
}
