using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>The links that blocks of any kind hold: how a DAG is walked that need not be files and folders.</summary>
internal static class BlockLinks
{
    private const ulong CborCodec = 0x51, DagCborCodec = 0x71, JsonCodec = 0x0200;

    /// <summary>Whether blocks of this kind hold links at all, so that their bytes have to be looked at.</summary>
    public static bool MayHave(in Cid cid) => cid.Codec is not (Cid.RawCodec or Cid.Libp2pKeyCodec or CborCodec or JsonCodec);

    /// <summary>Whether the links of this kind of blocks can be found.</summary>
    public static bool CanRead(in Cid cid) => !MayHave(cid) || cid.Codec is Cid.DagPbCodec or DagCborCodec;

    /// <summary>Adds the links of a block in their order.</summary>
    /// <returns>False: they cannot be read, because the block is malformed or of a kind that is not known.</returns>
    public static bool TryAdd(in Cid cid, ReadOnlySpan<byte> block, List<Cid> links)
    {
        if (!MayHave(cid))
            return true;
        if (cid.Codec == DagCborCodec)
            return DagCbor.TryAddLinks(block, links);
        if (cid.Codec != Cid.DagPbCodec || !DagPbCodec.TryDecode(block, out DagPbNode? node))
            return false;
        foreach (DagPbLink link in node.Links)
            links.Add(link.Cid);
        return true;
    }

    /// <summary>Whether the block lies in its id.</summary>
    public static bool IsIdentity(in Cid cid) => cid.MultihashCode == Multihash.Identity;
}
