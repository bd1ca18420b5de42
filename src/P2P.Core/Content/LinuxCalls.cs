using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>The few Linux calls that .NET does not offer and that fetching into place needs: open without following links, rename without
/// replacing, start write-back, flush a file system, exclusive locks, and who owns a file.</summary>
internal static partial class LinuxCalls
{
    /// <summary>The file is not there.</summary>
    public const int NoEntry = 2;

    /// <summary>There is a file of that name.</summary>
    public const int AlreadyExists = 17;

    /// <summary>The disk does not know what was asked for.</summary>
    public const int InvalidArgument = 22;

    private const string LibC = "libc";
    private const int AtCurrentDirectory = -100;
    private const int AtSymlinkNoFollow = 0x100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasicStats = 0x7ff;
    private const uint RenameNoReplace = 1;
    private const uint WriteRange = 2; // SYNC_FILE_RANGE_WRITE: begin writing what is dirty, wait for nothing
    private const int LockExclusiveNonBlocking = 2 | 4;
    private const int ReadWrite = 2, Create = 0x40, Exclusive = 0x80, CloseOnExec = 0x80000;

    // the values differ between the ARM family and the others
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64;
    private static readonly int FolderOnly = IsArm ? 0x4000 : 0x10000;
    private static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    /// <summary>Opens a file for reading and writing, never through a link in its last segment. Returns the error number, 0 for none.</summary>
    public static int OpenFile(string path, bool mustBeNew, int mode, out SafeFileHandle handle)
    {
        handle = Open(path, ReadWrite | Create | CloseOnExec | NoFollow | (mustBeNew ? Exclusive : 0), mode);
        return handle.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Opens a folder, to flush it.</summary>
    public static int OpenFolder(string path, out SafeFileHandle handle)
    {
        handle = Open(path, CloseOnExec | NoFollow | FolderOnly, 0);
        return handle.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>What a path names, links not followed. Returns the error number.</summary>
    public static int Look(string path, out FileFacts facts) => Finish(StatX(AtCurrentDirectory, path, AtSymlinkNoFollow, StatxBasicStats, out facts));

    /// <summary>What a handle names.</summary>
    public static int Look(SafeFileHandle handle, out FileFacts facts) => Finish(StatX(handle, "", AtEmptyPath, StatxBasicStats, out facts));

    /// <summary>Renames unless the new name exists.</summary>
    public static int Rename(string from, string to) => Finish(RenameAt2(AtCurrentDirectory, from, AtCurrentDirectory, to, RenameNoReplace));

    /// <summary>Begins writing a file's dirty pages to disk, so that the flush at the end is short.</summary>
    public static int StartWriteBack(SafeFileHandle handle) => Finish(SyncFileRange(handle, 0, 0, WriteRange));

    /// <summary>Flushes the file system that holds the folder: faster for thousands of files than flushing each.</summary>
    public static int FlushFileSystem(SafeFileHandle folder) => Finish(SyncFs(folder));

    /// <summary>Flushes one file or folder.</summary>
    public static int Flush(SafeFileHandle handle) => Finish(FSync(handle));

    /// <summary>Takes a lock that ends with the process. Returns the error number when another holds it.</summary>
    public static int Lock(SafeFileHandle handle) => Finish(FLock(handle, LockExclusiveNonBlocking));

    /// <summary>The user that files are created as.</summary>
    [LibraryImport(LibC, EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    private static int Finish(int result) => result == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport(LibC, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport(LibC, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out FileFacts facts);

    [LibraryImport(LibC, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle folder, string path, int flags, uint mask, out FileFacts facts);

    [LibraryImport(LibC, EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport(LibC, EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int SyncFileRange(SafeFileHandle handle, long offset, long count, uint flags);

    [LibraryImport(LibC, EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle handle);

    [LibraryImport(LibC, EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle handle);

    [LibraryImport(LibC, EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle handle, int operation);

    /// <summary>The kernel's <c>struct statx</c>, the same on every architecture (256 bytes).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal readonly struct FileFacts
    {
        private const int TypeMask = 0xF000, FolderType = 0x4000, RegularType = 0x8000, LinkType = 0xA000;
        private const int OwnerReadWrite = 0x180, OwnerExecute = 0x40;

        [FieldOffset(16)]
        public readonly uint Links;

        [FieldOffset(20)]
        public readonly uint Owner;

        [FieldOffset(28)]
        private readonly ushort _mode;

        [FieldOffset(32)]
        public readonly ulong Inode;

        [FieldOffset(136)]
        private readonly ulong _device; // major and minor number

        [FieldOffset(40)]
        public readonly long Size;

        [FieldOffset(48)]
        private readonly long _blocks; // of 512 bytes

        public bool IsFolder => (_mode & TypeMask) == FolderType;

        public bool IsRegular => (_mode & TypeMask) == RegularType;

        /// <summary>Its owner may read and write it, and enter it if it is a folder.</summary>
        public bool IsOpenToOwner => (_mode & OwnerReadWrite) == OwnerReadWrite && (!IsFolder || (_mode & OwnerExecute) != 0);

        public bool IsLink => (_mode & TypeMask) == LinkType;

        public ulong Device => _device;

        public long AllocatedBytes => _blocks * 512;
    }
}
