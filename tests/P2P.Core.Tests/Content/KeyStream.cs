using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace P2P.Core.Tests.Content;

/// <summary>The content rule of the profile vectors: the ChaCha20 key stream (RFC 8439) under SHA-256 of a seed, nonce zero, counter from 0.</summary>
internal sealed class KeyStream : Stream
{
    private readonly byte[] _block = new byte[64];
    private readonly uint[] _state = new uint[16];
    private readonly long _length;
    private long _position;

    public KeyStream(string seed, long length)
    {
        _length = length;
        "expand 32-byte k"u8.ToArray().Chunk(4).Select(word => BinaryPrimitives.ReadUInt32LittleEndian(word)).ToArray().CopyTo(_state, 0);
        byte[] key = SHA256.HashData(Encoding.UTF8.GetBytes(seed));
        for (int i = 0; i < 8; i++)
            _state[4 + i] = BinaryPrimitives.ReadUInt32LittleEndian(key.AsSpan(4 * i));
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => _length;

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public static byte[] Bytes(string seed, int length)
    {
        byte[] bytes = new byte[length];
        using var stream = new KeyStream(seed, length);
        stream.ReadExactly(bytes);
        return bytes;
    }

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, _length - _position);
        for (int done = 0; done < count;)
        {
            int within = (int)(_position % 64);
            if (within == 0)
                NextBlock();
            int part = Math.Min(64 - within, count - done);
            _block.AsSpan(within, part).CopyTo(buffer[done..]);
            done += part;
            _position += part;
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void NextBlock()
    {
        Span<uint> x = stackalloc uint[16];
        _state.CopyTo(x);
        for (int i = 0; i < 10; i++)
        {
            Quarter(x, 0, 4, 8, 12);
            Quarter(x, 1, 5, 9, 13);
            Quarter(x, 2, 6, 10, 14);
            Quarter(x, 3, 7, 11, 15);
            Quarter(x, 0, 5, 10, 15);
            Quarter(x, 1, 6, 11, 12);
            Quarter(x, 2, 7, 8, 13);
            Quarter(x, 3, 4, 9, 14);
        }

        for (int i = 0; i < 16; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(_block.AsSpan(4 * i), x[i] + _state[i]);
        _state[12]++;
    }

    private static void Quarter(Span<uint> x, int a, int b, int c, int d)
    {
        x[a] += x[b];
        x[d] = BitOperations.RotateLeft(x[d] ^ x[a], 16);
        x[c] += x[d];
        x[b] = BitOperations.RotateLeft(x[b] ^ x[c], 12);
        x[a] += x[b];
        x[d] = BitOperations.RotateLeft(x[d] ^ x[a], 8);
        x[c] += x[d];
        x[b] = BitOperations.RotateLeft(x[b] ^ x[c], 7);
    }
}
