using System.Security.Cryptography;
using P2P.Core.Primitives;

namespace P2P.Core.Blocks;

/// <summary>Which hashes are trusted to name a block, and whether bytes are what a CID names. Nothing is written as done that did not pass here.</summary>
internal static class BlockVerification
{
    /// <summary>The largest block that is sent, taken or stored (bytes): bitswap's limit.</summary>
    public const int MaxBlockBytes = 2 << 20;

    /// <summary>The longest data inside an identity CID (bytes).</summary>
    public const int MaxIdentityBytes = 128;

    /// <summary>Whether a block with this CID can be verified: SHA-256 and SHA-512 of full length, and identity. The reason is for a person.</summary>
    public static bool IsAccepted(Cid cid, out string? why)
    {
        ulong code = cid.MultihashCode;
        int length = cid.Digest.Length;
        why = code switch
        {
            _ when cid.IsEmpty => "there is no content id",
            Multihash.Sha2_256 => length == SHA256.HashSizeInBytes ? null : "the sha2-256 digest is truncated",
            Multihash.Sha2_512 => length == SHA512.HashSizeInBytes ? null : "the sha2-512 digest is truncated",
            Multihash.Identity => length <= MaxIdentityBytes ? null : $"more than {MaxIdentityBytes} bytes inside the content id",
            _ => $"its hash function ({Multihash.NameOf(code)}) is not accepted",
        };
        return why is null;
    }

    /// <summary>Whether these bytes are the block that the CID names.</summary>
    public static bool Verify(Cid cid, ReadOnlySpan<byte> data) =>
        data.Length <= MaxBlockBytes && IsAccepted(cid, out _) && Multihash.Verify(cid.MultihashCode, cid.Digest, data);
}
