using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Store;

/// <summary>
/// Asks the system what a file is. The base library tells neither the inode nor the file index, which are what shows that a file was replaced, so this
/// calls the runtime's own portable layer on Unix (one layout for all systems) and the file information of Windows.
/// </summary>
internal static partial class FileStatus
{
    private const string Native = "libSystem.Native";
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int OpenReadOnlyCloseOnExec = 0x0010;
    private const int OpenNoFollow = 0x0200;

    /// <summary>Errors whose numbers all Unix systems share: EPERM, ENOENT, EACCES, ENOTDIR.</summary>
    private const int NotPermitted = 1;
    private const int NoSuchFile = 2;
    private const int AccessDenied = 13;
    private const int NoFolder = 20;

    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Nanoseconds per tick of <see cref="DateTime"/> and of a Windows file time.</summary>
    private const long NanosecondsPerTick = 100;

    /// <summary>Windows file times count from 1601; this is 1970 in their ticks.</summary>
    private const long WindowsTicksOf1970 = 116_444_736_000_000_000;

    /// <summary>Reads the identity of a regular file; links are followed.</summary>
    public static bool TryRead(string path, out FileIdentity identity)
    {
        identity = default;
        if (OperatingSystem.IsWindows())
            return TryReadWindows(path, out identity);
        if (Stat(path, out UnixStatus status) != 0 || (status.Mode & FileTypeMask) != RegularFile)
            return false;
        identity = ToIdentity(status);
        return true;
    }

    /// <summary>Reads the identity of an open file, which must be a regular one: its name may have been given to something else since it was looked at.</summary>
    public static FileIdentity Read(SafeFileHandle handle)
    {
        if (OperatingSystem.IsWindows())
            return ReadWindows(handle);
        if (FStat(handle, out UnixStatus status) != 0)
            throw new IOException("The status of an open file could not be read.", new Win32Exception(Marshal.GetLastPInvokeError()));
        if ((status.Mode & FileTypeMask) != RegularFile)
            throw new IOException("What was opened is no regular file.");
        return ToIdentity(status);
    }

    /// <summary>Flushes the names in a folder (not on Windows, which journals them).</summary>
    [UnsupportedOSPlatform("windows")]
    public static void FlushFolder(string path)
    {
        using SafeFileHandle handle = OpenRead(path);
        if (FSync(handle) != 0)
            throw new IOException($"The folder {path} could not be flushed.", new Win32Exception(Marshal.GetLastPInvokeError()));
    }

    /// <summary>
    /// Opens a file for reading without the advisory lock that the base library takes on Unix: a file that is shared stays its user's, and other .NET
    /// programs must be able to open it as they like.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="followLinks">Whether a symbolic link of that name leads to what it points to; otherwise it is refused.</param>
    [UnsupportedOSPlatform("windows")]
    public static SafeFileHandle OpenRead(string path, bool followLinks = true)
    {
        nint descriptor = Open(path, OpenReadOnlyCloseOnExec | (followLinks ? 0 : OpenNoFollow), 0);
        if (descriptor >= 0)
            return new SafeFileHandle(descriptor, ownsHandle: true);
        int error = Marshal.GetLastPInvokeError();
        Win32Exception inner = new(error);
        throw error switch
        {
            NoSuchFile or NoFolder => new FileNotFoundException($"{path}: {inner.Message}", path, inner),
            AccessDenied or NotPermitted => new UnauthorizedAccessException($"{path}: {inner.Message}", inner),
            _ => new IOException($"{path}: {inner.Message}", error),
        };
    }

    private static FileIdentity ToIdentity(in UnixStatus status) =>
        new(status.Size, (status.ModifiedSeconds * NanosecondsPerSecond) + status.ModifiedNanoseconds, (ulong)status.Inode, (ulong)status.Device);

    [SupportedOSPlatform("windows")]
    private static bool TryReadWindows(string path, out FileIdentity identity)
    {
        identity = default;
        if (!File.Exists(path))
            return false;
        try
        {
            using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            identity = ReadWindows(handle);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [SupportedOSPlatform("windows")]
    private static FileIdentity ReadWindows(SafeFileHandle handle)
    {
        if (GetFileInformationByHandle(handle, out WindowsStatus status) == 0)
            throw new IOException("The status of an open file could not be read.", new Win32Exception(Marshal.GetLastPInvokeError()));
        long ticks = ((long)status.LastWriteHigh << 32) | status.LastWriteLow;
        return new FileIdentity(
            ((long)status.SizeHigh << 32) | status.SizeLow,
            (ticks - WindowsTicksOf1970) * NanosecondsPerTick,
            ((ulong)status.IndexHigh << 32) | status.IndexLow,
            status.Volume);
    }

    [LibraryImport(Native, EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Stat(string path, out UnixStatus status);

    [LibraryImport(Native, EntryPoint = "SystemNative_FStat", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FStat(SafeFileHandle handle, out UnixStatus status);

    [LibraryImport(Native, EntryPoint = "SystemNative_Open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Open(string path, int flags, int mode);

    [LibraryImport(Native, EntryPoint = "SystemNative_FSync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FSync(SafeFileHandle handle);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [SupportedOSPlatform("windows")]
    private static partial int GetFileInformationByHandle(SafeFileHandle handle, out WindowsStatus status);

    /// <summary>The portable status of the runtime's native layer; a test compares it with what the base library says.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct UnixStatus
    {
        public int Flags;
        public int Mode;
        public uint User;
        public uint Group;
        public long Size;
        public long AccessedSeconds;
        public long AccessedNanoseconds;
        public long ModifiedSeconds;
        public long ModifiedNanoseconds;
        public long ChangedSeconds;
        public long ChangedNanoseconds;
        public long BornSeconds;
        public long BornNanoseconds;
        public long Device;
        public long SpecialDevice;
        public long Inode;
        public uint UserFlags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowsStatus
    {
        public uint Attributes;
        public uint CreatedLow;
        public uint CreatedHigh;
        public uint AccessedLow;
        public uint AccessedHigh;
        public uint LastWriteLow;
        public uint LastWriteHigh;
        public uint Volume;
        public uint SizeHigh;
        public uint SizeLow;
        public uint Links;
        public uint IndexHigh;
        public uint IndexLow;
    }
}
