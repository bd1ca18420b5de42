using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace P2P.Cli.Control;

/// <summary>One connection of the control socket: JSON objects, a line each, bounded in length. One reader; writers take turns.</summary>
/// <remarks>A write waits while the other side does not read: the back-pressure that a pipe would have.</remarks>
internal sealed class ControlChannel(Socket socket) : IDisposable
{
    private const byte LineEnd = (byte)'\n';
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private byte[] _buffer = new byte[16 << 10];
    private int _start, _end; // what was received and not returned yet

    /// <summary>Writes an object.</summary>
    /// <exception cref="IOException">The other side has gone.</exception>
    public Task SendAsync<T>(T message, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        byte[] line = JsonSerializer.SerializeToUtf8Bytes(message, type);
        Array.Resize(ref line, line.Length + 1);
        line[^1] = LineEnd;
        return SendLineAsync(line, cancellationToken);
    }

    /// <summary>Writes a line that ends in its line feed.</summary>
    /// <exception cref="IOException">The other side has gone.</exception>
    public async Task SendLineAsync(ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await _stream.WriteAsync(line, CancellationToken.None); // half a line would be the end of the connection
        }
        catch (ObjectDisposedException closed)
        {
            throw new IOException("The connection was closed.", closed);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The next line without its line feed, valid until the next call; null at the end.</summary>
    /// <exception cref="IOException">The other side has gone within a line, or the line is too long.</exception>
    public async Task<ReadOnlyMemory<byte>?> ReadLineAsync(int bytesMax, CancellationToken cancellationToken)
    {
        int searched = _start;
        while (true)
        {
            int found = _buffer.AsSpan(searched, _end - searched).IndexOf(LineEnd);
            if (found >= 0)
            {
                ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, searched + found - _start);
                _start = searched + found + 1;
                return line;
            }

            searched = MakeRoom(bytesMax);
            int count = await ReceiveAsync(cancellationToken);
            if (count == 0)
                return _start == _end ? null : throw new IOException("The connection ended within a line.");
            _end += count;
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        socket.Dispose();
    }

    private async ValueTask<int> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        }
        catch (ObjectDisposedException closed)
        {
            throw new IOException("The connection was closed.", closed);
        }
    }

    /// <summary>Moves the unfinished line to the front, into a larger buffer when it fills this one.</summary>
    /// <returns>Where what was not searched begins.</returns>
    private int MakeRoom(int bytesMax)
    {
        int length = _end - _start;
        if (length > bytesMax)
            throw new IOException($"A line of more than {bytesMax} bytes came over the control socket.");
        byte[] target = length * 2 > _buffer.Length ? new byte[_buffer.Length * 2] : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, 0, length);
        (_buffer, _start, _end) = (target, 0, length);
        return length;
    }
}
