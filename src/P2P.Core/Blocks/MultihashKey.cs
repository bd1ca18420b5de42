using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using P2P.Core.Primitives;

namespace P2P.Core.Blocks;

/// <summary>What makes two CIDs name the same block: their multihash. A dictionary key that allocates nothing for SHA-256.</summary>
internal readonly struct MultihashKey : IEquatable<MultihashKey>
{
    // a SHA-256 digest, or all zero
    private readonly ulong _a, _b, _c, _d;

    // the whole multihash when it is no SHA-256 of full length
    private readonly byte[]? _other;

    /// <summary>The key of a well-formed multihash; the default value for an empty span.</summary>
    public MultihashKey(ReadOnlySpan<byte> multihash)
    {
        if (multihash.Length == Multihash.Sha2_256Bytes && multihash[0] == Multihash.Sha2_256)
        {
            this = OfSha256(multihash[2..]);
        }
        else if (!multihash.IsEmpty)
        {
            _other = multihash.ToArray();
        }
    }

    private MultihashKey(ulong a, ulong b, ulong c, ulong d) => (_a, _b, _c, _d) = (a, b, c, d);

    /// <summary>The length of the multihash (bytes).</summary>
    public int ByteLength => _other?.Length ?? Multihash.Sha2_256Bytes;

    public static bool operator ==(MultihashKey left, MultihashKey right) => left.Equals(right);

    public static bool operator !=(MultihashKey left, MultihashKey right) => !left.Equals(right);

    /// <summary>The key of a block whose SHA-256 digest is known.</summary>
    public static MultihashKey OfSha256(ReadOnlySpan<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(digest.Length, SHA256.HashSizeInBytes);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(digest);
        return new MultihashKey(words[0], words[1], words[2], words[3]);
    }

    /// <summary>Writes the multihash and returns its length (bytes).</summary>
    public int CopyTo(Span<byte> destination)
    {
        if (_other is not null)
        {
            _other.CopyTo(destination);
            return _other.Length;
        }

        destination[0] = (byte)Multihash.Sha2_256;
        destination[1] = SHA256.HashSizeInBytes;
        Span<ulong> words = stackalloc ulong[] { _a, _b, _c, _d };
        MemoryMarshal.AsBytes(words).CopyTo(destination[2..]);
        return Multihash.Sha2_256Bytes;
    }

    /// <summary>A copy of the multihash.</summary>
    public byte[] ToArray()
    {
        byte[] result = new byte[ByteLength];
        CopyTo(result);
        return result;
    }

    public bool Equals(MultihashKey other) =>
        _a == other._a && _b == other._b && _c == other._c && _d == other._d && _other.AsSpan().SequenceEqual(other._other);

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is MultihashKey other && Equals(other);

    /// <summary>Seeded for each process: a peer who picks hashes that collide in their first bits gains nothing.</summary>
    public override int GetHashCode()
    {
        if (_other is null)
        {
            return HashCode.Combine(_a, _b, _c, _d);
        }

        HashCode hash = default;
        hash.AddBytes(_other);
        return hash.ToHashCode();
    }

    public override string ToString() => Convert.ToHexStringLower(ToArray());
}
