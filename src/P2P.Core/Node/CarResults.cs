namespace P2P.Core;

/// <summary>An archive that was written.</summary>
/// <param name="Root">Its root.</param>
/// <param name="Blocks">Blocks in it.</param>
/// <param name="Bytes">Its size (bytes).</param>
public sealed record CarExportResult(Cid Root, long Blocks, long Bytes)
{
    /// <summary>Where it lies; null when it was written to a stream.</summary>
    public string? Path { get; init; }
}

/// <summary>An archive that was taken into the store.</summary>
/// <param name="Roots">Its roots, each kept by a pin of its own; the first one's keeps all blocks of the archive, those that no root leads to as well.</param>
/// <param name="Blocks">Blocks in it.</param>
/// <param name="Bytes">Bytes of the blocks.</param>
/// <param name="MissingBlocks">Blocks that the content links to and that neither the archive nor the store had: 0 when the content is whole. At most 1,000,000 are counted.</param>
public sealed record CarImportResult(IReadOnlyList<Cid> Roots, long Blocks, long Bytes, long MissingBlocks);
