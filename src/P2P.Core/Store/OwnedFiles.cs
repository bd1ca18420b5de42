using System.Buffers;

namespace P2P.Core.Store;

/// <summary>
/// The blocks that lie in files of their own. Written under a temporary name and flushed by whoever adds them; named and removed by the index writer
/// only, so that no file appears or goes while its row says otherwise.
/// </summary>
internal sealed class OwnedFiles(IDisk disk, DataFolder folder, string runName)
{
    private const string DamagedPrefix = "damaged-";
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private long _lastTemporary;

    public IDisk Disk => disk;

    /// <summary>Where the block of that key lies. The last byte of a digest chooses one of 256 folders.</summary>
    public string PathOf(ReadOnlySpan<byte> key)
    {
        string name = Convert.ToHexStringLower(key);
        return Path.Combine(folder.BlocksPath, name[^2..], name);
    }

    /// <summary>Writes a block under a temporary name; it is not flushed yet.</summary>
    public string WriteTemporary(ReadOnlySpan<byte> data)
    {
        string path = Path.Combine(folder.TempPath, $"{runName}-{Interlocked.Increment(ref _lastTemporary):x}");
        try
        {
            using IDiskFile file = disk.Create(path);
            file.Write(data, 0);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            TryDelete(path);
            throw StoreFailure.FromDisk($"write a block to {path}", error);
        }
        return path;
    }

    /// <summary>Flushes a block that was written under a temporary name.</summary>
    public void Flush(string temporaryPath)
    {
        try
        {
            using IDiskFile file = disk.OpenWrite(temporaryPath);
            file.Flush();
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"flush the block {temporaryPath}", error);
        }
    }

    /// <summary>Gives a flushed block its name, whose folder has to be flushed before the row is committed.</summary>
    public void Name(string temporaryPath, string path)
    {
        try
        {
            disk.CreateFolder(Path.GetDirectoryName(path)!);
            disk.Rename(temporaryPath, path);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"store the block {path}", error);
        }
    }

    /// <summary>Flushes the names of new blocks.</summary>
    public void FlushNames(IReadOnlyCollection<string> folders)
    {
        if (folders.Count == 0)
            return;
        try
        {
            foreach (string changed in folders)
                disk.FlushFolder(changed);
            disk.FlushFolder(folder.BlocksPath);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"flush the folder {folder.BlocksPath}", error);
        }
    }

    /// <summary>Takes a damaged block out of service: kept in tmp until the next start, for whoever wants to look at it.</summary>
    public void Quarantine(ReadOnlySpan<byte> key)
    {
        string path = PathOf(key);
        try
        {
            disk.Rename(path, Path.Combine(folder.TempPath, DamagedPrefix + Path.GetFileName(path)));
        }
        catch (FileNotFoundException)
        {
            // Missing is how it was damaged.
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            TryDelete(path);
        }
    }

    /// <summary>Removes a file that no row speaks of; one that cannot be removed is swept at a later start.</summary>
    public void TryDelete(string path)
    {
        try
        {
            disk.Delete(path);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            // An orphan: it takes space until a sweep gets it, and is never read.
        }
    }

    /// <summary>How long a file is (bytes); 0 when it is not there.</summary>
    public long SizeOf(string path) => disk.TryGetIdentity(path, out FileIdentity identity) ? identity.Size : 0;

    /// <summary>Lists what an earlier run left in tmp, and damaged blocks that were set aside.</summary>
    public List<string> ListLeftTemporaries() =>
        [.. disk.ListFiles(folder.TempPath).Where(path => !Path.GetFileName(path).StartsWith(runName, StringComparison.Ordinal))];

    /// <summary>Lists block files with their keys; names that are none have an empty key.</summary>
    public IEnumerable<(string Path, byte[] Key)> ListBlocks()
    {
        foreach (string path in disk.ListFiles(folder.BlocksPath))
        {
            string name = Path.GetFileName(path);
            byte[] key = name.Length % 2 == 0 && name.AsSpan().IndexOfAnyExcept(HexDigits) < 0 ? Convert.FromHexString(name) : [];
            yield return (path, key);
        }
    }
}
