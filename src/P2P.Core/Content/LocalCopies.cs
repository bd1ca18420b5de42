using Microsoft.Win32.SafeHandles;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>
/// Finds files on this machine that have the content of one that is fetched, and clones them where the disk can: the copy shares the bytes until one of
/// them changes, and costs neither room nor reading. What was cloned is hashed like anything else that is found in place.
/// </summary>
/// <param name="store">Knows which files hold what.</param>
internal sealed class LocalCopies(BlockStore store)
{
    /// <summary>Smaller files are read block by block like everything that the store has: looking for a clone would cost more.</summary>
    public const int MinBytes = 64 * 1024;

    private const int MaxRefusals = 4; // by then the disk is known not to do it

    private int _refusals;

    /// <summary>Makes a new file a clone of one that is here. False: there is none, or the disk cannot.</summary>
    /// <param name="file">The new file, nothing written yet.</param>
    /// <param name="root">Its content id.</param>
    /// <param name="firstLeaf">Its first block.</param>
    /// <param name="bytes">Its length as far as it is known.</param>
    public bool TryClone(PlacedFile file, in Cid root, in Cid firstLeaf, long bytes)
    {
        if (_refusals >= MaxRefusals || bytes < MinBytes || firstLeaf.IsEmpty)
            return false;
        foreach ((string path, FileIdentity identity) in store.FindWholeFiles(in root, in firstLeaf))
        {
            if (TryOpen(path, in identity) is not { } source)
                continue;
            using (source)
            {
                if (file.TryClone(source))
                    return true;
            }

            _refusals++;
        }

        return false;
    }

    private static SafeFileHandle? TryOpen(string path, in FileIdentity identity)
    {
        if (OperatingSystem.IsWindows() || !FileStatus.TryRead(path, out FileIdentity now) || now != identity)
            return null; // not what was imported: reading it block by block finds what is still right
        try
        {
            SafeFileHandle handle = FileStatus.OpenRead(path);
            if (FileStatus.Read(handle) == identity)
                return handle;
            handle.Dispose();
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            return null; // gone or not to be read by us: the content comes another way
        }

        return null;
    }
}
