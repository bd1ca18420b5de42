namespace P2P.Core.Store;

/// <summary>What the index knows of a source file.</summary>
/// <param name="Id">The file.</param>
/// <param name="Root">Its CID from an earlier import of the same, unchanged file; empty when it was never finished.</param>
internal readonly record struct FileRegistration(FileId Id, Cid Root)
{
    /// <summary>Whether its time was old enough when it was looked at: an edit since then would have given it a new one.</summary>
    public bool IsSettled { get; init; }

    /// <summary>Whether the file needs no hashing: the same path, size, time and inode were imported before.</summary>
    public bool IsImported => !Root.IsEmpty;
}
