using System.IO.Pipelines;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Exchange;
using P2P.Core.Tests.Connections;
using P2P.Core.Tests.Exchange;

namespace P2P.Core.Tests.Node;

/// <summary>A peer on loopback with real connections whose bitswap is whatever a test wants.</summary>
internal sealed class RawBitswapPeer : IAsyncDisposable
{
    private readonly TestPeer _peer = TestPeer.OnLoopback();

    private RawBitswapPeer(Func<RawBitswapPeer, Connection, IExchangeStream, CancellationToken, Task> serve)
    {
        _peer.Ping.Start();
        _peer.Identify.Start();
        _peer.Pool.Handle(
            BitswapProtocol.Id, (stream, cancellationToken) => serve(this, stream.Connection, new Adapter(stream), cancellationToken), maxInboundPerPeer: 256);
    }

    public PeerId Id => _peer.Id;

    public Multiaddress Address => _peer.Address;

    /// <summary>Starts one that is told of each want.</summary>
    public static Task<RawBitswapPeer> StartAsync(Func<RawBitswapPeer, Connection, WantEntry, CancellationToken, Task> onWant, CancellationToken cancellationToken) =>
        StartWithStreamsAsync((self, connection, stream, token) => RawBitswap.ReadWantsAsync(stream, want => onWant(self, connection, want, token), token), cancellationToken);

    /// <summary>Starts one that is handed each stream.</summary>
    public static async Task<RawBitswapPeer> StartWithStreamsAsync(Func<RawBitswapPeer, Connection, IExchangeStream, CancellationToken, Task> serve, CancellationToken cancellationToken)
    {
        var peer = new RawBitswapPeer(serve);
        await peer._peer.ListenAsync(cancellationToken);
        return peer;
    }

    public Task<Connection> ConnectAsync(P2PNode node, CancellationToken cancellationToken) =>
        _peer.Pool.ConnectAsync(AddressOf(node), AddressOrigin.User, cancellationToken);

    /// <summary>Sends one message on a stream of its own, as others do.</summary>
    public static async Task SendAsync(Connection connection, (Cid Cid, bool Have)[] presences, (Cid Cid, byte[] Data)[] blocks, CancellationToken cancellationToken)
    {
        await using PeerStream stream = await connection.OpenStreamAsync(BitswapProtocol.Id, cancellationToken);
        BitswapCodecTests.WriteResponse(stream.Output, presences, blocks);
        await stream.Output.FlushAsync(cancellationToken);
    }

    /// <summary>Begins a block and goes on with a byte a second, for ever.</summary>
    public static async Task TrickleAsync(Connection connection, Cid cid, int length, int atOnce, CancellationToken cancellationToken)
    {
        PeerStream stream = await connection.OpenStreamAsync(BitswapProtocol.Id, cancellationToken);
        BitswapWriter.WriteMessageLength(stream.Output, BitswapWriter.SizeOfBlock(cid, length));
        BitswapWriter.WriteBlockHeader(stream.Output, cid, length);
        await stream.Output.WriteAsync(new byte[atOnce], cancellationToken);
        for (int sent = atOnce; sent < length - 1; sent++)
        {
            await stream.Output.WriteAsync(new byte[1], cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }
    }

    public static Multiaddress AddressOf(P2PNode node) => node.Status.Addresses[0].WithPeerId(node.Id);

    public ValueTask DisposeAsync() => _peer.DisposeAsync();

    private sealed class Adapter(PeerStream stream) : IExchangeStream
    {
        public PeerId Peer => stream.Connection.RemotePeer;

        public PipeReader Input => stream.Input;

        public PipeWriter Output => stream.Output;

        public void Reset() => stream.Reset();

        public void CloseConnection(string reason) => _ = stream.Connection.CloseAsync(reason);

        public void GrantReceiveWindow(int bytes) => stream.GrantReceiveWindow(bytes);

        public ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
