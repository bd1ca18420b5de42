using System.Net;
using System.Net.Sockets;
using P2P.Core.Transport;

namespace P2P.Core.Discovery;

/// <summary>Broadcast on one interface: a socket on the port of beacons that hears, shared by all who run here, and one for each of our addresses there that sends.</summary>
internal sealed class BeaconSocket : ILanChannel
{
    /// <summary>Of what is sent: no router passes it on.</summary>
    private const int Hops = 1;

    private static readonly IPEndPoint Any = new(IPAddress.Any, Beacon.Port);

    private readonly Socket _hearing;
    private readonly List<(Socket Socket, IPEndPoint To)> _speaking = [];
    private readonly int _index;

    private BeaconSocket(Socket hearing, int index) => (_hearing, _index) = (hearing, index);

    /// <summary>Begins to hear.</summary>
    /// <exception cref="SocketException">A program has the port for itself, or an address is gone.</exception>
    public static BeaconSocket Open(LanInterface card)
    {
        var opened = new BeaconSocket(NewSocket(), card.Index);
        try
        {
            opened._hearing.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true); // others on this machine are peers too
            opened._hearing.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
            opened._hearing.Bind(Any);
            foreach ((IPAddress address, int prefixLength) in card.Addresses)
            {
                if (address.AddressFamily == AddressFamily.InterNetwork)
                    opened.AddSpeaking(address, prefixLength);
            }

            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>The address that reaches all hosts of a network; where it has none of its own, that of every network.</summary>
    internal static IPAddress BroadcastOf(IPAddress address, int prefixLength)
    {
        if (prefixLength >= 31)
            return IPAddress.Broadcast;
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefixLength; bit < 32; bit++)
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }

    /// <inheritdoc/>
    /// <remarks>From each of our addresses there, because receivers take the address from the packet.</remarks>
    public ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach ((Socket socket, IPEndPoint all) in _speaking)
            Datagrams.Send(socket, packet.Span, to ?? all);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            SocketReceiveMessageFromResult received = await _hearing.ReceiveMessageFromAsync(buffer, SocketFlags.None, Any, cancellationToken).ConfigureAwait(false);
            if (received.PacketInformation.Interface == _index) // the port gets the packets of all interfaces
                return (received.ReceivedBytes, (IPEndPoint)received.RemoteEndPoint);
        }
    }

    public void Dispose()
    {
        _hearing.Dispose();
        _speaking.ForEach(static one => one.Socket.Dispose());
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };

    private void AddSpeaking(IPAddress address, int prefixLength)
    {
        Socket socket = NewSocket();
        _speaking.Add((socket, new IPEndPoint(BroadcastOf(address, prefixLength), Beacon.Port)));
        socket.EnableBroadcast = true;
        socket.Ttl = Hops;
        socket.Bind(new IPEndPoint(address, 0));
    }
}
