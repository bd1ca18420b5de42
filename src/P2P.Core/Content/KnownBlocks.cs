using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>Blocks whose bytes follow from their ids, so that nobody has to be asked for them.</summary>
internal static class KnownBlocks
{
    /// <summary>The empty file.</summary>
    public static Cid EmptyRaw { get; } = Cid.OfRaw([]);

    /// <summary>Whether a block's bytes are known: it is empty, or lies in its id.</summary>
    public static bool TryGet(in Cid cid, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        if (cid.MultihashSpan.SequenceEqual(EmptyRaw.MultihashSpan))
            return true;
        if (cid.MultihashCode != Multihash.Identity || cid.Digest.Length > BlockVerification.MaxIdentityBytes)
            return false;
        bytes = cid.Digest.ToArray();
        return true;
    }
}
