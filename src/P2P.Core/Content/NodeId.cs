using System.Security.Cryptography;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>Content ids of what we build, by profile.</summary>
internal static class NodeId
{
    /// <summary>The id of a dag-pb node.</summary>
    public static Cid OfNode(UnixFsProfile profile, ReadOnlySpan<byte> block)
    {
        if (profile.CidVersion == 1)
            return Cid.OfDagPb(block);

        // version 0 is the bare multihash
        Span<byte> multihash = stackalloc byte[Multihash.Sha2_256Bytes];
        multihash[0] = (byte)Multihash.Sha2_256;
        multihash[1] = SHA256.HashSizeInBytes;
        SHA256.HashData(block, multihash[2..]);
        return Cid.TryFromBytes(multihash, out Cid cid, out _) ? cid : throw new System.Diagnostics.UnreachableException();
    }
}
