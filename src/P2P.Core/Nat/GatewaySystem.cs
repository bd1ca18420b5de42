using System.Net;
using System.Net.Sockets;
using P2P.Core.Addresses;
using P2P.Core.Transport;

namespace P2P.Core.Nat;

/// <summary>This machine. For one loop that asks it every few seconds.</summary>
internal sealed class GatewaySystem(TimeProvider time) : IGatewaySystem
{
    /// <summary>Beyond the first router nobody hears our searches (UPnP device architecture 2.0, 1.3.2).</summary>
    private const int SearchHops = 2;

    private (IReadOnlyList<Gateway> Gateways, long At, int Version)? _known;

    public IReadOnlyList<Gateway> GetGateways()
    {
        int version = NetworkChanges.Version;
        if (_known is not { } known || known.Version != version || time.GetElapsedTime(known.At) > NetworkChanges.Lifetime)
            _known = known = (Gateway.Current(), time.GetTimestamp(), version);
        return known.Gateways;
    }

    public IDatagramChannel Connect(Gateway gateway, int port) => new UdpChannel(gateway.Own, socket => socket.Connect(new IPEndPoint(gateway.Router, port)));

    public IDatagramChannel OpenSearch(Gateway gateway) => new UdpChannel(gateway.Own, socket =>
    {
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, gateway.Own.GetAddressBytes());
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, SearchHops);
    });

    public Task<GatewayReply> RequestAsync(Gateway gateway, Uri url, string? soapAction, ReadOnlyMemory<byte> body, int maxBytes, CancellationToken cancellationToken) =>
        RouterHttp.RequestAsync(gateway, url, soapAction, body, maxBytes, cancellationToken);

    private sealed class UdpChannel : IDatagramChannel
    {
        private readonly Socket _socket;
        private readonly IPEndPoint _any = new(IPAddress.Any, 0);

        public UdpChannel(IPAddress own, Action<Socket> prepare)
        {
            _socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            try
            {
                _socket.Bind(new IPEndPoint(own, 0));
                prepare(_socket);
            }
            catch
            {
                _socket.Dispose();
                throw;
            }
        }

        public ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Datagrams.Send(_socket, packet.Span, to);
            return ValueTask.CompletedTask;
        }

        public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, _any, cancellationToken).ConfigureAwait(false);
            return (received.ReceivedBytes, (IPEndPoint)received.RemoteEndPoint);
        }

        public void Dispose() => _socket.Dispose();
    }
}
