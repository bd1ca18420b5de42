using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace P2P.Core.Transport;

/// <summary>One TCP connection.</summary>
internal sealed class TcpConnection : ITransportConnection
{
    private readonly Socket _socket;

    /// <exception cref="SocketException">The connection ended before its addresses could be read.</exception>
    public TcpConnection(Socket socket)
    {
        _socket = socket;
        LocalAddress = Multiaddress.FromEndPoint((IPEndPoint)socket.LocalEndPoint!);
        RemoteAddress = Multiaddress.FromEndPoint((IPEndPoint)socket.RemoteEndPoint!);
    }

    public Multiaddress LocalAddress { get; }

    public Multiaddress RemoteAddress { get; }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException exception)
        {
            throw SocketErrors.ToIOException(exception);
        }
        catch (ObjectDisposedException exception)
        {
            throw new IOException("connection closed", exception);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Not safe to cancel: the other side may have got a part. Close the connection then.</remarks>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            while (!buffer.IsEmpty)
            {
                int sent = await _socket.SendAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
                buffer = buffer[sent..];
            }
        }
        catch (SocketException exception)
        {
            throw SocketErrors.ToIOException(exception);
        }
        catch (ObjectDisposedException exception)
        {
            throw new IOException("connection closed", exception);
        }
    }

    public void Abort() => _socket.Dispose();

    /// <summary>Sends what is buffered and a FIN, without waiting for either, then closes.</summary>
    public ValueTask DisposeAsync()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Already ended from one side or the other: there is nobody to say goodbye to.
        }
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
