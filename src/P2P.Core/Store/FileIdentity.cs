namespace P2P.Core.Store;

/// <summary>What tells that a file is still the file that was imported: size, time of the last change and place on the disk.</summary>
/// <param name="Size">Length (bytes).</param>
/// <param name="ModifiedNs">Time of the last change (nanoseconds since 1970, UTC), as fine as the file system keeps it.</param>
/// <param name="Inode">Number of the file in its file system; 0 where the system has none.</param>
/// <param name="Device">The file system; 0 where the system has none.</param>
internal readonly record struct FileIdentity(long Size, long ModifiedNs, ulong Inode, ulong Device)
{
    /// <summary>Whether both are the same file on the same disk, whatever its content is now.</summary>
    public bool IsSameFile(in FileIdentity other) => Inode == other.Inode && Device == other.Device;
}
