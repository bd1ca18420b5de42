using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Transport;

/// <summary>TCP over IPv4 and IPv6. Names are resolved above: an address here begins with an IP.</summary>
/// <remarks>
/// Socket buffers keep their defaults: the kernel grows them with the link, and a size set by hand would switch that off.
/// An IPv6 socket never takes IPv4 as well, so both can listen on one port and remote addresses keep their own family.
/// </remarks>
internal sealed class TcpTransport(TimeProvider time, ILogger logger) : ITransport
{
    /// <summary>Connections that the kernel completes and keeps until they are accepted (count); more are refused or retried by the dialer.</summary>
    private const int ListenBacklog = 512;

    public bool CanDial(Multiaddress address) => TryGetEndPoint(address, out IPEndPoint? endPoint) && endPoint.Port != 0 && !IsUnspecified(endPoint.Address);

    public bool CanListen(Multiaddress address) => TryGetEndPoint(address, out _);

    /// <inheritdoc/>
    /// <remarks>Safe to cancel: the half-open socket is closed.</remarks>
    public async ValueTask<ITransportConnection> DialAsync(Multiaddress address, CancellationToken cancellationToken)
    {
        if (!TryGetEndPoint(address, out IPEndPoint? endPoint))
            throw new ArgumentException($"{address} is not a TCP address.", nameof(address));
        Socket socket = NewSocket(endPoint.AddressFamily);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new TcpConnection(socket);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw SocketErrors.ToIOException(exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ValueTask<ITransportListener> ListenAsync(Multiaddress address, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!TryGetEndPoint(address, out IPEndPoint? endPoint))
            throw new ArgumentException($"{address} is not a TCP address.", nameof(address));
        Socket socket = NewSocket(endPoint.AddressFamily);
        try
        {
            socket.Bind(endPoint);
            socket.Listen(ListenBacklog);
            return new(new TcpListener(socket, time, logger));
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw SocketErrors.ToIOException(exception);
        }
    }

    private static Socket NewSocket(AddressFamily family)
    {
        try
        {
            var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            if (family == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            return socket;
        }
        catch (SocketException exception)
        {
            throw SocketErrors.ToIOException(exception);
        }
    }

    private static bool TryGetEndPoint(Multiaddress address, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPEndPoint? endPoint) =>
        address.TryGetEndPoint(out endPoint);

    private static bool IsUnspecified(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
