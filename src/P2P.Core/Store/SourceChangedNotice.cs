namespace P2P.Core.Store;

/// <summary>A shared file is no longer what was imported. Raised once for each file, until it is imported again.</summary>
/// <param name="File">The file.</param>
/// <param name="Path">Where it was.</param>
/// <param name="Change">What happened to it.</param>
/// <param name="Cid">The block whose bytes were wanted.</param>
/// <param name="Offset">Where the block begins in the file (bytes).</param>
internal sealed record SourceChangedNotice(FileId File, string Path, SourceChange Change, Cid Cid, long Offset);
