using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Store;

/// <summary>The file system of this machine.</summary>
internal sealed class FileSystemDisk : IDisk
{
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnlyFile | UnixFileMode.UserExecute;

    private const long NanosecondsPerMillisecond = 1_000_000;

    private FileSystemDisk()
    {
    }

    /// <summary>The only one: it has no state.</summary>
    public static FileSystemDisk Instance { get; } = new();

    public bool TryGetIdentity(string path, out FileIdentity identity) => FileStatus.TryRead(path, out identity);

    public FileAttributes GetAttributes(string path) => File.GetAttributes(path);

    public IDiskFile OpenRead(string path) => new DiskFile(OperatingSystem.IsWindows()
        ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
        : FileStatus.OpenRead(path));

    public IDiskFile OpenWrite(string path) =>
        new DiskFile(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));

    public IDiskFile Create(string path)
    {
        if (OperatingSystem.IsWindows())
            return new DiskFile(File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete));
        using FileStream stream = new(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = OwnerOnlyFile,
            BufferSize = 0,
        });
        return OpenWrite(path);
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Its folder is gone too, so it is not there: what was asked for.
        }
    }

    public void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnerOnlyFolder);
    }

    public bool FolderExists(string path) => Directory.Exists(path);

    public void FlushFolder(string path)
    {
        if (!OperatingSystem.IsWindows())
            FileStatus.FlushFolder(path);
    }

    public IEnumerable<string> ListFiles(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : [];

    public long StartedNs(long nowNs) => nowNs - (Environment.TickCount64 * NanosecondsPerMillisecond);

    public IDisposable Lock(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnlyFile;
        return new FileStream(path, options);
    }

    private sealed class DiskFile(SafeFileHandle handle) : IDiskFile
    {
        public FileIdentity GetIdentity() => FileStatus.Read(handle);

        public int Read(Span<byte> destination, long offset)
        {
            int total = 0;
            while (total < destination.Length)
            {
                int read = RandomAccess.Read(handle, destination[total..], offset + total);
                if (read == 0)
                    break;
                total += read;
            }
            return total;
        }

        public void Write(ReadOnlySpan<byte> data, long offset) => RandomAccess.Write(handle, data, offset);

        public void Flush() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}
