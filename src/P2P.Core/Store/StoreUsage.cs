namespace P2P.Core;

/// <summary>What the store holds.</summary>
/// <param name="Blocks">Blocks in the index (count).</param>
/// <param name="OwnedBlocks">Blocks whose bytes lie in the store (count).</param>
/// <param name="OwnedBytes">Their bytes.</param>
/// <param name="ReferencedBlocks">Blocks whose bytes lie in the user's files only (count).</param>
/// <param name="ReferencedBytes">Their bytes.</param>
/// <param name="ReclaimableBytes">Owned bytes that no pin keeps.</param>
public readonly record struct StoreUsage(
    long Blocks, long OwnedBlocks, long OwnedBytes, long ReferencedBlocks, long ReferencedBytes, long ReclaimableBytes)
{
    /// <summary>Blocks that a pin keeps and whose bytes are nowhere any more (count); repairing looks for them.</summary>
    public long LostBlocks { get; init; }

    /// <summary>Owned bytes that lie in files of their own; the others lie in the database.</summary>
    public long BlockFileBytes { get; init; }

    /// <summary>The database with its log (bytes).</summary>
    public long DatabaseBytes { get; init; }

    /// <summary>What is free on the disk of the data folder (bytes); null when the system does not say.</summary>
    public long? FreeDiskBytes { get; init; }

    /// <summary>The most that owned blocks may take (bytes); null when there is no limit.</summary>
    public long? QuotaBytes { get; init; }

    /// <summary>The same by reason for keeping. A block that is kept for several reasons counts for each. Null in a value that the store did not make.</summary>
    public IReadOnlyList<PurposeUsage>? ByPurpose { get; init; }
}

/// <summary>What is kept for one reason.</summary>
/// <param name="Purpose">The reason.</param>
/// <param name="Pins">How many pins have it (count).</param>
/// <param name="OwnedBlocks">Blocks whose bytes lie in the store (count).</param>
/// <param name="OwnedBytes">Their bytes.</param>
/// <param name="ReferencedBlocks">Blocks whose bytes lie in the user's files only (count).</param>
/// <param name="ReferencedBytes">Their bytes.</param>
public readonly record struct PurposeUsage(PinPurpose Purpose, int Pins, long OwnedBlocks, long OwnedBytes, long ReferencedBlocks, long ReferencedBytes);
