namespace P2P.Core.Content;

/// <summary>
/// Where a fetch gathers: <c>.part</c> beside the target, a private file or a private folder. Both it and the folder that it lies in are held open from
/// before the first byte to the last rename. Disposed by the fetch.
/// </summary>
internal sealed class GatherPlace : IDisposable
{
    private readonly string _partName;
    private readonly HeldFolder? _part;

    private GatherPlace(HeldFolder outer, string partName, HeldFolder? part, bool isResumed)
    {
        Outer = outer;
        _partName = partName;
        _part = part;
        IsResumed = isResumed;
    }

    /// <summary>The folder that the target and the <c>.part</c> lie in.</summary>
    public HeldFolder Outer { get; }

    /// <summary>The folder that files are gathered below: the <c>.part</c>, or of a single file the one that it lies in.</summary>
    public HeldFolder Folder => _part ?? Outer;

    /// <summary>Of a single file its name while it is gathered; null: it is a folder.</summary>
    public string? FileName => _part is null ? _partName : null;

    /// <summary>The name of the <c>.part</c>.</summary>
    public string PartName => _partName;

    /// <summary>Where a fetch of a part puts what an interrupted fetch of more had gathered; it becomes the <c>.part</c> again afterwards.</summary>
    public string AsideName => _partName + ".rest";

    /// <summary>The <c>.part</c> was there already: what is in it is checked first.</summary>
    public bool IsResumed { get; }

    /// <summary>Holds the <c>.part</c>, made if needed. An existing one is gone on with only if it is ours: a link or a second name would lead the bytes elsewhere.</summary>
    /// <exception cref="P2PException">Permission: something else is in the way.</exception>
    public static GatherPlace Open(string partPath, bool isFolder)
    {
        HeldFolder outer = HeldFolder.Open(Path.GetDirectoryName(partPath)!);
        HeldFolder? part = null;
        try
        {
            string name = Path.GetFileName(partPath);
            TargetFinish.SettleAside(outer, name + ".rest", name, isWanted: true); // a fetch of a part of it ended just before it could do so itself
            Place found = outer.Look(name);
            bool isResumed = found.Kind != PlaceKind.Nothing;
            if (isResumed && (found.Kind != (isFolder ? PlaceKind.Folder : PlaceKind.File) || !found.IsOurs))
                throw InTheWay(partPath);
            if (!isFolder)
                return new GatherPlace(outer, name, null, isResumed);
            if (!isResumed)
                outer.TryCreateFolder(name, isPrivate: true);
            else if (!found.IsOpen)
                outer.MakeOpen(name, isFolder: true);
            part = outer.OpenFolder(name);
            return part.LookAtItself() is { Kind: PlaceKind.Folder, IsOurs: true } ? new GatherPlace(outer, name, part, isResumed) : throw InTheWay(partPath);
        }
        catch
        {
            part?.Dispose();
            outer.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _part?.Dispose();
        Outer.Dispose();
    }

    private static P2PException InTheWay(string part) =>
        new(P2PErrorCode.Permission, $"'{part}' is in the way and was not made by a fetch of this user. Remove it and fetch again.");
}
