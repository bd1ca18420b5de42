namespace P2P.Core.Content;

/// <summary>How far a fetch to disk is.</summary>
/// <param name="VerifiedBytes">Bytes of files verified and written, those of an earlier try included.</param>
/// <param name="ReusedBytes">Of them, bytes that were here already.</param>
/// <param name="TotalBytes">Bytes of all files; of a folder the writer's claim until all of it is listed; null until the root is known.</param>
/// <param name="Files">Files complete.</param>
internal readonly record struct TreeFetchProgress(long VerifiedBytes, long ReusedBytes, long? TotalBytes, int Files);

/// <summary>What a fetch to disk brought.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Root">Its content id: of the entry that was asked for.</param>
/// <param name="Bytes">The bytes of all files.</param>
/// <param name="BytesReused">Of them, bytes that were here already.</param>
/// <param name="Blocks">Blocks of the tree, counted as often as they are linked.</param>
/// <param name="Files">Files in it.</param>
/// <param name="Renamed">Names that this system cannot hold and what they became; an empty new name: left out (a link that points out of the tree).</param>
/// <param name="AlreadyThere">Nothing had to be written.</param>
internal sealed record TreeFetchResult(
    string Path, Cid Root, long Bytes, long BytesReused, long Blocks, int Files, IReadOnlyList<RenamedEntry> Renamed, bool AlreadyThere)
{
    /// <summary>How many names did not stay; <see cref="Renamed"/> lists the first 10,000 of them.</summary>
    public long RenamedCount { get; init; }
}
