using System.IO.Pipelines;
using P2P.Core.Connections;

namespace P2P.Core.Exchange;

/// <summary>The connection pool as the exchange sees it.</summary>
internal sealed class ConnectionPoolNetwork(ConnectionPool pool) : IExchangeNetwork, IConnectionObserver
{
    private Bitswap? _bitswap;

    public IReadOnlyList<PeerId> ConnectedPeers => [.. pool.Connections.Where(MaySpeakBitswap).Select(static connection => connection.RemotePeer).Distinct()];

    /// <summary>Registers the protocol and begins to tell of peers.</summary>
    public void Attach(Bitswap bitswap, int maxInboundStreamsPerPeer)
    {
        _bitswap = bitswap;
        pool.Observe(this);
        pool.Handle(BitswapProtocol.Id, (stream, cancellationToken) => bitswap.ReceiveAsync(new PoolStream(stream), cancellationToken), maxInboundStreamsPerPeer);
    }

    public async ValueTask<IExchangeStream> OpenStreamAsync(PeerId peer, CancellationToken cancellationToken)
    {
        if (!pool.TryGet(peer, out Connection? connection))
            throw new IOException("the peer is not connected");
        return new PoolStream(await connection.OpenStreamAsync(BitswapProtocol.Id, cancellationToken).ConfigureAwait(false));
    }

    public bool IsConnected(PeerId peer) => pool.TryGet(peer, out _);

    public TimeSpan? RoundTripTime(PeerId peer) => pool.TryGet(peer, out Connection? connection) ? connection.RoundTripTime : null;

    public bool IsHeldBack(PeerId peer) => pool.TryGet(peer, out Connection? connection) && connection.IsReceiveHeldBack;

    public void OnConnected(Connection connection) => _bitswap?.OnConnected(connection.RemotePeer);

    public void OnIdentified(Connection connection)
    {
        if (MaySpeakBitswap(connection))
            _bitswap?.OnIdentified(connection.RemotePeer);
    }

    public void OnDisconnected(Connection connection, string reason)
    {
        if (!pool.TryGet(connection.RemotePeer, out _))
            _bitswap?.OnDisconnected(connection.RemotePeer);
    }

    private static bool MaySpeakBitswap(Connection connection) => connection.Remote?.Protocols.Contains(BitswapProtocol.Id) ?? false;

    private sealed class PoolStream(PeerStream stream) : IExchangeStream
    {
        public PeerId Peer => stream.Connection.RemotePeer;

        public PipeReader Input => stream.Input;

        public PipeWriter Output => stream.Output;

        public long SentBytes => stream.SentBytes;

        public bool HasSendCredit => stream.HasSendCredit;

        public void Reset() => stream.Reset();

        public void CloseConnection(string reason) => _ = stream.Connection.CloseAsync(reason); // never throws, bounded by its own time-out

        public void GrantReceiveWindow(int bytes) => stream.GrantReceiveWindow(bytes);

        public ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
