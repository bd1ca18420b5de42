namespace P2P.Core.Content;

/// <summary>What was imported.</summary>
/// <param name="Root">The content id.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Bytes">The bytes of all files.</param>
/// <param name="Blocks">Blocks of the tree, counted as often as they are linked.</param>
/// <param name="Files">Files in it.</param>
/// <param name="Name">The file's or folder's own name; "files" for several; empty for a stream.</param>
/// <param name="Unreadable">What could not be read and is not part of it, each with the reason.</param>
/// <param name="Skipped">What is no file, folder or link (sockets, pipes, devices) and is not part of it.</param>
internal sealed record ImportResult(
    Cid Root, ContentKind Kind, long Bytes, long Blocks, int Files, string Name, IReadOnlyList<string> Unreadable, IReadOnlyList<string> Skipped)
{
    /// <summary>What was left out because a pattern said so, by its path in the import; a folder stands for all below it. The first 1,000.</summary>
    public IReadOnlyList<string> Excluded { get; init; } = [];

    /// <summary>How many were left out; a folder counts once.</summary>
    public int ExcludedCount { get; init; }

    /// <summary>Bytes that the store knew before this import, from other content or an earlier version of this; 0 without a store.</summary>
    public long BytesAlreadyThere { get; init; }
}
