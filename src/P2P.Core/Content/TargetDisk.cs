using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>What stands at a path, links not followed.</summary>
internal enum PlaceKind
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A symbolic link.</summary>
    Link,

    /// <summary>A pipe, socket or device.</summary>
    Other,
}

/// <summary>What stands at a path.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Bytes">A file's length.</param>
/// <param name="AllocatedBytes">Bytes that it takes on the disk.</param>
/// <param name="IsOurs">It belongs to this user, and if it is a file, this is its only name.</param>
/// <param name="Inode">Its number on its disk; 0 where the system does not say.</param>
/// <param name="Device">Its disk; 0 where the system does not say.</param>
/// <param name="IsOpen">Its owner may write it, and enter it if it is a folder.</param>
internal readonly record struct Place(PlaceKind Kind, long Bytes, long AllocatedBytes, bool IsOurs, ulong Inode = 0, ulong Device = 0, bool IsOpen = true)
{
    /// <summary>Whether both are the same file or folder.</summary>
    public bool IsSame(in Place other) => Kind == other.Kind && Inode == other.Inode && Device == other.Device;
}

/// <summary>File operations of a fetch: nothing is opened through a link, nothing is replaced unless asked, and what is done is flushed.</summary>
internal static class TargetDisk
{
    private const int OrdinaryMode = 0x1B6; // 0666, less the process's mask
    private const int PrivateMode = 0x180; // 0600
    private const UnixFileMode AllMayAll = (UnixFileMode)0x1FF;

    private static readonly UnixFileMode CreationMask = ReadCreationMask();

    /// <summary>Looks at a path.</summary>
    public static Place Look(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            return LinuxCalls.Look(path, out LinuxCalls.FileFacts facts) == 0 ? ToPlace(in facts) : default;
        }

        var info = new FileInfo(path);
        if (info.LinkTarget is not null)
            return new Place(PlaceKind.Link, 0, 0, false);
        if (info.Exists)
            return new Place(PlaceKind.File, info.Length, info.Length, true);
        return Directory.Exists(path) ? new Place(PlaceKind.Folder, 0, 0, true) : default;
    }

    /// <summary>What the system says of a file as what stands there.</summary>
    public static Place ToPlace(in LinuxCalls.FileFacts facts)
    {
        PlaceKind kind = facts.IsFolder ? PlaceKind.Folder : facts.IsRegular ? PlaceKind.File : facts.IsLink ? PlaceKind.Link : PlaceKind.Other;
        bool isOurs = facts.Owner == LinuxCalls.EffectiveUser() && (kind != PlaceKind.File || facts.Links == 1);
        return new Place(kind, facts.Size, facts.AllocatedBytes, isOurs, facts.Inode, facts.Device, facts.IsOpenToOwner);
    }

    /// <summary>The names in a folder and which are folders themselves; a link is none.</summary>
    public static (string Name, bool IsFolder)[] EntriesOf(string folder) => [.. new System.IO.Enumeration.FileSystemEnumerable<(string, bool)>(
        folder,
        static (ref System.IO.Enumeration.FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
        new EnumerationOptions { AttributesToSkip = 0, ReturnSpecialDirectories = false })];

    /// <summary>The permissions that new files or folders have.</summary>
    public static UnixFileMode OrdinaryModeOf(bool isFolder)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return (isFolder ? AllMayAll : AllMayAll & ~Execute) & ~CreationMask;
    }

    /// <summary>Opens a file to read and write it, created if needed, never through a link.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mustBeNew">Refuse one that exists.</param>
    /// <param name="isPrivate">A new one is for this user only.</param>
    /// <exception cref="IOException">The disk refused, or a link stands there.</exception>
    public static SafeFileHandle OpenFile(string path, bool mustBeNew, bool isPrivate = false)
    {
        if (OperatingSystem.IsLinux())
        {
            int error = LinuxCalls.OpenFile(path, mustBeNew, isPrivate ? PrivateMode : OrdinaryMode, out SafeFileHandle opened);
            return error == 0 ? opened : throw DiskFault.FromNumber(error, path);
        }

        if (!mustBeNew && Look(path).Kind is not (PlaceKind.Nothing or PlaceKind.File))
            throw new IOException($"Something that is no file stands at '{path}'.");
        var handle = File.OpenHandle(path, mustBeNew ? FileMode.CreateNew : FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (isPrivate && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return handle;
    }

    /// <summary>Creates a folder that only this user may enter.</summary>
    public static void CreatePrivateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Renames a file or folder. False: the new name exists.</summary>
    public static bool TryMove(string from, string to, bool isFolder)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                int error = LinuxCalls.Rename(from, to);
                if (error is 0 or LinuxCalls.AlreadyExists)
                    return error == 0;
                if (error == LinuxCalls.NoEntry)
                    throw DiskFault.FromNumber(error, to);
            }
            catch (EntryPointNotFoundException)
            {
                // an old C library: the portable way below
            }
        }

        if (Look(to).Kind != PlaceKind.Nothing)
            return false;
        if (isFolder)
            Directory.Move(from, to);
        else
            File.Move(from, to, overwrite: false);
        return true;
    }

    /// <summary>Flushes everything below a folder.</summary>
    public static async Task FlushTreeAsync(string folder, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsLinux() && LinuxCalls.OpenFolder(folder, out SafeFileHandle handle) == 0)
        {
            using (handle)
            {
                if (LinuxCalls.FlushFileSystem(handle) == 0)
                    return;
            }
        }

        const int Flushers = 4;
        var files = new System.IO.Enumeration.FileSystemEnumerable<string>(
            folder,
            static (ref System.IO.Enumeration.FileSystemEntry entry) => entry.ToFullPath(),
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
        {
            ShouldIncludePredicate = static (ref System.IO.Enumeration.FileSystemEntry entry) => !entry.IsDirectory,
        };
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = Flushers, CancellationToken = cancellationToken }, (path, _) =>
        {
            // Unix flushes what is open for reading only, and permissions that came along may allow no more; Windows wants the right to write.
            using SafeFileHandle file = OperatingSystem.IsWindows()
                ? OpenFile(path, mustBeNew: false)
                : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
    }

    /// <summary>Bytes free for this user where the folder lies; null when the system does not say.</summary>
    public static long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null; // then a full disk shows while writing
        }
    }

    private static UnixFileMode ReadCreationMask()
    {
        const UnixFileMode Usual = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        const string Field = "Umask:";
        if (!OperatingSystem.IsLinux() || !File.Exists("/proc/self/status"))
            return Usual;
        string? line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal));
        return line is null ? Usual : (UnixFileMode)ParseOctal(line[Field.Length..].Trim());
    }

    private static int ParseOctal(string text)
    {
        int value = 0;
        foreach (char digit in text)
            value = (value * 8) + int.Parse(digit.ToString(), CultureInfo.InvariantCulture);
        return value & (int)AllMayAll;
    }
}
