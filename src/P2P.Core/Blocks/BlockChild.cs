namespace P2P.Core.Blocks;

/// <summary>A block that an inner node links to.</summary>
/// <param name="Cid">The block.</param>
/// <param name="Bytes">Its length as the parent claims, or that of all below it; 0 when unknown.</param>
/// <param name="IsLeaf">Whether nothing hangs on it.</param>
internal readonly record struct BlockChild(Cid Cid, long Bytes, bool IsLeaf);
