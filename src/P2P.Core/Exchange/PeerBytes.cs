namespace P2P.Core.Exchange;

/// <summary>Bytes counted by peer, for the last 1,024 peers. Thread-safe.</summary>
internal sealed class PeerBytes
{
    private const int MaxPeers = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<PeerId, Entry> _entries = [];
    private long _uses;

    public long Total { get; private set; }

    public void Add(PeerId peer, long bytes)
    {
        lock (_gate)
        {
            Total += bytes;
            if (!_entries.TryGetValue(peer, out Entry? entry))
            {
                if (_entries.Count == MaxPeers)
                    _entries.Remove(_entries.MinBy(static each => each.Value.LastUse).Key);
                _entries.Add(peer, entry = new Entry());
            }

            entry.Bytes += bytes;
            entry.LastUse = ++_uses;
        }
    }

    public long Of(PeerId peer)
    {
        lock (_gate)
            return _entries.TryGetValue(peer, out Entry? entry) ? entry.Bytes : 0;
    }

    public IReadOnlyDictionary<PeerId, long> Snapshot()
    {
        lock (_gate)
            return _entries.ToDictionary(static each => each.Key, static each => each.Value.Bytes);
    }

    private sealed class Entry
    {
        public long Bytes { get; set; }

        public long LastUse { get; set; }
    }
}
