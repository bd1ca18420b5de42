using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Discovery;

/// <summary>What discovery needs of the machine. Tests put another in its place.</summary>
internal interface ILanSystem
{
    /// <summary>The interfaces now.</summary>
    IReadOnlyList<LanInterface> GetInterfaces();

    /// <summary>Joins the group of multicast DNS on an interface.</summary>
    /// <exception cref="SocketException">It does not work there.</exception>
    ILanChannel Open(LanInterface card, AddressFamily family);

    /// <summary>Opens the port of beacons on an interface that has an IPv4 address.</summary>
    /// <exception cref="SocketException">It does not work there.</exception>
    ILanChannel OpenBeacon(LanInterface card);
}

/// <summary>Packets to all peers on one interface: the group of multicast DNS, or broadcast.</summary>
internal interface ILanChannel : IDisposable
{
    /// <summary>Sends a packet.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="to">To whom alone; null: to all.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="SocketException">The interface is gone, or nothing can be sent there.</exception>
    ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken);

    /// <summary>Waits for the next packet that came in on the interface; what finds no room in the buffer is cut off.</summary>
    /// <exception cref="SocketException">The interface is gone.</exception>
    ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}
