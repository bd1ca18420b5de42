
namespace P2P.Core.Connections;

/// <summary>Which protocols are served here, by whom, and how many streams of each a peer has open. Thread-safe.</summary>
internal sealed class StreamRegistry(int maxStreams)
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private int _streams;

    /// <summary>The protocols served, sorted.</summary>
    public IReadOnlyCollection<string> Protocols
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries.Keys.Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Streams being served.</summary>
    public int StreamCount
    {
        get
        {
            lock (_gate)
            {
                return _streams;
            }
        }
    }

    /// <summary>Serves a protocol from now on.</summary>
    /// <exception cref="InvalidOperationException">It is served already.</exception>
    public void Add(string protocol, StreamHandler handler, int maxInboundPerPeer)
    {
        ArgumentException.ThrowIfNullOrEmpty(protocol);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxInboundPerPeer, 1);
        lock (_gate)
        {
            if (!_entries.TryAdd(protocol, new Entry(handler, maxInboundPerPeer)))
            {
                throw new InvalidOperationException($"The protocol {protocol} is served already.");
            }
        }
    }

    /// <summary>Serves it no longer; open streams go on.</summary>
    public bool Remove(string protocol)
    {
        lock (_gate)
        {
            return _entries.Remove(protocol);
        }
    }

    /// <summary>Whether the protocol is served.</summary>
    public bool IsServed(string protocol)
    {
        lock (_gate)
        {
            return _entries.ContainsKey(protocol);
        }
    }

    /// <summary>Takes a place for one stream of a peer, or null when the protocol is unknown, the peer has its share or all places are taken.</summary>
    public Place? TryEnter(string protocol, PeerId peer)
    {
        lock (_gate)
        {
            if (_streams >= maxStreams || !_entries.TryGetValue(protocol, out Entry? entry))
            {
                return null;
            }

            int open = entry.OpenByPeer.GetValueOrDefault(peer);
            if (open >= entry.MaxInboundPerPeer)
            {
                return null;
            }

            entry.OpenByPeer[peer] = open + 1;
            _streams++;
            return new Place(this, entry, peer);
        }
    }

    private void Leave(Entry entry, PeerId peer)
    {
        lock (_gate)
        {
            _streams--;
            int open = entry.OpenByPeer[peer] - 1;
            if (open == 0)
            {
                entry.OpenByPeer.Remove(peer);
            }
            else
            {
                entry.OpenByPeer[peer] = open;
            }
        }
    }

    /// <summary>One stream's place; disposing gives it back, once.</summary>
    internal sealed class Place(StreamRegistry owner, Entry entry, PeerId peer) : IDisposable
    {
        private int _left;

        public StreamHandler Handler => entry.Handler;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                owner.Leave(entry, peer);
            }
        }
    }

    internal sealed record Entry(StreamHandler Handler, int MaxInboundPerPeer)
    {
        public Dictionary<PeerId, int> OpenByPeer { get; } = [];
    }
}
