using System.Security.Cryptography;

namespace P2P.Interop;

/// <summary>The contents both sides generate: the byte at position i is (i + seed) % 251.</summary>
internal static class Pattern
{
    public static void Fill(Span<byte> destination, long position, int seed)
    {
        for (int i = 0; i < destination.Length; i++)
            destination[i] = (byte)((position + i + seed) % 251);
    }

    public static string Sha256(long bytes, int seed)
    {
        using var content = new PatternStream(bytes, seed);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }
}

/// <summary>The pattern as a stream, so that gigabytes need no disk.</summary>
internal sealed class PatternStream(long length, int seed) : Stream
{
    private const int Period = 251;

    private readonly byte[] _piece = MakePiece(seed);
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, length - _position);
        for (int done = 0; done < count;)
        {
            int at = (int)((_position + done) % Period), copied = Math.Min(count - done, _piece.Length - at);
            _piece.AsSpan(at, copied).CopyTo(buffer[done..]);
            done += copied;
        }

        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static byte[] MakePiece(int seed)
    {
        byte[] piece = new byte[Period * 4_096];
        Pattern.Fill(piece, 0, seed);
        return piece;
    }
}
