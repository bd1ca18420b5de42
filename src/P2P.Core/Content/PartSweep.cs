namespace P2P.Core.Content;

/// <summary>
/// Keeps out of the result what an earlier try left in the <c>.part</c> and this one does not want: it was never verified, or is not selected now, or
/// stands at the target already. Used when a <c>.part</c> is gone on with.
/// </summary>
/// <param name="gather">The <c>.part</c> folder.</param>
/// <param name="outer">The folder that it lies in.</param>
/// <param name="asideName">Where in that folder to what is not selected goes, for a later fetch of it; null: it is removed.</param>
/// <param name="system">Whose rules of names hold.</param>
internal sealed class PartSweep(HeldFolder gather, HeldFolder outer, string? asideName, TargetSystem system)
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
        (string Name, bool IsFolder)[] others;
        using (HeldFolder folder = gather.OpenFolder(local))
            others = [.. folder.Entries().Where(entry => !wanted.Contains(PathRules.CollisionKey(entry.Name, system)))];
        foreach ((string name, bool isFolder) in others)
        {
            string place = local.Length == 0 ? name : $"{local}/{name}";
            if (asideName is null || !TrySetAside(asideName, place, isFolder))
                gather.Remove(place);
        }
    }

    private bool TrySetAside(string name, string local, bool isFolder)
    {
        if (!outer.TryCreateFolder(name, isPrivate: true) && outer.Look(name) is not { Kind: PlaceKind.Folder, IsOurs: true })
            return false;
        using HeldFolder aside = outer.OpenFolder(name);
        for (int slash = local.IndexOf('/'); slash >= 0; slash = local.IndexOf('/', slash + 1))
            aside.TryCreateFolder(local[..slash]);
        return gather.TryMove(local, aside, local, isFolder);
    }
}
