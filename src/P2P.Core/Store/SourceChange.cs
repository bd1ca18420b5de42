namespace P2P.Core.Store;

/// <summary>What happened to a shared file.</summary>
internal enum SourceChange
{
    /// <summary>Its bytes are no longer those that were imported.</summary>
    Edited,

    /// <summary>Nothing is there any more.</summary>
    Missing,

    /// <summary>Something else has its name: a folder, a pipe, a device.</summary>
    NotAFile,

    /// <summary>The system does not let this user read it.</summary>
    Denied,

    /// <summary>It is there, and the disk or the file system failed.</summary>
    Unreadable,
}

