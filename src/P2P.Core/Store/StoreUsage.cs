namespace P2P.Core;

/// <summary>What the store holds.</summary>
/// <param name="Blocks">Blocks in the index (count).</param>
/// <param name="OwnedBlocks">Blocks whose bytes lie in the store (count).</param>
/// <param name="OwnedBytes">Their bytes.</param>
/// <param name="ReferencedBlocks">Blocks whose bytes lie in the user's files only (count).</param>
/// <param name="ReferencedBytes">Their bytes.</param>
/// <param name="ReclaimableBytes">Owned bytes that no pin keeps.</param>
public readonly record struct StoreUsage(
    long Blocks, long OwnedBlocks, long OwnedBytes, long ReferencedBlocks, long ReferencedBytes, long ReclaimableBytes);
