using System.Globalization;
using System.Text;

namespace P2P.Core.Store;

/// <summary>
/// The folder that holds everything a node keeps: identity, index, blocks. One process at a time owns it; opening alone takes no lock, so that commands
/// that only read the identity run beside an owner.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    /// <summary>The format of the folder as a whole. The index has a version of its own.</summary>
    public const int FormatVersion = 1;

    /// <summary>The longest text in a version or owner file that makes sense (bytes).</summary>
    private const int MaxSmallFileBytes = 1024;

    private readonly IDisk _disk;
    private IDisposable? _lock;

    private DataFolder(string path, IDisk disk) => (Path, _disk) = (path, disk);

    /// <summary>The folder (absolute).</summary>
    public string Path { get; }

    public string IdentityPath => Inside("identity");

    public string IndexPath => Inside("index.db");

    /// <summary>What is pinned, for when the index is lost.</summary>
    public string PinsPath => Inside("pins");

    /// <summary>The list of blocks that are neither held nor served nor fetched; the user makes it.</summary>
    public string DenyPath => Inside("deny");

    public string BlocksPath => Inside("blocks");

    public string TempPath => Inside("tmp");

    /// <summary>Whether this process owns the folder.</summary>
    public bool IsLocked => _lock is not null;

    private string VersionPath => Inside("version");

    private string LockPath => Inside("lock");

    /// <summary>Names the process that holds the lock. A file of its own: what is locked cannot be read by others everywhere.</summary>
    private string OwnerPath => Inside("owner");

    /// <summary>Creates the folder, for its owner only, if it is not there, and checks its version and that it lies on a local disk.</summary>
    /// <exception cref="P2PException">The folder cannot be used; nothing in it was changed.</exception>
    public static DataFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (NetworkFileSystem.Find(full) is { } fileSystem)
        {
            throw new P2PException(
                P2PErrorCode.Store,
                $"The data folder {full} lies on a network file system ({fileSystem}), where its database could be damaged. Choose a folder on a local disk.");
        }
        return Open(full, FileSystemDisk.Instance);
    }

    /// <summary>Opens the folder on a disk of the caller's.</summary>
    internal static DataFolder Open(string full, IDisk disk)
    {
        DataFolder folder = new(full, disk);
        try
        {
            folder.Prepare();
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"use the data folder {full}", error);
        }
        return folder;
    }

    /// <summary>Takes the folder for this process until it is disposed.</summary>
    /// <exception cref="P2PException"><see cref="P2PErrorCode.InUse"/>: another process has it; the message says which.</exception>
    public void Lock()
    {
        if (IsLocked)
            return;
        try
        {
            _lock = _disk.Lock(LockPath);
        }
        catch (Exception error) when (error is UnauthorizedAccessException || StoreFailure.IsNoSpace(error))
        {
            throw StoreFailure.FromDisk($"lock the data folder {Path}", error);
        }
        catch (IOException error)
        {
            throw new P2PException(P2PErrorCode.InUse, $"The data folder {Path} is in use by {DescribeOwner()}. End it, or choose another data folder.", error) { IsTransient = true };
        }
        TellOwner();
    }

    /// <summary>Creates the index's file, empty and for its owner only: SQLite would create it readable by others.</summary>
    public void PrepareIndexFile()
    {
        try
        {
            using IDiskFile index = _disk.TryGetIdentity(IndexPath, out _) ? _disk.OpenWrite(IndexPath) : _disk.Create(IndexPath);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"open the index {IndexPath}", error);
        }
    }

    /// <summary>What is free on its disk (bytes); null when the system does not say.</summary>
    public long? FreeBytes()
    {
        try
        {
            return new DriveInfo(Path).AvailableFreeSpace;
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error) || error is ArgumentException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        if (_lock is null)
            return;
        try
        {
            _disk.Delete(OwnerPath);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            // Only names the holder in messages; the next owner writes it anew.
        }
        _lock.Dispose();
        _lock = null;
    }

    private string Inside(string name) => System.IO.Path.Combine(Path, name);

    private void Prepare()
    {
        if (_disk.TryGetIdentity(Path, out _))
            throw new P2PException(P2PErrorCode.Store, $"The data folder {Path} is a file. Choose another folder.");
        bool isNew = !_disk.TryGetIdentity(VersionPath, out _);
        if (!isNew)
            CheckVersion();
        _disk.CreateFolder(Path);
        _disk.CreateFolder(BlocksPath);
        _disk.CreateFolder(TempPath);
        if (!isNew)
            return;

        // What is kept in the folder from now on must not go with the folder's own name. The version comes last: with it, all that is done.
        FlushNames();
        WriteVersion();
        _disk.FlushFolder(Path);
    }

    /// <summary>Flushes the folder and those it lies in: any of them may be new, made by us or by a process that ended before it came so far.</summary>
    private void FlushNames()
    {
        _disk.FlushFolder(Path);
        for (string? above = System.IO.Path.GetDirectoryName(Path); above is not null; above = System.IO.Path.GetDirectoryName(above))
        {
            try
            {
                _disk.FlushFolder(above);
            }
            catch (UnauthorizedAccessException)
            {
                // Not ours, so not made by us, nor what it lies in.
                return;
            }
        }
    }

    /// <summary>Writes the version under a temporary name first: half a version would be a folder that nobody can open.</summary>
    private void WriteVersion()
    {
        string temporary = System.IO.Path.Combine(TempPath, string.Create(CultureInfo.InvariantCulture, $"version-{Environment.ProcessId:x}"));
        _disk.Delete(temporary);
        using (IDiskFile version = _disk.Create(temporary))
        {
            version.Write(Encoding.ASCII.GetBytes(FormatVersion.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
            version.Flush();
        }
        try
        {
            _disk.Rename(temporary, VersionPath);
        }
        catch (FileNotFoundException) when (_disk.TryGetIdentity(VersionPath, out _))
        {
            // Another process was quicker, owns the folder and has swept it.
        }
    }

    private void CheckVersion()
    {
        string text = ReadSmallFile(VersionPath).Trim('\0').Trim();

        // Empty, or zeros after a power cut: an earlier program died while it created the folder; there is nothing else in it yet.
        if (text.Length == 0)
        {
            _disk.CreateFolder(TempPath);
            WriteVersion();
            return;
        }
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version < 1)
        {
            throw new P2PException(
                P2PErrorCode.Store, $"The data folder {Path} has an unreadable version file. If this is a p2p data folder, write {FormatVersion} into {VersionPath}.");
        }
        if (version > FormatVersion)
        {
            throw new P2PException(
                P2PErrorCode.Store,
                $"The data folder {Path} was written by a newer version of this program (format {version}, this one knows {FormatVersion}). " +
                "Nothing was changed. Use the newer program, or choose another data folder.");
        }
    }

    private string ReadSmallFile(string path)
    {
        using IDiskFile file = _disk.OpenRead(path);
        byte[] bytes = new byte[MaxSmallFileBytes];
        return Encoding.UTF8.GetString(bytes, 0, file.Read(bytes, 0));
    }

    private string DescribeOwner()
    {
        try
        {
            string[] lines = ReadSmallFile(OwnerPath).Split('\n');
            if (lines.Length >= 2 && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out int process))
                return $"process {process} ({lines[1]})";
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            // The owner has just begun or is just ending: it is still somebody else's.
        }
        return "another process";
    }

    private void TellOwner()
    {
        try
        {
            _disk.Delete(OwnerPath);
            using IDiskFile owner = _disk.Create(OwnerPath);
            string name = System.IO.Path.GetFileName(Environment.ProcessPath) ?? "p2p";
            owner.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{name}\n")), 0);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            Dispose();
            throw StoreFailure.FromDisk($"write to the data folder {Path}", error);
        }
    }
}
