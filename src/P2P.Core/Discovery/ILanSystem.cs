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
    IMulticastChannel Open(LanInterface card, AddressFamily family);
}

/// <summary>The group of multicast DNS on one interface.</summary>
internal interface IMulticastChannel : IDisposable
{
    /// <summary>Sends a packet.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="to">To whom alone; null: to the group.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="SocketException">The interface is gone, or nothing can be sent there.</exception>
    ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken);

    /// <summary>Waits for the next packet that came in on the interface; what finds no room in the buffer is cut off.</summary>
    /// <exception cref="SocketException">The interface is gone.</exception>
    ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}
