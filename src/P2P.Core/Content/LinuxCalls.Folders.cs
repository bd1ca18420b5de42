using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <content>Calls relative to an open folder, so that nothing that happens to the folder's path meanwhile leads elsewhere; and what a disk is.</content>
internal static partial class LinuxCalls
{
    /// <summary>The folder is not empty.</summary>
    public const int NotEmpty = 39;

    /// <summary>The longest path (bytes of UTF-8, with the zero at its end).</summary>
    public const int MaxPathBytes = 4096;

    private const int NotPermitted = 1, AccessDenied = 13, NoSuchCall = 38;
    private const int OpenAtBeneath = 437; // openat2(2): one number on every architecture
    private const ulong ResolveNoLinksBeneath = 0x02 | 0x04 | 0x08; // no magic links, no symlinks, nothing above
    private const int NonBlocking = 0x800; // O_NONBLOCK
    private const int PathOnly = 0x200000; // O_PATH
    private const int RemoveFolder = 0x200; // AT_REMOVEDIR
    private const uint CloneRequest = 0x40049409; // FICLONE
    private const long OmitTime = 0x3FFFFFFE; // UTIME_OMIT

    private static volatile bool s_lacksOpenBeneath;

    /// <summary>Opens a folder by its path, links followed: the place that the user named.</summary>
    public static int OpenNamedFolder(string path, out SafeFileHandle handle)
    {
        handle = Open(path, CloseOnExec | FolderOnly, 0);
        if (handle.IsInvalid && Marshal.GetLastPInvokeError() == AccessDenied)
        {
            handle.Dispose();
            handle = Open(path, PathOnly | CloseOnExec | FolderOnly, 0); // one may write into it but not list it
        }

        return handle.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Opens a file below a folder for reading and writing, through no link anywhere between them. Returns the error number.</summary>
    public static int OpenFile(SafeFileHandle folder, string local, bool mustBeNew, int mode, out SafeFileHandle handle) =>
        OpenBelow(folder, local, ReadWrite | Create | CloseOnExec | NoFollow | (mustBeNew ? Exclusive : 0), mode, out handle);

    /// <summary>Opens a file below a folder for reading, through no link; never waits for a pipe's other end.</summary>
    public static int OpenFileToRead(SafeFileHandle folder, string local, out SafeFileHandle handle) => OpenBelow(folder, local, CloseOnExec | NoFollow | NonBlocking, 0, out handle);

    /// <summary>Holds on to whatever stands below a folder without opening it.</summary>
    public static int OpenPathOnly(SafeFileHandle folder, string local, out SafeFileHandle handle) => OpenBelow(folder, local, PathOnly | CloseOnExec | NoFollow, 0, out handle);

    /// <summary>Opens a folder below a folder, through no link; the empty path is the folder itself.</summary>
    public static int OpenFolder(SafeFileHandle folder, string local, out SafeFileHandle handle) =>
        OpenBelow(folder, local.Length == 0 ? "." : local, CloseOnExec | NoFollow | FolderOnly, 0, out handle);

    /// <summary>What a name in a folder is, a link not followed.</summary>
    public static int Look(SafeFileHandle folder, string name, out FileFacts facts) => Finish(StatX(folder, name, AtSymlinkNoFollow, StatxBasicStats, out facts));

    /// <summary>Creates a folder in a folder.</summary>
    public static int CreateFolder(SafeFileHandle folder, string name, int mode) => Finish(MakeDirectoryAt(folder, name, mode));

    /// <summary>Creates a symbolic link in a folder.</summary>
    public static int CreateLink(SafeFileHandle folder, string name, string target) => Finish(SymbolicLinkAt(target, folder, name));

    /// <summary>Removes a file, link or empty folder from a folder.</summary>
    public static int Remove(SafeFileHandle folder, string name, bool isFolder) => Finish(UnlinkAt(folder, name, isFolder ? RemoveFolder : 0));

    /// <summary>Renames from folder to folder, unless the new name exists or in its place.</summary>
    public static int Rename(SafeFileHandle fromFolder, string from, SafeFileHandle toFolder, string to, bool mayReplace) => mayReplace
        ? Finish(RenameAt(fromFolder, from, toFolder, to))
        : RenameNew(fromFolder, from, toFolder, to);

    /// <summary>Makes a file share the bytes of another, copied when one of them changes. Returns the error number where the disk has no such thing.</summary>
    public static int Clone(SafeFileHandle from, SafeFileHandle to)
    {
        bool isHeld = false;
        try
        {
            from.DangerousAddRef(ref isHeld);
            return Finish(Control(to, CloneRequest, from.DangerousGetHandle()));
        }
        finally
        {
            if (isHeld)
                from.DangerousRelease();
        }
    }

    /// <summary>Sets when a file or folder was changed.</summary>
    public static int SetModified(SafeFileHandle handle, long seconds, long nanoseconds)
    {
        Span<long> times = [0, OmitTime, seconds, nanoseconds]; // accessed: stays
        return Finish(SetTimes(handle, times));
    }

    /// <summary>The number of the file system that a path is on (<c>statfs</c>); null when the system does not say.</summary>
    public static long? FileSystemType(string path) => StatFs(path, out FileSystemFacts facts) == 0 ? facts.Type : null;

    private static int RenameNew(SafeFileHandle fromFolder, string from, SafeFileHandle toFolder, string to)
    {
        try
        {
            return Finish(RenameAt2(fromFolder, from, toFolder, to, RenameNoReplace));
        }
        catch (EntryPointNotFoundException)
        {
            return InvalidArgument; // a C library without the call: as a disk that does not know it
        }
    }

    private static int OpenBelow(SafeFileHandle folder, string local, int flags, int mode, out SafeFileHandle handle)
    {
        if (!s_lacksOpenBeneath)
        {
            var how = new OpenHow { Flags = (ulong)(uint)flags, Mode = (flags & Create) != 0 ? (ulong)mode : 0, Resolve = ResolveNoLinksBeneath };
            nint opened = OpenAt2(OpenAtBeneath, folder, local, ref how, Marshal.SizeOf<OpenHow>());
            int error = opened < 0 ? Marshal.GetLastPInvokeError() : 0;
            handle = new SafeFileHandle(opened, ownsHandle: true);
            if (error is not (NoSuchCall or NotPermitted))
                return error;
            handle.Dispose();
            s_lacksOpenBeneath = error == NoSuchCall; // an old kernel; a sandbox that forbids the call says "not permitted", as a file may
        }

        return OpenStepByStep(folder, local, flags, mode, out handle);
    }

    /// <summary>The same without the kernel's help: each folder on the way is opened from the one before and may not be a link.</summary>
    internal static int OpenStepByStep(SafeFileHandle folder, string local, int flags, int mode, out SafeFileHandle handle)
    {
        SafeFileHandle here = folder;
        try
        {
            string[] segments = local.Split('/');
            foreach (string segment in segments.AsSpan(0, segments.Length - 1))
            {
                SafeFileHandle next = OpenAt(here, segment, PathOnly | CloseOnExec | NoFollow | FolderOnly, 0);
                if (next.IsInvalid)
                {
                    handle = next;
                    return Marshal.GetLastPInvokeError();
                }

                if (here != folder)
                    here.Dispose();
                here = next;
            }

            handle = OpenAt(here, segments[^1], flags, mode);
            return handle.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
        }
        finally
        {
            if (here != folder)
                here.Dispose();
        }
    }

    /// <summary>The flags of <see cref="OpenFile(SafeFileHandle, string, bool, int, out SafeFileHandle)"/>, for the test of the way without the kernel's help.</summary>
    internal static int FileFlags => ReadWrite | Create | CloseOnExec | NoFollow;

    [LibraryImport(LibC, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenAt2(nint number, SafeFileHandle folder, string local, ref OpenHow how, nint size);

    [LibraryImport(LibC, EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenAt(SafeFileHandle folder, string name, int flags, int mode);

    [LibraryImport(LibC, EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectoryAt(SafeFileHandle folder, string name, int mode);

    [LibraryImport(LibC, EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SymbolicLinkAt(string target, SafeFileHandle folder, string name);

    [LibraryImport(LibC, EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkAt(SafeFileHandle folder, string name, int flags);

    [LibraryImport(LibC, EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(SafeFileHandle fromFolder, string from, SafeFileHandle toFolder, string to);

    [LibraryImport(LibC, EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(SafeFileHandle fromFolder, string from, SafeFileHandle toFolder, string to, uint flags);

    [LibraryImport(LibC, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle handle, nuint request, nint argument);

    [LibraryImport(LibC, EntryPoint = "futimens", SetLastError = true)]
    private static partial int SetTimes(SafeFileHandle handle, Span<long> times);

    [LibraryImport(LibC, EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFs(string path, out FileSystemFacts facts);

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct FileSystemFacts
    {
        [FieldOffset(0)]
        private readonly nint _type; // the rest differs between architectures and is not read

        public long Type => _type;
    }
}
