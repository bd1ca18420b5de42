using SQLitePCL;

namespace P2P.Core.Store;

/// <summary>Turns what the system and SQLite report into the failures that users see.</summary>
internal static class StoreFailure
{
    /// <summary>Errors of Linux and macOS for a full disk and a used-up quota, which arrive as the HResult.</summary>
    private const int NoSpaceUnix = 28;
    private const int QuotaLinux = 122;
    private const int QuotaMac = 69;
    private const int DiskFullWindows = unchecked((int)0x80070070);
    private const int HandleDiskFullWindows = unchecked((int)0x80070027);

    /// <summary>Whether the exception comes from the file system rather than from a bug.</summary>
    public static bool IsFromDisk(Exception error) => error is IOException or UnauthorizedAccessException;

    /// <summary>Whether the disk, or the user's share of it, is full.</summary>
    public static bool IsNoSpace(Exception error) =>
        error is IOException && error.HResult is NoSpaceUnix or QuotaLinux or QuotaMac or DiskFullWindows or HandleDiskFullWindows;

    /// <summary>A failure of the file system while doing something, e.g. "write a block to /data/tmp".</summary>
    public static P2PException FromDisk(string attempt, Exception error) => error switch
    {
        _ when IsNoSpace(error) => new P2PException(
            P2PErrorCode.NoSpace, $"Could not {attempt}: the disk is full. Free some space and try again.", error),
        UnauthorizedAccessException => new P2PException(
            P2PErrorCode.Permission, $"Could not {attempt}: the system refused access. Check who owns it and its permissions.", error),
        _ => new P2PException(P2PErrorCode.Store, $"Could not {attempt}: {error.Message}", error),
    };

    /// <summary>The index is damaged, or gone although there is something that it spoke of.</summary>
    public static P2PException DamagedIndex(string path, string what, Exception? inner = null) =>
        new(P2PErrorCode.Store, $"The index {path} is damaged ({what}). Your files are not affected. p2p store repair rebuilds it from the blocks and the shared files.", inner)
        {
            DamagedFile = path,
        };

    /// <summary>A failure of SQLite on the index at the path.</summary>
    /// <param name="code">The extended result code.</param>
    /// <param name="message">What SQLite says.</param>
    /// <param name="path">The index.</param>
    /// <param name="inner">The exception it came with, if any.</param>
    public static P2PException FromIndex(int code, string message, string path, Exception? inner = null) => (code & 0xFF) switch
    {
        raw.SQLITE_FULL => new P2PException(P2PErrorCode.NoSpace, $"The index {path} could not grow: the disk is full. Free some space and try again.", inner),
        raw.SQLITE_PERM or raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_AUTH => new P2PException(
            P2PErrorCode.Permission, $"The index {path} could not be opened or written ({message}). Check who owns the data folder and its permissions.", inner),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => DamagedIndex(path, message, inner),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new P2PException(P2PErrorCode.InUse, $"The index {path} is in use by another program.", inner)
        {
            IsTransient = true,
        },
        _ => new P2PException(P2PErrorCode.Store, $"The index {path} failed: {message} (SQLite {code}).", inner),
    };
}
