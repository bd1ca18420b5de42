namespace P2P.Core.Store;

/// <summary>A shared file is no longer what was imported. Raised once for each file, until it is imported again.</summary>
/// <param name="File">The file.</param>
/// <param name="Path">Where it was.</param>
/// <param name="Change">What happened to it.</param>
/// <param name="Cid">The block whose bytes were wanted.</param>
/// <param name="Offset">Where the block begins in the file (bytes).</param>
internal sealed record SourceChangedNotice(FileId File, string Path, SourceChange Change, Cid Cid, long Offset);

/// <summary>What happened to a shared file.</summary>
internal enum SourceChange
{
    /// <summary>Its bytes are no longer those that were imported.</summary>
    Edited,

    /// <summary>It is not there, or shorter than it was, or no regular file.</summary>
    Missing,

    /// <summary>It is there but could not be read.</summary>
    Unreadable,
}
