namespace P2P.Core.Content;

/// <summary>What the disk refused, as errors for people.</summary>
internal static class DiskFault
{
    private const int NoPermission = 1, AccessDenied = 13, NoSpaceLeft = 28, ReadOnlyDisk = 30, NameTooLong = 36, QuotaExceeded = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int MacNameTooLong = 63, MacQuotaExceeded = 69;

    /// <summary>Whether an exception is one of the disk's, to be translated.</summary>
    public static bool IsDiskError(Exception error) => error is IOException or UnauthorizedAccessException;

    /// <summary>An error number of the system as an exception.</summary>
    public static IOException FromNumber(int number, string path) =>
        new($"{System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(number)} : '{path}'", number);

    /// <summary>The error for a person: what was tried, why it failed, what to do.</summary>
    public static P2PException Translate(Exception error, string path) => error switch
    {
        { HResult: NoSpaceLeft or QuotaExceeded or WindowsDiskFull or WindowsHandleDiskFull } =>
            new P2PException(P2PErrorCode.NoSpace, $"The disk is full while writing '{path}'. What is verified is kept; free some space and fetch again.", error),
        { HResult: MacQuotaExceeded } when OperatingSystem.IsMacOS() =>
            new P2PException(P2PErrorCode.NoSpace, $"The disk quota is used up while writing '{path}'. What is verified is kept; free some space and fetch again.", error),
        UnauthorizedAccessException or { HResult: NoPermission or AccessDenied or ReadOnlyDisk } =>
            new P2PException(P2PErrorCode.Permission, $"'{path}' may not be written: {error.Message}. Choose another place or give access.", error),
        PathTooLongException or { HResult: NameTooLong or MacNameTooLong } =>
            new P2PException(P2PErrorCode.Permission, $"'{path}' is longer than this system allows. Fetch to a place with a shorter path.", error),
        _ => new P2PException(P2PErrorCode.Store, $"The disk failed at '{path}': {error.Message}.", error),
    };

    /// <summary>There is less room than the content needs.</summary>
    public static P2PException TooLittleSpace(string folder, long needed, long free) =>
        new(P2PErrorCode.NoSpace, $"The content needs {needed:N0} bytes but '{folder}' has {free:N0} bytes free. Free some space or choose another disk.");
}
