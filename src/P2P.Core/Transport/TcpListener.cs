using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Transport;

/// <summary>Accepts TCP connections. Survives what a flood does to a machine: connections that vanish, and running out of file handles.</summary>
internal sealed class TcpListener : ITransportListener
{
    /// <summary>How long accepting pauses when the system has no handle or memory left: long enough for connections to end, short enough to go unnoticed.</summary>
    private static readonly TimeSpan ExhaustionPause = TimeSpan.FromMilliseconds(200);

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile bool _disposed;

    public TcpListener(Socket socket, TimeProvider time, ILogger logger)
    {
        _socket = socket;
        _time = time;
        _logger = logger;
        BoundAddress = Multiaddress.FromEndPoint((IPEndPoint)socket.LocalEndPoint!);
    }

    public Multiaddress BoundAddress { get; }

    public async ValueTask<ITransportConnection?> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Socket? accepted = null;
            try
            {
                accepted = await _socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                accepted.NoDelay = true;
                return new TcpConnection(accepted);
            }
            catch (Exception exception) when (_disposed && exception is SocketException or ObjectDisposedException)
            {
                accepted?.Dispose();
                return null;
            }
            catch (SocketException exception) when (IsExhaustion(exception.SocketErrorCode))
            {
                accepted?.Dispose();
                TransportLog.AcceptPaused(_logger, BoundAddress, exception.SocketErrorCode, (int)ExhaustionPause.TotalMilliseconds);
                await Task.Delay(ExhaustionPause, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException exception) when (accepted is not null || IsOneConnectionsFault(exception.SocketErrorCode))
            {
                accepted?.Dispose();
                TransportLog.AcceptedTooLate(_logger, BoundAddress, exception.SocketErrorCode);
            }
            catch (SocketException exception)
            {
                throw SocketErrors.ToIOException(exception);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private static bool IsExhaustion(SocketError error) => error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;

    /// <summary>accept(2) also reports errors that belong to the connection being accepted.</summary>
    private static bool IsOneConnectionsFault(SocketError error) => error is SocketError.ConnectionAborted or SocketError.ConnectionReset
        or SocketError.Interrupted or SocketError.NetworkDown or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.HostUnreachable
        or SocketError.TimedOut or SocketError.ProtocolOption;
}
