using P2P.Core.Connections;
using P2P.Core.Diagnostics;

namespace P2P.Core.Node;

/// <summary>Counts connections as they come and go, and what they carry: now and then and at their end, so that no frame costs anything.</summary>
internal sealed class ConnectionMetrics(P2PMetrics metrics) : IConnectionObserver
{
    /// <summary>Exporters read every 10 seconds at most; waking up more often would cost an idle node more than all else it does.</summary>
    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new(); // guards the dictionary and what it holds
    private readonly Dictionary<Connection, Counted> _open = [];

    public void OnConnected(Connection connection)
    {
        bool isCounted = metrics.ConnectionOpened(connection.IsOutbound);
        lock (_gate)
            _open.Add(connection, new Counted(isCounted));
    }

    public void OnIdentified(Connection connection)
    {
        // a connection is counted whatever its peer says
    }

    public void OnDisconnected(Connection connection, string reason)
    {
        Counted? counted;
        lock (_gate)
        {
            if (!_open.Remove(connection, out counted))
                return;
            Read(connection, counted);
        }

        metrics.ConnectionClosed(connection.IsOutbound, counted.IsCounted);
    }

    /// <summary>Reads the connections' own counters every five seconds until it is cancelled.</summary>
    public async Task RunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(ReadInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            lock (_gate)
            {
                foreach ((Connection connection, Counted counted) in _open)
                    Read(connection, counted);
            }
        }
    }

    private void Read(Connection connection, Counted counted)
    {
        long received = connection.BytesReceived, sent = connection.BytesSent;
        if (received > counted.Received)
            metrics.Received(received - counted.Received);
        if (sent > counted.Sent)
            metrics.Sent(sent - counted.Sent);
        (counted.Received, counted.Sent) = (received, sent);
    }

    private sealed class Counted(bool isCounted)
    {
        /// <summary>Whether the opening was counted, which the closing must match.</summary>
        public bool IsCounted => isCounted;

        public long Received { get; set; }

        public long Sent { get; set; }
    }
}
