using System.IO.Enumeration;

namespace P2P.Core.Content;

/// <summary>The end of a fetch: what was gathered is flushed and gets its name, once, replacing nothing unless asked.</summary>
internal sealed class TargetFinish(TreeFetchOptions options, string part, bool isFolder)
{
    private const int MaxNumber = 10_000;

    private readonly List<(string From, string To)> _moves = [];

    /// <summary>What was moved where by <see cref="MergeAsync"/>.</summary>
    public IReadOnlyList<(string From, string To)> Moves => _moves;

    /// <summary>Flushes what was gathered.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        TargetDisk.MakeOrdinary(part, isFolder);
        if (isFolder)
            await Task.Run(() => TargetDisk.FlushTreeAsync(part, cancellationToken), cancellationToken).ConfigureAwait(false);
        else
            await Task.Run(() => TargetDisk.FlushFile(part), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Renames it to the target, or beside it, and flushes the name. Returns where it lies.</summary>
    public string Place(string target)
    {
        string folder = Path.GetDirectoryName(target)!;
        string place = target;
        for (int number = 1; !TargetDisk.TryMove(part, place, isFolder); number++)
        {
            if (options.IfExists == IfExists.Overwrite)
            {
                Replace(place);
                break;
            }

            if (options.IfExists == IfExists.Fail || number > MaxNumber)
                throw new P2PException(P2PErrorCode.Exists, $"'{place}' appeared while it was being fetched. What was fetched is kept beside it; overwrite, write beside it, or choose another place.");
            place = Path.Combine(folder, PathRules.Numbered(Path.GetFileName(target), number, options.System));
        }

        TargetDisk.FlushFolder(folder);
        return place;
    }

    /// <summary>Moves what was gathered into an existing folder file by file: missing ones are added, others replaced only if asked, none deleted.</summary>
    public async Task<string> MergeAsync(string target, CancellationToken cancellationToken)
    {
        var folders = new Stack<string>();
        folders.Push("");
        while (folders.TryPop(out string? inside))
        {
            string to = Path.Combine(target, inside);
            if (TargetDisk.Look(to).Kind == PlaceKind.Nothing)
                Directory.CreateDirectory(to);
            else if (TargetDisk.Look(to).Kind != PlaceKind.Folder)
                throw new P2PException(P2PErrorCode.Exists, $"'{to}' is no folder any more. What was fetched is kept in '{part}'.");
            foreach ((string name, bool isSubfolder) in EntriesOf(Path.Combine(part, inside)))
            {
                if (isSubfolder)
                    folders.Push(Path.Combine(inside, name));
                else
                    MoveFile(Path.Combine(part, inside, name), Path.Combine(to, name));
            }
        }

        Directory.Delete(part, recursive: true);
        await Task.Run(() => TargetDisk.FlushTreeAsync(target, cancellationToken), CancellationToken.None).ConfigureAwait(false);
        return target;
    }

    /// <summary>What a fetch of a part had set aside becomes the <c>.part</c> again, for the fetch that left it, or goes when that is done.</summary>
    public static void SettleAside(string aside, string part, bool isWanted)
    {
        if (TargetDisk.Look(aside) is not { Kind: PlaceKind.Folder, IsOurs: true })
            return;
        if (!isWanted)
            Directory.Delete(aside, recursive: true);
        else if (TargetDisk.Look(part).Kind == PlaceKind.Nothing)
            TargetDisk.TryMove(aside, part, isFolder: true);
    }

    private static IEnumerable<(string Name, bool IsFolder)> EntriesOf(string folder) => new FileSystemEnumerable<(string, bool)>(
        folder,
        static (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
        new EnumerationOptions { AttributesToSkip = 0, ReturnSpecialDirectories = false }).ToArray();

    private void MoveFile(string from, string to)
    {
        if (!TargetDisk.TryMove(from, to, isFolder: false))
        {
            if (options.IfExists != IfExists.Overwrite || TargetDisk.Look(to).Kind is not (PlaceKind.File or PlaceKind.Link))
                throw new P2PException(P2PErrorCode.Exists, $"'{to}' appeared while it was being fetched. What was fetched is kept in '{part}'.");
            File.Move(from, to, overwrite: true);
        }

        _moves.Add((from, to));
    }

    private void Replace(string place)
    {
        if (isFolder || TargetDisk.Look(place).Kind is not (PlaceKind.File or PlaceKind.Link))
            throw new P2PException(P2PErrorCode.Exists, $"'{place}' is of another kind than what was fetched and is not replaced. Remove it and fetch again.");
        File.Move(part, place, overwrite: true);
    }
}
