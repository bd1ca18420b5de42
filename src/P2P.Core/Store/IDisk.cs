namespace P2P.Core.Store;

/// <summary>
/// Every file operation of the store and its folder besides the index goes through here, so that tests can put a disk underneath that tears, loses and refuses.
/// Failures are <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>, as from the system.
/// </summary>
internal interface IDisk
{
    /// <summary>Reads the identity of a regular file without opening it; links are followed. False: not there, or no regular file.</summary>
    bool TryGetIdentity(string path, out FileIdentity identity);

    /// <summary>Says what is there, whatever it is; a symbolic link is not followed. Fails as the system does when nothing is there or it may not be asked.</summary>
    FileAttributes GetAttributes(string path);

    /// <summary>Opens a file for reading. Others may write, rename and delete it meanwhile.</summary>
    IDiskFile OpenRead(string path);

    /// <summary>Opens an existing file for writing.</summary>
    IDiskFile OpenWrite(string path);

    /// <summary>Creates a file that only its owner may read. Fails when it exists.</summary>
    IDiskFile Create(string path);

    /// <summary>Renames a file, in place of what is there.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file; nothing happens when it is not there.</summary>
    void Delete(string path);

    /// <summary>Creates a folder that only its owner may enter; nothing happens when it is there.</summary>
    void CreateFolder(string path);

    /// <summary>Whether there is a folder of that name.</summary>
    bool FolderExists(string path);

    /// <summary>Makes renames and new names in a folder survive a power cut, where the system needs that.</summary>
    void FlushFolder(string path);

    /// <summary>Lists the files of a folder and of those below it; empty when it is not there.</summary>
    IEnumerable<string> ListFiles(string folder);

    /// <summary>About when the system was started, by the clock whose time is given (nanoseconds since 1970): what was written before may have been lost.</summary>
    long StartedNs(long nowNs);

    /// <summary>Takes a file, created if need be, for this process until what is returned is disposed. <see cref="IOException"/>: another one has it.</summary>
    IDisposable Lock(string path);
}

/// <summary>One open file.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>What the file is now, wherever its name points meanwhile.</summary>
    FileIdentity GetIdentity();

    /// <summary>Reads as many bytes as fit; fewer only at the end of the file.</summary>
    int Read(Span<byte> destination, long offset);

    /// <summary>Writes all bytes.</summary>
    void Write(ReadOnlySpan<byte> data, long offset);

    /// <summary>Returns when everything written is on the disk.</summary>
    void Flush();
}
