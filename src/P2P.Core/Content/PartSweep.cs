using System.IO.Enumeration;

namespace P2P.Core.Content;

/// <summary>
/// Keeps out of the result what an earlier try left in the <c>.part</c> and this one does not want: it was never verified, or is not selected now, or
/// stands at the target already. Used when a <c>.part</c> is gone on with.
/// </summary>
/// <param name="gatherPath">The <c>.part</c> folder.</param>
/// <param name="asidePath">Where to what is not selected goes, for a later fetch of it; null: it is removed.</param>
/// <param name="system">Whose rules of names hold.</param>
internal sealed class PartSweep(string gatherPath, string? asidePath, TargetSystem system)
{
    private readonly Stack<HashSet<string>> _wanted = new();

    /// <summary>A folder begins, whose entries follow.</summary>
    public void Enter() => _wanted.Push(new HashSet<string>(StringComparer.Ordinal));

    /// <summary>An entry of the current folder belongs into the <c>.part</c>.</summary>
    public void Want(string local)
    {
        if (_wanted.TryPeek(out HashSet<string>? names))
            names.Add(PathRules.CollisionKey(local[(local.LastIndexOf('/') + 1)..], system));
    }

    /// <summary>The current folder ends: what else is in it goes.</summary>
    public void Leave(string local)
    {
        HashSet<string> wanted = _wanted.Pop();
        string folder = Path.Combine(gatherPath, local);
        var entries = new FileSystemEnumerable<(string Name, bool IsFolder)>(
            folder,
            static (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
            new EnumerationOptions { AttributesToSkip = 0, ReturnSpecialDirectories = false });
        foreach ((string name, bool isFolder) in entries.Where(entry => !wanted.Contains(PathRules.CollisionKey(entry.Name, system))).ToArray())
        {
            string place = Path.Combine(folder, name);
            if (asidePath is not null && TrySetAside(place, Path.Combine(local, name), isFolder))
                continue;
            if (isFolder)
                Directory.Delete(place, recursive: true);
            else
                File.Delete(place);
        }
    }

    private bool TrySetAside(string place, string local, bool isFolder)
    {
        string aside = Path.Combine(asidePath!, local);
        if (!Directory.Exists(asidePath))
            TargetDisk.CreatePrivateFolder(asidePath!);
        Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
        return TargetDisk.TryMove(place, aside, isFolder);
    }
}
