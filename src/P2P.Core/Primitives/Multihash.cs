using System.Buffers;
using System.Security.Cryptography;

namespace P2P.Core.Primitives;

/// <summary>A digest that names its hash function: <c>code, length, digest</c>.</summary>
internal static class Multihash
{
    /// <summary>The digest is the data itself.</summary>
    public const ulong Identity = 0x00;

    /// <summary>SHA-1; known only to be refused by name.</summary>
    public const ulong Sha1 = 0x11;

    /// <summary>SHA-256: the only one that we create.</summary>
    public const ulong Sha2_256 = 0x12;

    /// <summary>SHA-512.</summary>
    public const ulong Sha2_512 = 0x13;

    /// <summary>BLAKE3.</summary>
    public const ulong Blake3 = 0x1e;

    /// <summary>The first 64 bits of MurmurHash3 x64-128: names in sharded directories, never in a CID.</summary>
    public const ulong Murmur3X64_64 = 0x22;

    /// <summary>The longest digest that is parsed (bytes). Identity digests carry data, so this bounds more than hashes.</summary>
    public const int MaxDigestBytes = 128;

    /// <summary>The length of a SHA-256 multihash (bytes).</summary>
    public const int Sha2_256Bytes = 34;

    /// <summary>Reads a multihash at the start of the span. Fails on a malformed or cut one and on digests over <see cref="MaxDigestBytes"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> source, out ulong code, out ReadOnlySpan<byte> digest, out int consumed)
    {
        OperationStatus status = TryRead(source, out code, out digest, out consumed);
        return status == OperationStatus.Done;
    }

    /// <summary>Reads a multihash at the start of the span, telling a cut one from a malformed one.</summary>
    public static OperationStatus TryRead(ReadOnlySpan<byte> source, out ulong code, out ReadOnlySpan<byte> digest, out int consumed)
    {
        digest = default;
        consumed = 0;
        OperationStatus status = UVarint.TryRead(source, out code, out int codeBytes);
        if (status != OperationStatus.Done)
        {
            return status;
        }

        status = UVarint.TryRead(source[codeBytes..], out ulong length, out int lengthBytes);
        if (status != OperationStatus.Done)
        {
            return status;
        }

        if (length > MaxDigestBytes)
        {
            return OperationStatus.InvalidData;
        }

        ReadOnlySpan<byte> rest = source[(codeBytes + lengthBytes)..];
        if (rest.Length < (int)length)
        {
            return OperationStatus.NeedMoreData;
        }

        digest = rest[..(int)length];
        consumed = codeBytes + lengthBytes + (int)length;
        return OperationStatus.Done;
    }

    /// <summary>The multihash of a digest.</summary>
    public static byte[] Create(ulong code, ReadOnlySpan<byte> digest)
    {
        byte[] result = new byte[UVarint.SizeOf(code) + UVarint.SizeOf((ulong)digest.Length) + digest.Length];
        int position = UVarint.Write(result, code);
        position += UVarint.Write(result.AsSpan(position), (ulong)digest.Length);
        digest.CopyTo(result.AsSpan(position));
        return result;
    }

    /// <summary>Whether the data has this digest. False also for functions that are not computed here and for truncated digests: what cannot be checked is not accepted.</summary>
    public static bool Verify(ulong code, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> data)
    {
        Span<byte> computed = stackalloc byte[SHA512.HashSizeInBytes];
        switch (code)
        {
            case Sha2_256:
                return digest.SequenceEqual(computed[..SHA256.HashData(data, computed)]);
            case Sha2_512:
                return digest.SequenceEqual(computed[..SHA512.HashData(data, computed)]);
            case Identity:
                return digest.SequenceEqual(data);
            default:
                return false;
        }
    }

    /// <summary>The name of a hash function for messages, or its code when it has none here.</summary>
    public static string NameOf(ulong code) => code switch
    {
        Identity => "identity",
        Sha1 => "sha1",
        Sha2_256 => "sha2-256",
        Sha2_512 => "sha2-512",
        Blake3 => "blake3",
        Murmur3X64_64 => "murmur3-x64-64",
        _ => $"0x{code:x}",
    };
}
