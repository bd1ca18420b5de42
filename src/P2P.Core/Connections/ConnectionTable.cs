using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace P2P.Core.Connections;

/// <summary>The open connections: who is in, which of a peer's connections counts, and who goes when places are short. Thread-safe.</summary>
internal sealed class ConnectionTable(PeerId self, ConnectionOptions options)
{
    /// <summary>Connections to one peer at once (count): two when both sides dial, a third while one dies unnoticed.</summary>
    private const int MaxPerPeer = 4;

    private readonly Lock _gate = new(); // guards everything below
    private readonly Dictionary<PeerId, List<Connection>> _byPeer = []; // the one that counts comes first
    private readonly List<Connection> _all = [];

    /// <summary>All connections, also those about to end.</summary>
    public IReadOnlyList<Connection> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _all];
            }
        }
    }

    /// <summary>Takes a connection in, or says why not.</summary>
    /// <param name="connection">The new connection.</param>
    /// <param name="rival">Another connection to the same peer, so that one of the two must go.</param>
    /// <param name="evicted">One to close for it, taken out already.</param>
    /// <param name="refusal">Why it is not taken.</param>
    public bool TryAdd(Connection connection, out Connection? rival, out Connection? evicted, [NotNullWhen(false)] out string? refusal)
    {
        rival = evicted = null;
        lock (_gate)
        {
            List<Connection> same = _byPeer.GetValueOrDefault(connection.RemotePeer) ?? [];
            if (same.Count >= MaxPerPeer)
            {
                refusal = "too many connections to this peer";
                return false;
            }

            Admission admission = ConnectionLimits.Judge(FactsOf(connection), [.. _all.Select(FactsOf)], options);
            refusal = admission.Refusal;
            if (refusal is not null)
            {
                return false;
            }

            if (admission.Evict >= 0)
            {
                evicted = _all[admission.Evict];
                RemoveLocked(evicted);
            }

            rival = same.Find(other => other.IsOpen && !other.IsSuperseded);
            same.Add(connection);
            _byPeer[connection.RemotePeer] = same;
            _all.Add(connection);
            return true;
        }
    }

    /// <summary>Takes a connection out; false when it was not in.</summary>
    public bool Remove(Connection connection)
    {
        lock (_gate)
        {
            return RemoveLocked(connection);
        }
    }

    /// <summary>The connection that counts for a peer.</summary>
    public bool TryGet(PeerId peer, [NotNullWhen(true)] out Connection? connection)
    {
        lock (_gate)
        {
            connection = _byPeer.GetValueOrDefault(peer)?.Find(candidate => candidate.IsOpen && !candidate.IsSuperseded)
                ?? _byPeer.GetValueOrDefault(peer)?.Find(candidate => candidate.IsOpen);
            return connection is not null;
        }
    }

    /// <summary>Which of two connections to one peer both sides keep: the one that the smaller peer id dialed; of two dialed by the same side the newer,
    /// for its dialer would not have dialed if the older one still worked.</summary>
    public Connection Survivor(Connection older, Connection newer)
    {
        if (older.IsOutbound == newer.IsOutbound)
        {
            return newer;
        }

        bool keepOutbound = self.CompareTo(older.RemotePeer) < 0;
        return older.IsOutbound == keepOutbound ? older : newer;
    }

    private bool RemoveLocked(Connection connection)
    {
        if (!_all.Remove(connection))
        {
            return false;
        }

        List<Connection> same = _byPeer[connection.RemotePeer];
        same.Remove(connection);
        if (same.Count == 0)
        {
            _byPeer.Remove(connection.RemotePeer);
        }

        return true;
    }

    private static ConnectionFacts FactsOf(Connection connection) => new(
        connection.IsOutbound,
        connection.RemoteAddress.TryGetEndPoint(out IPEndPoint? end) ? end.Address : null,
        connection.IdleFor);
}
