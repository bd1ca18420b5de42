using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>
/// A folder that content is written below. On Linux it is held open and everything is reached from the handle, each folder on the way checked by the
/// system not to be a link: whoever swaps a folder for a link while we write, or renames the whole, does not lead a byte elsewhere. Other systems have
/// no such call in common; there each folder on the way is looked at before it is used.
/// </summary>
internal sealed class HeldFolder : IDisposable
{
    private const int OrdinaryFolderMode = 0x1FF; // 0777, less the process's mask
    private const int PrivateFolderMode = 0x1C0; // 0700
    private const int OrdinaryMode = 0x1B6; // 0666, less the mask
    private const int PrivateMode = 0x180; // 0600

    private readonly SafeFileHandle? _handle; // Linux only

    private HeldFolder(string path, SafeFileHandle? handle) => (Path, _handle) = (path, handle);

    /// <summary>Where it was when it was opened: for messages, the index, and systems without handles of folders.</summary>
    public string Path { get; }

    /// <summary>Holds the folder that the user named; its path may lead through links.</summary>
    public static HeldFolder Open(string path)
    {
        if (!OperatingSystem.IsLinux())
            return new HeldFolder(path, null);
        int error = LinuxCalls.OpenNamedFolder(path, out SafeFileHandle handle);
        return error == 0 ? new HeldFolder(path, handle) : throw DiskFault.FromNumber(error, path);
    }

    /// <summary>Holds a folder below this one; the empty path is this one again.</summary>
    public HeldFolder OpenFolder(string local)
    {
        string path = PathOf(local);
        if (_handle is null)
        {
            RefuseLinks(local, isItselfIncluded: true);
            return new HeldFolder(path, null);
        }

        int error = LinuxCalls.OpenFolder(_handle, local, out SafeFileHandle handle);
        return error == 0 ? new HeldFolder(path, handle) : throw DiskFault.FromNumber(error, path);
    }

    /// <summary>The path of something below it.</summary>
    public string PathOf(string local) => local.Length == 0 ? Path : System.IO.Path.Combine(Path, local);

    /// <summary>Looks at something below it, links not followed.</summary>
    public Place Look(string local)
    {
        if (_handle is null)
            return TargetDisk.Look(PathOf(local));
        using Parent parent = OpenParent(local, out string name, out int error);
        if (error != 0 || LinuxCalls.Look(parent.Handle, name, out LinuxCalls.FileFacts facts) != 0)
            return default;
        return TargetDisk.ToPlace(in facts);
    }

    /// <summary>What the folder itself is.</summary>
    public Place LookAtItself() =>
        _handle is null ? TargetDisk.Look(Path) : LinuxCalls.Look(_handle, out LinuxCalls.FileFacts facts) == 0 ? TargetDisk.ToPlace(in facts) : default;

    /// <summary>Opens a file below it to read and write, created if needed, through no link. One that exists must be regular, ours and have one name.</summary>
    /// <exception cref="IOException">The disk refused, or something else stands there.</exception>
    public SafeFileHandle OpenFile(string local, bool mustBeNew, bool isPrivate = false)
    {
        if (_handle is null)
        {
            RefuseLinks(local, isItselfIncluded: false);
            return TargetDisk.OpenFile(PathOf(local), mustBeNew, isPrivate);
        }

        RefuseTooLong(local);
        int error = LinuxCalls.OpenFile(_handle, local, mustBeNew, isPrivate ? PrivateMode : OrdinaryMode, out SafeFileHandle opened);
        if (error != 0)
            throw DiskFault.FromNumber(error, PathOf(local));
        if (mustBeNew || (LinuxCalls.Look(opened, out LinuxCalls.FileFacts facts) == 0 && TargetDisk.ToPlace(in facts) is { Kind: PlaceKind.File, IsOurs: true }))
            return opened;
        opened.Dispose();
        throw new IOException($"'{PathOf(local)}' is not a file of this user alone.");
    }

    /// <summary>Opens a file below it to read it, through no link. Null: it is not there, no file, or may not be read.</summary>
    public SafeFileHandle? TryOpenToRead(string local)
    {
        if (Look(local).Kind != PlaceKind.File)
            return null;
        if (_handle is null)
            return File.OpenHandle(PathOf(local), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (LinuxCalls.OpenFileToRead(_handle, local, out SafeFileHandle opened) == 0 && LinuxCalls.Look(opened, out LinuxCalls.FileFacts facts) == 0 && facts.IsRegular)
            return opened;
        opened.Dispose();
        return null;
    }

    /// <summary>Gives its owner back the right to write a file or enter a folder below it, which an earlier try had given its final permissions.</summary>
    public void MakeOpen(string local, bool isFolder)
    {
        if (_handle is null || OperatingSystem.IsWindows())
            return;
        int error = LinuxCalls.OpenPathOnly(_handle, local, out SafeFileHandle place);
        using (place)
        {
            if (error != 0)
                throw DiskFault.FromNumber(error, PathOf(local));
            const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            File.SetUnixFileMode($"/proc/self/fd/{place.DangerousGetHandle()}", isFolder ? ReadWrite | UnixFileMode.UserExecute : ReadWrite);
        }
    }

    /// <summary>Creates a folder below it. False: something of that name is there.</summary>
    public bool TryCreateFolder(string local, bool isPrivate = false)
    {
        if (_handle is null)
        {
            RefuseLinks(local, isItselfIncluded: false);
            if (TargetDisk.Look(PathOf(local)).Kind != PlaceKind.Nothing)
                return false;
            if (isPrivate)
                TargetDisk.CreatePrivateFolder(PathOf(local));
            else
                Directory.CreateDirectory(PathOf(local));
            return true;
        }

        RefuseTooLong(local);
        using Parent parent = RequireParent(local, out string name);
        int error = LinuxCalls.CreateFolder(parent.Handle, name, isPrivate ? PrivateFolderMode : OrdinaryFolderMode);
        return error is 0 or LinuxCalls.AlreadyExists ? error == 0 : throw DiskFault.FromNumber(error, PathOf(local));
    }

    /// <summary>Creates a symbolic link below it.</summary>
    public void CreateLink(string local, string target)
    {
        if (_handle is null)
        {
            RefuseLinks(local, isItselfIncluded: false);
            File.CreateSymbolicLink(PathOf(local), target);
            return;
        }

        using Parent parent = RequireParent(local, out string name);
        int error = LinuxCalls.CreateLink(parent.Handle, name, target);
        if (error != 0)
            throw DiskFault.FromNumber(error, PathOf(local));
    }

    /// <summary>Removes whatever is there, a folder with all below it; a link goes, not what it leads to.</summary>
    public void Remove(string local)
    {
        PlaceKind kind = Look(local).Kind;
        if (kind != PlaceKind.Folder)
        {
            if (kind != PlaceKind.Nothing)
                RemoveOne(local, isFolder: false);
            return;
        }

        var folders = new List<string> { local }; // a folder before those in it; none stays open, a tree may be deeper than files can be open
        for (int i = 0; i < folders.Count; i++)
        {
            using HeldFolder folder = OpenFolder(folders[i]);
            foreach ((string name, bool isFolder) in folder.Entries())
            {
                if (isFolder)
                    folders.Add($"{folders[i]}/{name}");
                else
                    folder.RemoveOne(name, isFolder: false);
            }
        }

        for (int i = folders.Count - 1; i >= 0; i--)
            RemoveOne(folders[i], isFolder: true);
    }

    /// <summary>The names in the folder and which are folders themselves; a link is none.</summary>
    public (string Name, bool IsFolder)[] Entries() => TargetDisk.EntriesOf(Path);

    /// <summary>Moves something below this folder to below another. False: the new name exists, and replacing is not asked for.</summary>
    public bool TryMove(string from, HeldFolder toFolder, string to, bool isFolder, bool mayReplace = false)
    {
        if (_handle is not null && toFolder._handle is not null)
        {
            using Parent source = RequireParent(from, out string fromName);
            using Parent destination = toFolder.RequireParent(to, out string toName);
            int error = LinuxCalls.Rename(source.Handle, fromName, destination.Handle, toName, mayReplace);
            if (error is 0 or LinuxCalls.AlreadyExists)
                return error == 0;
            if (error != LinuxCalls.InvalidArgument)
                throw DiskFault.FromNumber(error, toFolder.PathOf(to)); // else a disk that cannot rename without replacing: the portable way
        }

        RefuseLinks(from, isItselfIncluded: false);
        toFolder.RefuseLinks(to, isItselfIncluded: false);
        if (!mayReplace)
            return TargetDisk.TryMove(PathOf(from), toFolder.PathOf(to), isFolder);
        File.Move(PathOf(from), toFolder.PathOf(to), overwrite: true);
        return true;
    }

    /// <summary>Gives the folder permissions, 9 bits.</summary>
    public void SetMode(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
            return;
        if (_handle is not null)
            File.SetUnixFileMode(_handle, mode);
        else
            File.SetUnixFileMode(Path, mode);
    }

    /// <summary>Says when the folder was changed.</summary>
    public void SetModified(in FileTime time)
    {
        if (_handle is not null)
            time.ApplyTo(_handle, Path);
        else
            Directory.SetLastWriteTimeUtc(Path, time.ToDateTime());
    }

    /// <summary>Flushes the names in it, where the system offers that.</summary>
    public void FlushNames()
    {
        if (_handle is not null)
            _ = LinuxCalls.Flush(_handle); // some file systems cannot flush folders; the data is flushed already
    }

    /// <inheritdoc/>
    public void Dispose() => _handle?.Dispose();

    private void RemoveOne(string local, bool isFolder)
    {
        if (_handle is null)
        {
            RefuseLinks(local, isItselfIncluded: false);
            if (isFolder)
                Directory.Delete(PathOf(local));
            else
                File.Delete(PathOf(local));
            return;
        }

        using Parent parent = RequireParent(local, out string name);
        int error = LinuxCalls.Remove(parent.Handle, name, isFolder);
        if (error is not (0 or LinuxCalls.NoEntry))
            throw DiskFault.FromNumber(error, PathOf(local));
    }

    private Parent RequireParent(string local, out string name)
    {
        Parent parent = OpenParent(local, out name, out int error);
        return error == 0 ? parent : throw DiskFault.FromNumber(error, PathOf(local));
    }

    private Parent OpenParent(string local, out string name, out int error)
    {
        int slash = local.LastIndexOf('/');
        name = local[(slash + 1)..];
        error = 0;
        if (slash < 0)
            return new Parent(_handle!, isOwn: false);
        error = LinuxCalls.OpenFolder(_handle!, local[..slash], out SafeFileHandle handle);
        return new Parent(handle, isOwn: true);
    }

    // from the handle more could be made than anybody reaches by its path afterwards
    private void RefuseTooLong(string local)
    {
        string path = PathOf(local);
        if (path.Length >= LinuxCalls.MaxPathBytes / 4 && System.Text.Encoding.UTF8.GetByteCount(path) >= LinuxCalls.MaxPathBytes)
            throw new PathTooLongException($"The path '{path}' is too long.");
    }

    // elsewhere than on Linux: a look before each use, which somebody quick could still get in between
    private void RefuseLinks(string local, bool isItselfIncluded)
    {
        int end = isItselfIncluded ? local.Length : local.LastIndexOf('/');
        for (int slash = 0; slash < end; slash++)
        {
            int next = local.IndexOf('/', slash);
            slash = next < 0 || next > end ? end : next;
            if (TargetDisk.Look(PathOf(local[..slash])).Kind != PlaceKind.Folder)
                throw new IOException($"'{PathOf(local[..slash])}' is no folder.");
        }
    }

    private readonly struct Parent(SafeFileHandle handle, bool isOwn) : IDisposable
    {
        public SafeFileHandle Handle => handle;

        public void Dispose()
        {
            if (isOwn)
                handle.Dispose();
        }
    }
}
