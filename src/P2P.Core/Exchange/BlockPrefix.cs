using System.Buffers;
using System.Security.Cryptography;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Exchange;

/// <summary>How the sender of a block says that its CID is made: the block travels without its CID, so that nobody can claim a wrong one.</summary>
/// <param name="Version">Version of the CID.</param>
/// <param name="Codec">How the bytes are to be read.</param>
/// <param name="HashCode">The hash function.</param>
/// <param name="DigestBytes">Length of the digest (bytes).</param>
internal readonly record struct BlockPrefix(ulong Version, ulong Codec, ulong HashCode, ulong DigestBytes)
{
    /// <summary>The prefix of a block of version 0, which the field of bitswap 1.0.0 implies.</summary>
    public static BlockPrefix Version0 { get; } = new(0, Cid.DagPbCodec, Multihash.Sha2_256, SHA256.HashSizeInBytes);

    public static bool TryRead(ReadOnlySpan<byte> source, out BlockPrefix prefix)
    {
        prefix = default;
        Span<ulong> values = stackalloc ulong[4];
        foreach (ref ulong value in values)
        {
            if (UVarint.TryRead(source, out value, out int consumed) != OperationStatus.Done)
                return false;
            source = source[consumed..];
        }

        prefix = new BlockPrefix(values[0], values[1], values[2], values[3]);
        return source.IsEmpty;
    }

    /// <summary>Writes the prefix of a CID and returns its length (bytes); the destination holds <see cref="BitswapProtocol.MaxPrefixBytes"/>.</summary>
    public static int Write(Span<byte> destination, in Cid cid)
    {
        int length = UVarint.Write(destination, (ulong)cid.Version);
        length += UVarint.Write(destination[length..], cid.Codec);
        length += UVarint.Write(destination[length..], cid.MultihashCode);
        return length + UVarint.Write(destination[length..], (ulong)cid.Digest.Length);
    }

    /// <summary>Hashes the bytes. False: the hash function or the length of the digest is none that we accept (D1), so the block cannot be ours.</summary>
    public bool TryHash(ReadOnlySpan<byte> data, out MultihashKey key)
    {
        Span<byte> digest = stackalloc byte[SHA512.HashSizeInBytes];
        switch (HashCode)
        {
            case Multihash.Sha2_256 when DigestBytes == SHA256.HashSizeInBytes:
                SHA256.HashData(data, digest);
                key = MultihashKey.OfSha256(digest[..SHA256.HashSizeInBytes]);
                return true;
            case Multihash.Sha2_512 when DigestBytes == SHA512.HashSizeInBytes:
                SHA512.HashData(data, digest);
                key = new MultihashKey(Multihash.Create(Multihash.Sha2_512, digest));
                return true;
            default:
                key = default;
                return false;
        }
    }
}
