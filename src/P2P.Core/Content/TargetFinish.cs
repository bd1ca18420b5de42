using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>The end of a fetch: what was gathered gets its permissions and times, is flushed and gets its name, once, replacing nothing unless asked.</summary>
internal sealed class TargetFinish(TreeFetchOptions options, GatherPlace gather)
{
    private const int MaxNumber = 10_000;

    private readonly bool _isFolder = gather.FileName is null;
    private readonly List<(string From, string To)> _moves = [];
    private readonly string _part = gather.Outer.PathOf(gather.PartName);

    /// <summary>What was moved where by <see cref="MergeAsync"/>.</summary>
    public IReadOnlyList<(string From, string To)> Moves => _moves;

    /// <summary>Gives what was gathered the permissions and times that it is to have, and flushes it.</summary>
    /// <param name="file">Of a single file.</param>
    /// <param name="folders">Of folders.</param>
    /// <param name="fileBytes">How long a single file has to be.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="P2PException">Permission: what was gathered is not there any more.</exception>
    public async Task FlushAsync(FileMetadata file, FolderMetadata folders, long fileBytes, CancellationToken cancellationToken)
    {
        if (_isFolder)
        {
            gather.Folder.SetMode(TargetDisk.OrdinaryModeOf(isFolder: true));
            folders.ApplyTo(gather.Folder, static _ => true);
            await Task.Run(() => TargetDisk.FlushTreeAsync(_part, cancellationToken), cancellationToken).ConfigureAwait(false);
            return;
        }

        // Opening would make a new, empty one of a part that somebody took away.
        Place there = gather.Folder.Look(gather.PartName);
        if (there.Kind != PlaceKind.File || there.Bytes != fileBytes)
            throw new P2PException(P2PErrorCode.Permission, $"'{_part}' was removed or replaced while it was being fetched. Fetch again.");
        using SafeFileHandle handle = gather.Folder.OpenFile(gather.PartName, mustBeNew: false);
        (file with { Mode = file.Mode ?? TargetDisk.OrdinaryModeOf(isFolder: false) }).ApplyTo(handle, _part);
        await Task.Run(() => RandomAccess.FlushToDisk(handle), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Flushes what was gathered and will be moved into a folder that is there.</summary>
    public Task FlushForMergeAsync(CancellationToken cancellationToken) => Task.Run(() => TargetDisk.FlushTreeAsync(_part, cancellationToken), cancellationToken);

    /// <summary>Renames it to the target, or beside it, and flushes the name. Returns where it lies.</summary>
    public string Place(string target)
    {
        Place gathered = _isFolder ? gather.Folder.LookAtItself() : gather.Outer.Look(gather.PartName);
        string name = Path.GetFileName(target);
        for (int number = 1; !gather.Outer.TryMove(gather.PartName, gather.Outer, name, _isFolder); number++)
        {
            if (options.IfExists == IfExists.Overwrite)
            {
                Replace(name);
                break;
            }

            if (options.IfExists == IfExists.Fail || number > MaxNumber)
                throw new P2PException(P2PErrorCode.Exists, $"'{gather.Outer.PathOf(name)}' appeared while it was being fetched. What was fetched is kept beside it; overwrite, write beside it, or choose another place.");
            name = PathRules.Numbered(Path.GetFileName(target), number, options.System);
        }

        string place = gather.Outer.PathOf(name);
        if (!gather.Outer.Look(name).IsSame(in gathered))
            throw new P2PException(P2PErrorCode.Permission, $"Somebody who may write beside '{place}' replaced what was fetched at the last moment. Fetch to a folder of your own.");
        gather.Outer.FlushNames();
        return place;
    }

    /// <summary>Moves what was gathered into an existing folder file by file: missing ones are added, others replaced only if asked, none deleted.</summary>
    public async Task<string> MergeAsync(string target, FolderMetadata metadata, CancellationToken cancellationToken)
    {
        using HeldFolder into = gather.Outer.OpenFolder(Path.GetFileName(target));
        var made = new HashSet<string>(StringComparer.Ordinal);
        var folders = new Stack<string>();
        folders.Push("");
        while (folders.TryPop(out string? inside))
        {
            if (inside.Length > 0 && into.TryCreateFolder(inside))
                made.Add(inside);
            else if (inside.Length > 0 && into.Look(inside).Kind != PlaceKind.Folder)
                throw new P2PException(P2PErrorCode.Exists, $"'{into.PathOf(inside)}' is no folder any more. What was fetched is kept in '{_part}'.");
            using HeldFolder from = gather.Folder.OpenFolder(inside), to = into.OpenFolder(inside);
            foreach ((string name, bool isSubfolder) in from.Entries())
            {
                if (isSubfolder)
                    folders.Push(inside.Length == 0 ? name : $"{inside}/{name}");
                else
                    MoveFile(from, to, name);
            }
        }

        gather.Outer.Remove(gather.PartName);
        metadata.ApplyTo(into, made.Contains); // folders of the user's own stay as they are
        await Task.Run(() => TargetDisk.FlushTreeAsync(target, cancellationToken), CancellationToken.None).ConfigureAwait(false);
        return target;
    }

    /// <summary>What a fetch of a part had set aside becomes the <c>.part</c> again, for the fetch that left it, or goes when that is done.</summary>
    public static void SettleAside(HeldFolder outer, string aside, string part, bool isWanted)
    {
        if (outer.Look(aside) is not { Kind: PlaceKind.Folder, IsOurs: true })
            return;
        if (!isWanted)
            outer.Remove(aside);
        else if (outer.Look(part).Kind == PlaceKind.Nothing)
            outer.TryMove(aside, outer, part, isFolder: true);
    }

    private void MoveFile(HeldFolder from, HeldFolder to, string name)
    {
        if (!from.TryMove(name, to, name, isFolder: false))
        {
            if (options.IfExists != IfExists.Overwrite || to.Look(name).Kind is not (PlaceKind.File or PlaceKind.Link))
                throw new P2PException(P2PErrorCode.Exists, $"'{to.PathOf(name)}' appeared while it was being fetched. What was fetched is kept in '{_part}'.");
            from.TryMove(name, to, name, isFolder: false, mayReplace: true);
        }

        _moves.Add((from.PathOf(name), to.PathOf(name)));
    }

    private void Replace(string name)
    {
        if (_isFolder || gather.Outer.Look(name).Kind is not (PlaceKind.File or PlaceKind.Link))
            throw new P2PException(P2PErrorCode.Exists, $"'{gather.Outer.PathOf(name)}' is of another kind than what was fetched and is not replaced. Remove it and fetch again.");
        gather.Outer.TryMove(gather.PartName, gather.Outer, name, isFolder: false, mayReplace: true);
    }
}
