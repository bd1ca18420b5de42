using System.Text;
using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>Walks the content ahead of the data and wants each block at its place; makes the folders on the way.</summary>
/// <param name="loader">Gets the nodes.</param>
/// <param name="placer">Gets the blocks to their places.</param>
/// <param name="options">Limits and names.</param>
/// <param name="gather">Where it is gathered.</param>
/// <param name="existing">What stands at the target already and need not come again; null: nothing.</param>
/// <param name="space">The room that there is.</param>
/// <param name="selection">What of it is wanted; null: all.</param>
/// <param name="copies">Where the same files are on this machine; null: nowhere.</param>
/// <param name="beside">What stands where the content would have gone, had it not to be written beside it: equal files are copied from there; null: nothing.</param>
internal sealed class FetchPlanner(
    NodeLoader loader, BlockPlacer placer, TreeFetchOptions options, GatherPlace gather, TargetComparison? existing, SpaceBudget space, Selection? selection, LocalCopies? copies,
    (TargetComparison Comparison, string Path)? beside)
{
    private const int MaxLinkTargetBytes = 4096; // the longest that Linux takes
    private const long MaxLinkBytes = 64 << 20; // of all links, which wait until the end

    private readonly HashSet<string> _linkPlaces = new(StringComparer.Ordinal); // those that stand at the target already too
    private readonly List<(string Local, string Target)> _links = [];
    private readonly PartSweep? _sweep = gather is { IsResumed: true, FileName: null } ? new PartSweep(gather.Folder, gather.Outer, selection is null ? null : gather.AsideName, options.System) : null;
    private int _entry; // number of the file or link, as the comparison counts
    private long _linkBytes;
    private PlacedWalk? _walk;

    /// <summary>Bytes of all files that come, as far as planned; of a file of one block what its folder claims.</summary>
    public long Bytes => space.Taken;

    /// <summary>Blocks of the tree, counted as often as they are linked, as far as planned.</summary>
    public long Blocks { get; private set; }

    /// <summary>Files, as far as planned.</summary>
    public int Files { get; private set; }

    /// <summary>Names that did not stay.</summary>
    public IReadOnlyList<RenamedEntry> Renamed => _walk?.Renamed ?? [];

    /// <summary>How many they are; the list is bounded.</summary>
    public long RenamedCount => _walk?.RenamedCount ?? 0;

    /// <summary>What the content says of its folders, to be given to them when all lies in them.</summary>
    public FolderMetadata Folders { get; } = new();

    /// <summary>What the content says of itself, if it is a file.</summary>
    public FileMetadata FileMetadata { get; private set; }

    /// <summary>Plans everything.</summary>
    public async Task PlanAsync(Cid root)
    {
        var walk = new PlacedWalk(new TreeWalk(loader, root, options.MaxEntries, placer.Stopped, selection), options.System);
        _walk = walk;
        await using (walk.ConfigureAwait(false))
        {
            while (await walk.MoveNextAsync().ConfigureAwait(false))
            {
                TreeEntry entry = walk.Current;
                if (entry.Step == TreeStep.LeaveFolder)
                {
                    Sweep(walk.Local);
                }
                else if (entry.Step == TreeStep.EnterFolder)
                {
                    _sweep?.Want(walk.Local);
                    MakeFolder(walk.Local);
                    Folders.Add(walk.Local, FileMetadata.From(entry.Node!.Data));
                    _sweep?.Enter();
                }
                else
                {
                    ExistingState state = existing?.StateOf(_entry) ?? ExistingState.Missing;
                    string? copied = beside is { } other && other.Comparison.StateOf(_entry) == ExistingState.Equal ? Path.Combine(other.Path, walk.Local) : null;
                    _entry++;
                    if (state != ExistingState.Equal)
                        _sweep?.Want(walk.Local);
                    if (entry.Step == TreeStep.Link)
                        AddLink(entry, walk.Local, state);
                    else
                        await PlanFileAsync(entry, walk.Local, state, copied).ConfigureAwait(false);
                }
            }

            Blocks += walk.Nodes;
        }
    }

    /// <summary>Makes the symbolic links, last, when nothing is written through them any more; those that would lead out of the tree are left out and reported.</summary>
    public void MakeLinks()
    {
        foreach ((string local, string target) in _links)
        {
            int slash = local.LastIndexOf('/');
            if (options.System == TargetSystem.Windows || !PathRules.LinkStaysInside(slash < 0 ? "" : local[..slash], target, path => _linkPlaces.Contains(PathRules.CollisionKey(path, options.System))))
            {
                _walk!.ReportLeftOut(local);
                continue;
            }

            if (gather.Folder.Look(local).Kind is PlaceKind.Link or PlaceKind.File)
                gather.Folder.Remove(local); // from an earlier try
            gather.Folder.CreateLink(local, target);
        }
    }

    private void MakeFolder(string local)
    {
        if (local.Length == 0)
            return; // the root is there
        try
        {
            if (gather.Folder.TryCreateFolder(local))
                return;
            Place found = gather.Folder.Look(local);
            if (found is { Kind: PlaceKind.Folder, IsOurs: true })
            {
                if (!found.IsOpen)
                    gather.Folder.MakeOpen(local, isFolder: true);
                return;
            }

            gather.Folder.Remove(local); // a file or link from somebody else: never gone through
            if (!gather.Folder.TryCreateFolder(local))
                throw new IOException($"'{gather.Folder.PathOf(local)}' is being written by somebody else.");
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, gather.Folder.PathOf(local));
        }
    }

    private void Sweep(string local)
    {
        try
        {
            _sweep?.Leave(local);
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, gather.Folder.PathOf(local));
        }
    }

    private void AddLink(TreeEntry entry, string local, ExistingState state)
    {
        byte[] target = entry.Node!.Data.Data ?? [];
        if (target.Length > MaxLinkTargetBytes)
        {
            _walk!.ReportLeftOut(local);
            return;
        }

        _linkBytes += local.Length + target.Length;
        if (_linkBytes > MaxLinkBytes)
            throw new P2PException(P2PErrorCode.Integrity, $"The symbolic links of the content take more than {MaxLinkBytes} bytes, more than is accepted.");
        _linkPlaces.Add(PathRules.CollisionKey(local, options.System)); // as the disk tells names apart
        if (state != ExistingState.Equal)
            _links.Add((local, Encoding.UTF8.GetString(target)));
    }

    private async ValueTask PlanFileAsync(TreeEntry entry, string local, ExistingState state, string? copied)
    {
        FileNode? node = entry.Node?.File;
        Files++;
        if (state == ExistingState.Equal)
        {
            await CountOnlyAsync(entry, node).ConfigureAwait(false);
            return;
        }

        long bytes = node?.Bytes ?? (loader.Form.IsPrivate && !entry.Name.IsEmpty ? entry.ClaimedBytes : -1); // a private folder knows the length
        space.Take(node?.Bytes ?? Math.Min(entry.ClaimedBytes, BlockVerification.MaxBlockBytes));
        string place = gather.FileName ?? local;
        bool isThere = PrepareFile(place, out long thereBytes);
        var metadata = FileMetadata.From(entry.Node?.Data);
        if (gather.FileName is not null)
            (FileMetadata, metadata) = (metadata, default); // it stays private until it gets its name
        var file = new PlacedFile(gather.Folder, place, entry.Cid, bytes, isNew: !isThere, isPrivate: gather.FileName is not null, metadata);
        placer.Begin(file);
        if (!isThere && copied is not null && TryCopy(file, copied, bytes))
            (isThere, thereBytes) = (true, Math.Max(bytes, 0));
        if (node is null)
        {
            Blocks++;
            isThere = isThere || copies?.TryClone(file, entry.Cid, entry.Cid, entry.ClaimedBytes) == true;
            await PlanWholeAsync(file, entry, (int)bytes, isThere).ConfigureAwait(false);
        }
        else
        {
            var segments = new FileWalk(loader, node, 0, placer.Stopped);
            await using (segments.ConfigureAwait(false))
            {
                while (await segments.MoveNextAsync().ConfigureAwait(false))
                {
                    if (segments.Current.Offset == 0 && !isThere && copies?.TryClone(file, entry.Cid, segments.Current.Leaf, bytes) == true)
                        thereBytes = bytes;
                    await PlanSegmentAsync(file, segments.Current, thereBytes).ConfigureAwait(false);
                }

                Blocks += segments.Nodes;
            }
        }

        placer.Planned(file);
    }

    private async ValueTask PlanWholeAsync(PlacedFile file, TreeEntry entry, int bytes, bool isThere)
    {
        int expected = (int)Math.Min(entry.ClaimedBytes, BlockVerification.MaxBlockBytes);
        if (!BlockVerification.IsAccepted(entry.Cid, out string? why))
            throw new P2PException(P2PErrorCode.Integrity, $"Block {entry.Cid.ToShortString()} cannot be verified: {why}.");
        if (KnownBlocks.TryGet(entry.Cid, out ReadOnlyMemory<byte> known))
            placer.Put(file, known.Span, 0);
        else
            await placer.WantAsync(file, entry.Cid, 0, bytes, expected, mayBeThere: isThere).ConfigureAwait(false);
    }

    private async ValueTask PlanSegmentAsync(PlacedFile file, FileSegment segment, long thereBytes)
    {
        if (segment.Leaf.IsEmpty)
        {
            placer.Put(file, segment.Known.Span, segment.Offset);
            return;
        }

        Blocks++;
        bool mayBeThere = segment.Offset + segment.Length <= thereBytes;
        await placer.WantAsync(file, segment.Leaf, segment.Offset, segment.Length, segment.Length, mayBeThere).ConfigureAwait(false);
    }

    // a file that stands at the target already: it is walked all the same, to count its blocks
    private async ValueTask CountOnlyAsync(TreeEntry entry, FileNode? node)
    {
        if (node is null)
        {
            Blocks++;
            return;
        }

        var segments = new FileWalk(loader, node, 0, placer.Stopped);
        await using (segments.ConfigureAwait(false))
        {
            while (await segments.MoveNextAsync().ConfigureAwait(false))
                Blocks += segments.Current.Leaf.IsEmpty ? 0 : 1;
            Blocks += segments.Nodes;
        }
    }

    private bool TryCopy(PlacedFile file, string from, long bytes)
    {
        try
        {
            if (TargetDisk.Look(from).Kind != PlaceKind.File)
                return false;
            using Microsoft.Win32.SafeHandles.SafeFileHandle source = File.OpenHandle(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.CopyFrom(source, bytes < 0 ? BlockVerification.MaxBlockBytes : bytes, placer.Stopped);
            return true;
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, file.Path);
        }
    }

    private bool PrepareFile(string place, out long bytes)
    {
        bytes = 0;
        if (!gather.IsResumed)
            return false;
        try
        {
            Place found = gather.Folder.Look(place);
            if (found is { Kind: PlaceKind.File, IsOurs: true })
            {
                if (!found.IsOpen)
                    gather.Folder.MakeOpen(place, isFolder: false);
                bytes = found.Bytes;
                return true;
            }

            gather.Folder.Remove(place); // somebody else's, or it has a second name: writing to it would write there too
            return false;
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, gather.Folder.PathOf(place));
        }
    }
}
