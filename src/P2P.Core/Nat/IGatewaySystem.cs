using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Nat;

/// <summary>What the mapping of ports needs of the machine. Tests put another in its place.</summary>
internal interface IGatewaySystem
{
    /// <summary>The routers now.</summary>
    IReadOnlyList<Gateway> GetGateways();

    /// <summary>A socket that sends to one port of the router and receives from there only.</summary>
    /// <exception cref="SocketException">It cannot be opened.</exception>
    IDatagramChannel Connect(Gateway gateway, int port);

    /// <summary>A socket on our address in the router's network, which sends to groups there and receives from anybody.</summary>
    /// <exception cref="SocketException">It cannot be opened.</exception>
    IDatagramChannel OpenSearch(Gateway gateway);

    /// <summary>Sends an HTTP request, from our address in the router's network, and reads the whole answer; follows nothing.</summary>
    /// <param name="gateway">The router.</param>
    /// <param name="url">Where; its host has been checked to be the router.</param>
    /// <param name="soapAction">The value of the header <c>SOAPAction</c>; null: a GET.</param>
    /// <param name="body">What is posted.</param>
    /// <param name="maxBytes">The longest answer that is read (bytes).</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="IOException">No connection, no HTTP, or an answer that is too long.</exception>
    Task<GatewayReply> RequestAsync(Gateway gateway, Uri url, string? soapAction, ReadOnlyMemory<byte> body, int maxBytes, CancellationToken cancellationToken);
}

/// <summary>A datagram socket.</summary>
internal interface IDatagramChannel : IDisposable
{
    /// <summary>Sends a packet.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="to">To whom; null: to the one that the socket is connected with.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="SocketException">It cannot be sent, or the port there is closed.</exception>
    ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken);

    /// <summary>Waits for the next packet; what finds no room in the buffer is cut off.</summary>
    /// <exception cref="SocketException">The port there is closed, or the interface is gone.</exception>
    ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>An answer by HTTP.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The whole body.</param>
internal readonly record struct GatewayReply(int Status, byte[] Body);
