using System.Net;
using System.Net.Sockets;
using P2P.Core.Transport;

namespace P2P.Core.Discovery;

/// <summary>The group of multicast DNS on one interface, by a socket on the port that all responders of the machine share (RFC 6762, 5 and 11).</summary>
internal sealed class MulticastSocket : ILanChannel
{
    /// <summary>The port of multicast DNS.</summary>
    public const int Port = 5353;

    /// <summary>Of what is sent; receivers that are careful take nothing that has passed a router.</summary>
    private const int Hops = 255;

    private static readonly IPAddress Group4 = IPAddress.Parse("224.0.0.251"), Group6 = IPAddress.Parse("ff02::fb");

    private readonly Socket _socket;
    private readonly int _index;
    private readonly IPEndPoint _group, _any;

    private MulticastSocket(Socket socket, int index, IPEndPoint group, IPEndPoint any) => (_socket, _index, _group, _any) = (socket, index, group, any);

    /// <summary>Joins the group.</summary>
    /// <exception cref="SocketException">It does not work on this interface, or a program has the port for itself.</exception>
    public static MulticastSocket Open(LanInterface card, AddressFamily family)
    {
        bool isIPv6 = family == AddressFamily.InterNetworkV6;
        var any = new IPEndPoint(isIPv6 ? IPAddress.IPv6Any : IPAddress.Any, Port);
        var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            SocketOptionLevel level = isIPv6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP;
            socket.SetSocketOption(level, SocketOptionName.PacketInformation, true);
            socket.SetSocketOption(level, SocketOptionName.MulticastLoopback, true); // others on this machine are peers too
            socket.SetSocketOption(level, SocketOptionName.MulticastTimeToLive, Hops);
            socket.Ttl = Hops;
            socket.Bind(any);
            if (isIPv6)
            {
                socket.SetSocketOption(level, SocketOptionName.MulticastInterface, card.Index);
                socket.SetSocketOption(level, SocketOptionName.AddMembership, new IPv6MulticastOption(Group6, card.Index));
            }
            else
            {
                socket.SetSocketOption(level, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(card.Index));
                socket.SetSocketOption(level, SocketOptionName.AddMembership, new MulticastOption(Group4, card.Index));
            }

            return new MulticastSocket(socket, card.Index, new IPEndPoint(isIPv6 ? new IPAddress(Group6.GetAddressBytes(), card.Index) : Group4, Port), any);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Datagrams.Send(_socket, packet.Span, to ?? _group);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            SocketReceiveMessageFromResult received = await _socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, _any, cancellationToken).ConfigureAwait(false);
            if (received.PacketInformation.Interface == _index) // the port gets the packets of all interfaces
                return (received.ReceivedBytes, (IPEndPoint)received.RemoteEndPoint);
        }
    }

    public void Dispose() => _socket.Dispose();
}
