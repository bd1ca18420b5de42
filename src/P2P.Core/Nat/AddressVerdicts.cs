namespace P2P.Core.Nat;

/// <summary>
/// What is known about which of our addresses are reached from outside. One dial that came in proves it; a no is a peer's word, so an address that was
/// reached is doubted only when peers of three networks say no. A plain state machine.
/// </summary>
internal sealed class AddressVerdicts(TimeProvider time)
{
    /// <summary>Addresses that are asked about (count).</summary>
    public const int MaxCandidates = 8;

    /// <summary>Networks whose peers have to say no of an address that was reached, and that are asked in one round (count each).</summary>
    private const int EnoughDoubts = 3;

    /// <summary>How long a verdict counts before it is asked for again.</summary>
    private static readonly TimeSpan ReachedFor = TimeSpan.FromHours(1), NotReachedFor = TimeSpan.FromMinutes(15);

    private readonly Dictionary<Multiaddress, Entry> _entries = [];

    /// <summary>The addresses asked about.</summary>
    public IEnumerable<Multiaddress> Candidates => _entries.Keys;

    /// <summary>Sets what to ask about; what was known of others is forgotten.</summary>
    public void SetCandidates(IEnumerable<Multiaddress> candidates)
    {
        Multiaddress[] wanted = [.. candidates.Distinct().Take(MaxCandidates)];
        foreach (Multiaddress gone in _entries.Keys.Except(wanted).ToArray())
            _entries.Remove(gone);
        foreach (Multiaddress address in wanted)
            _entries.TryAdd(address, new Entry());
    }

    /// <summary>What is known of an address.</summary>
    public Reachability Of(Multiaddress address) => _entries.TryGetValue(address, out Entry? entry) ? entry.Verdict : Reachability.Unknown;

    /// <summary>Networks whose peers have tried an address lately (count).</summary>
    public int TriedBy(Multiaddress address) => _entries.TryGetValue(address, out Entry? entry) ? entry.Reached.Union(entry.NotReached).Count() : 0;

    /// <summary>Notes what a peer says.</summary>
    /// <param name="address">Our address.</param>
    /// <param name="network">The network that the peer is in, as <see cref="NetworkOf"/> names it.</param>
    /// <param name="isReached">Whether it reached the address; null: it does not say.</param>
    /// <returns>Whether the verdict has changed.</returns>
    public bool Note(Multiaddress address, string network, bool? isReached)
    {
        if (!_entries.TryGetValue(address, out Entry? entry))
            return false;
        Reachability before = entry.Verdict;
        entry.Asked.Add(network);
        switch (isReached)
        {
            case true:
                entry.Reached.Add(network);
                entry.NotReached.Clear();
                entry.Verdict = Reachability.Reachable;
                break;
            case false:
                entry.NotReached.Add(network);
                entry.Reached.Remove(network);
                if (before != Reachability.Reachable || entry.NotReached.Count >= EnoughDoubts)
                    entry.Verdict = Reachability.Unreachable;
                break;
        }

        entry.At = time.GetTimestamp();
        return entry.Verdict != before;
    }

    /// <summary>The next address to ask somebody about, or null.</summary>
    /// <param name="networks">Of the peers that can be asked.</param>
    /// <param name="network">Whom to ask of them.</param>
    public Multiaddress? Next(IReadOnlyCollection<string> networks, out string network)
    {
        network = "";
        foreach ((Multiaddress address, Entry entry) in _entries)
        {
            if (entry.At is { } at && time.GetElapsedTime(at) >= (entry.Verdict == Reachability.Reachable ? ReachedFor : NotReachedFor))
                entry.Asked.Clear(); // a new round
            bool isSettled = (entry.Verdict == Reachability.Reachable && entry.Asked.Count > 0 && entry.NotReached.Count == 0) || entry.Asked.Count >= EnoughDoubts;
            if (isSettled || networks.FirstOrDefault(known => !entry.Asked.Contains(known)) is not { } next)
                continue;
            network = next;
            return address;
        }

        return null;
    }

    /// <summary>Begins a new round for every address: somebody wants to know now.</summary>
    public void AskAnew()
    {
        foreach (Entry entry in _entries.Values)
            entry.Asked.Clear();
    }

    /// <summary>The network that an address is in: peers of one network have one view, and often one owner.</summary>
    public static string NetworkOf(System.Net.IPAddress ip)
    {
        byte[] bytes = (ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip).GetAddressBytes();
        return Convert.ToHexString(bytes, 0, bytes.Length == 4 ? 2 : 4); // /16 and /32
    }

    private sealed class Entry
    {
        public Reachability Verdict { get; set; }

        public long? At { get; set; }

        public HashSet<string> Asked { get; } = [];

        public HashSet<string> Reached { get; } = [];

        public HashSet<string> NotReached { get; } = [];
    }
}
