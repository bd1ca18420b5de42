using System.Net;
using System.Threading.Channels;
using P2P.Core;
using P2P.Core.Transport;

namespace P2P.Testing;

/// <summary>One host of a <see cref="MemoryNetwork"/>.</summary>
internal sealed class MemoryTransport(MemoryNetwork network, IPAddress address) : ITransport
{
    /// <summary>The host's address.</summary>
    public IPAddress Address { get; } = address;

    /// <summary>An address to listen on; port 0 picks a free one.</summary>
    public Multiaddress ListenAddress(int port = 0) => Multiaddress.FromEndPoint(new IPEndPoint(Address, port));

    public bool CanDial(Multiaddress address) => address.TryGetEndPoint(out IPEndPoint? end) && MemoryNetwork.Prefix.Contains(end.Address);

    public bool CanListen(Multiaddress address) => address.TryGetEndPoint(out IPEndPoint? end) && end.Address.Equals(Address);

    public async ValueTask<ITransportConnection> DialAsync(Multiaddress address, CancellationToken cancellationToken) =>
        address.TryGetEndPoint(out IPEndPoint? end)
            ? await network.ConnectAsync(Address, end, cancellationToken).ConfigureAwait(false)
            : throw new ArgumentException("Not an address of this network.", nameof(address));

    public ValueTask<ITransportListener> ListenAsync(Multiaddress address, CancellationToken cancellationToken) =>
        address.TryGetEndPoint(out IPEndPoint? end)
            ? ValueTask.FromResult<ITransportListener>(network.Listen(end))
            : throw new ArgumentException("Not an address of this network.", nameof(address));
}

/// <summary>Listens on one address of a <see cref="MemoryNetwork"/>.</summary>
internal sealed class MemoryListener(MemoryNetwork network, IPEndPoint endPoint) : ITransportListener
{
    private readonly Channel<MemoryConnection> _backlog = Channel.CreateBounded<MemoryConnection>(512);

    public IPEndPoint EndPoint { get; } = endPoint;

    public Multiaddress BoundAddress { get; } = Multiaddress.FromEndPoint(endPoint);

    public async ValueTask<ITransportConnection?> AcceptAsync(CancellationToken cancellationToken)
    {
        while (await _backlog.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_backlog.Reader.TryRead(out MemoryConnection? connection))
            {
                return connection;
            }
        }

        return null;
    }

    public bool TryOffer(MemoryConnection connection) => _backlog.Writer.TryWrite(connection);

    public ValueTask DisposeAsync()
    {
        network.Unlisten(this);
        _backlog.Writer.TryComplete();
        while (_backlog.Reader.TryRead(out MemoryConnection? waiting))
        {
            waiting.Abort();
        }

        return ValueTask.CompletedTask;
    }
}
