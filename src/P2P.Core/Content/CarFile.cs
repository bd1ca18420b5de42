using System.Security.Cryptography;
using System.Text;

namespace P2P.Core.Content;

/// <summary>Writes an archive to a path: beside it under a temporary name, flushed, renamed once. The name never stands for half an archive.</summary>
internal static class CarFile
{
    private const int BufferBytes = 256 << 10;

    /// <summary>Writes it.</summary>
    /// <param name="targetPath">The file to become; its folder must exist.</param>
    /// <param name="ifExists">What to do when something stands there. What an archive holds is not compared.</param>
    /// <param name="write">Writes the archive.</param>
    /// <param name="cancellationToken">Ends it; nothing stays behind.</param>
    /// <returns>Where it lies.</returns>
    /// <exception cref="P2PException">Something stands there, another process writes there, or the disk refused.</exception>
    public static async Task<string> WriteAsync(string targetPath, IfExists ifExists, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        string target = Path.GetFullPath(targetPath);
        string? folder = Path.GetDirectoryName(target);
        if (folder is null || !Directory.Exists(folder))
            throw new P2PException(P2PErrorCode.NotFound, $"The folder {folder ?? target} does not exist. Create it first, or choose another place.");
        PlaceKind there = TargetDisk.Look(target).Kind;
        if (there == PlaceKind.Folder || (there != PlaceKind.Nothing && ifExists == IfExists.Fail))
            throw new P2PException(P2PErrorCode.Exists, $"'{target}' exists. Nothing was written; overwrite it, write beside it, or choose another place.");

        string part = Path.Combine(folder, $".p2p-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target)))[..16]}.car.part");
        try
        {
            using var only = TargetLock.Take(target);
            File.Delete(part); // what a run left that was killed; nobody else writes it while the target is ours
            try
            {
                using GatherPlace gather = GatherPlace.Open(part, isFolder: false);
                var file = new FileStream(gather.Folder.OpenFile(gather.PartName, mustBeNew: true, isPrivate: true), FileAccess.Write, BufferBytes);
                long bytes;
                await using (file.ConfigureAwait(false))
                {
                    await write(file).ConfigureAwait(false);
                    await file.FlushAsync(cancellationToken).ConfigureAwait(false);
                    bytes = file.Length;
                }

                var finish = new TargetFinish(new TreeFetchOptions { IfExists = ifExists }, gather);
                await finish.FlushAsync(default, new FolderMetadata(), bytes, cancellationToken).ConfigureAwait(false);
                return finish.Place(target);
            }
            catch
            {
                File.Delete(part);
                throw;
            }
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, target);
        }
    }
}
