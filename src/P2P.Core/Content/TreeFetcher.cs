using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>
/// Fetches a file or folder to exactly one path: gathered in a private <c>.part</c> beside it, verified, flushed, renamed once.
/// The <c>.part</c> itself is the record of how far a fetch is: what lies in it is hashed again before it counts, so nothing that
/// says otherwise can be wrong, and nothing has to be flushed before it may be recorded.
/// </summary>
/// <param name="source">Where blocks come from.</param>
/// <param name="store">Keeps the inner nodes and, if asked, knows where the written blocks lie; null: nothing is recorded.</param>
/// <param name="buffers">Buffers for reading back.</param>
/// <param name="options">How.</param>
/// <param name="logger">Where its log goes.</param>
internal sealed class TreeFetcher(IBlockSource source, BlockStore? store, BlockBufferPool buffers, TreeFetchOptions options, ILogger logger)
{
    private const int CidCharactersInName = 16;

    private volatile FetchPlanner? _planner;
    private volatile BlockPlacer? _placer;
    private volatile FetchRecorder? _recorder;
    private long _claimedBytes = -1;
    private volatile bool _isPlanned; // the whole tree, so its size is known
    private volatile bool _isGathered; // and all of it is here, so what came is the size
    private long _equalBytes;
    private long _comparedBytes; // shown as progress until writing begins, so that a long look at what is there does not seem to stand still

    /// <summary>How far it is; may be read from any thread.</summary>
    public TreeFetchProgress Progress
    {
        get
        {
            long equal = Interlocked.Read(ref _equalBytes);
            long claimed = Interlocked.Read(ref _claimedBytes);
            if (_placer is not { } placer || _planner is not { } planner)
            {
                long compared = Interlocked.Read(ref _comparedBytes);
                return new TreeFetchProgress(compared, compared, claimed < 0 ? null : Math.Max(claimed, compared), 0);
            }

            long verified = placer.VerifiedBytes + equal;
            long? total = _isGathered ? verified
                : claimed < 0 ? null // one raw block, whose size comes with its bytes
                : Math.Max(_isPlanned ? 0 : claimed, Math.Max(planner.Bytes + equal, verified));
            return new TreeFetchProgress(verified, placer.ReusedBytes + equal, total, placer.Files);
        }
    }

    /// <summary>Makes visible in the store what arrived so far; it becomes so by itself after each few hundred blocks.</summary>
    public Task FlushRecordsAsync() => _recorder?.FlushAsync() ?? Task.CompletedTask;

    /// <summary>The key of the resume state of a fetch, to find its pin again after a crash.</summary>
    public static string ResumeKeyOf(string targetPath) => "fetch:" + FullPathOf(targetPath);

    /// <summary>Where a fetch gathers its bytes.</summary>
    public static string PartPathOf(Cid root, string targetPath)
    {
        string text = root.ToString(); // a CID that holds its content itself may be shorter
        return Path.Combine(Path.GetDirectoryName(FullPathOf(targetPath)) ?? "", $".p2p-{text[..Math.Min(text.Length, CidCharactersInName)]}.part");
    }

    /// <summary>Fetches. Once for each instance.</summary>
    /// <param name="root">The root of the link.</param>
    /// <param name="path">A path inside it; null or empty: all.</param>
    /// <param name="targetPath">What to become; its parent must exist.</param>
    /// <param name="pin">The pin that inner nodes and written blocks join, taken by the caller before the call; a served kind serves them while they arrive.</param>
    /// <param name="cancellationToken">Ends it at a block boundary; what is verified stays and the same call resumes from it.</param>
    /// <exception cref="P2PException">Exists, InUse, NoSpace, Permission, Integrity, NotFound, or what the source reported.</exception>
    public async Task<TreeFetchResult> FetchAsync(Cid root, string? path, string targetPath, PinId pin, CancellationToken cancellationToken)
    {
        string target = FullPathOf(targetPath);
        string folder = Path.GetDirectoryName(target) ?? throw new ArgumentException("The target must lie in a folder.", nameof(targetPath));
        if (!Directory.Exists(folder))
            throw new P2PException(P2PErrorCode.NotFound, $"The folder '{folder}' does not exist. Create it or choose another place.");
        try
        {
            using TargetLock held = TargetLock.Take(target);
            using FetchRecorder? recorder = store is null ? null : new FetchRecorder(store, pin, options.RecordPlaces, options.Form, options.OnServable);
            _recorder = recorder;
            try
            {
                return await FetchAsync(new NodeLoader(source, recorder, options.Form), recorder, root, path, target, pin, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (recorder is not null)
                    await recorder.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, target);
        }
    }

    private static string FullPathOf(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    private async Task<TreeFetchResult> FetchAsync(
        NodeLoader loader, FetchRecorder? recorder, Cid root, string? path, string target, PinId pin, CancellationToken cancellationToken)
    {
        bool isRoot = string.IsNullOrEmpty(path), isWhole = isRoot && options.Select.Count == 0;
        Selection? selection = options.Select.Count == 0 ? null : new Selection(options.Select);
        Place there = TargetDisk.Look(target);
        if (isWhole && there.Kind == PlaceKind.File && await IsSameFileAsync(root, target, pin, cancellationToken).ConfigureAwait(false) is { } same)
            return AlreadyThere(target, root, same.Bytes, same.Blocks, same.Files);

        ContentStart start = isRoot ? await loader.EnterAsync(root, cancellationToken).ConfigureAwait(false) : default;
        Cid entry = isRoot
            ? start.Cid
            : await new DagReader(source, recorder, options.Form).FindAsync(root, path, cancellationToken).ConfigureAwait(false);
        Cid result = isRoot ? root : options.Form.BlockOf(in entry);
        ContentNode? node = entry.Codec == Cid.RawCodec ? null : await loader.GetAsync(entry, cancellationToken).ConfigureAwait(false);
        if (node is { IsLink: true })
            throw new P2PException(P2PErrorCode.NotFound, "This is a symbolic link, not a file or folder. Fetch what it points to.");
        bool isFolder = node is { IsFolder: true };
        Interlocked.Exchange(ref _claimedBytes, selection is null ? ClaimedBytesOf(node) : await SurveyAsync(loader, recorder, entry, isFolder, selection, cancellationToken).ConfigureAwait(false));

        TargetComparison? existing = null, beside = null;
        if (there.Kind != PlaceKind.Nothing)
        {
            existing = new TargetComparison(loader, buffers, options, recorder, bytes => Interlocked.Add(ref _comparedBytes, bytes), selection);
            await existing.CompareAsync(entry, target, cancellationToken).ConfigureAwait(false);
            if (existing.IsComplete)
                return AlreadyThere(target, result, existing.EqualBytes, 0, existing.EqualFiles);
            if (options.IfExists == IfExists.Rename && existing.DifferingCount > 0)
                (existing, beside, there) = (null, existing, default);
            else
                RefuseIfDifferent(existing, target);
            Interlocked.Exchange(ref _equalBytes, existing?.EqualBytes ?? 0);
        }

        string part = PartPathOf(result, target);
        using TargetLock gathering = TargetLock.Take(part); // two targets beside each other may gather the same content
        using GatherPlace gather = GatherPlace.Open(part, isFolder);
        if (gather.IsResumed)
            ContentLog.FetchResumed(logger, result, part);
        string key = ResumeKeyOf(target);
        if (recorder is not null)
            await recorder.BeginAsync(new ResumeState(key, result, target, part, pin), cancellationToken).ConfigureAwait(false);
        Gathered gathered = await GatherAsync(loader, recorder, entry, gather, existing, beside is null ? null : (beside, target), selection, cancellationToken).ConfigureAwait(false);

        if (options.Form.IsPrivate && isRoot && node is null && gathered.Bytes != start.ClaimedBytes)
            throw ContentFault.Contradiction(options.Form.BlockOf(in entry), $"has {gathered.Bytes} bytes where the root claims {start.ClaimedBytes}");
        FetchPlanner planner = _planner!;
        var finish = new TargetFinish(options, gather);
        bool merges = isFolder && there.Kind == PlaceKind.Folder;
        string place;
        if (merges)
        {
            await finish.FlushForMergeAsync(cancellationToken).ConfigureAwait(false);
            place = await finish.MergeAsync(target, planner.Folders, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await finish.FlushAsync(planner.FileMetadata, planner.Folders, node?.File?.Bytes ?? gathered.Bytes, cancellationToken).ConfigureAwait(false);
            place = finish.Place(target);
        }

        if (planner.Folders.Dropped > 0)
            ContentLog.FolderMetadataDropped(logger, result, planner.Folders.Dropped);
        TargetFinish.SettleAside(gather.Outer, gather.AsideName, gather.PartName, isWanted: selection is not null);
        if (recorder is not null)
            await recorder.FinishAsync(key, merges ? finish.Moves : [(part, place)], CancellationToken.None).ConfigureAwait(false);
        ContentLog.FetchFinished(logger, result, gathered.Bytes, gathered.Reused);
        return new TreeFetchResult(place, result, gathered.Bytes, gathered.Reused, gathered.Blocks, gathered.Files, gathered.Renamed, AlreadyThere: false) { RenamedCount = gathered.RenamedCount };
    }

    /// <summary>Nothing to do. A fetch that was killed between its rename and its end may have left the lock of its part.</summary>
    private static TreeFetchResult AlreadyThere(string target, Cid root, long bytes, long blocks, int files)
    {
        TargetLock.RemoveLeftover(PartPathOf(root, target));
        return new TreeFetchResult(target, root, bytes, bytes, blocks, files, [], AlreadyThere: true);
    }

    private async Task<Gathered> GatherAsync(
        NodeLoader loader, FetchRecorder? recorder, Cid entry, GatherPlace gather, TargetComparison? existing, (TargetComparison, string)? beside, Selection? selection,
        CancellationToken cancellationToken)
    {
        var space = new SpaceBudget(gather.Outer.Path, RoomFor(gather));
        space.Expect(Interlocked.Read(ref _claimedBytes) - (existing?.EqualBytes ?? 0));
        var placer = new BlockPlacer(loader.Source, options.Form, buffers, recorder, space, options.Workers, cancellationToken);
        await using (placer.ConfigureAwait(false))
        {
            LocalCopies? copies = store is null || options.Form.IsPrivate || !options.UsesLocalCopies ? null : new LocalCopies(store);
            var planner = new FetchPlanner(loader, placer, options, gather, existing, space, selection, copies, beside);
            (_placer, _planner) = (placer, planner);
            try
            {
                await planner.PlanAsync(entry).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (placer.Stopped.IsCancellationRequested)
            {
                placer.ThrowIfFailed();
                cancellationToken.ThrowIfCancellationRequested();
                throw;
            }

            _isPlanned = true;
            await placer.FinishAsync().ConfigureAwait(false);
            _isGathered = true;
            planner.MakeLinks();
            long equal = existing?.EqualBytes ?? 0;
            return new Gathered(placer.VerifiedBytes + equal, placer.ReusedBytes + equal, planner.Blocks, planner.Files, planner.Renamed, planner.RenamedCount);
        }
    }

    // without any network: the target may be what is asked for even when nobody is online
    private async Task<ImportResult?> IsSameFileAsync(Cid root, string target, PinId pin, CancellationToken cancellationToken)
    {
        if (store?.Has(in root) == true)
            return null; // its nodes are here, so comparing block by block needs nobody either
        try
        {
            UnixFsProfile profile = options.Form.IsPrivate ? UnixFsProfile.Private : root.Version == 0 ? UnixFsProfile.V0_2015 : UnixFsProfile.V1_2025;
            var how = new ImportOptions { Profile = profile, Form = options.Form, Workers = options.Workers };
            ImportResult found = await new Importer(null, buffers, how).ImportAsync([target], default, new Compared(this), cancellationToken).ConfigureAwait(false);
            if (found.Root != root)
                return null;
            if (store is not null && options.RecordPlaces && how.Profile.RawLeaves)
                await new Importer(store, buffers, how).ImportAsync([target], pin, null, cancellationToken).ConfigureAwait(false);
            return found;
        }
        catch (P2PException error)
        {
            ContentLog.TargetNotReadable(logger, error, target);
            return null; // unreadable or being written: then it is not what is asked for
        }
    }

    private void RefuseIfDifferent(TargetComparison existing, string target)
    {
        if (existing.DifferingCount == 0 || (options.IfExists == IfExists.Overwrite && !existing.HasObstacle))
            return;
        const int MaxPathCharsShown = 512; // of each: a list that is cut as a whole would not name all ten
        string list = string.Join(", ", existing.Differing.Select(local => $"'{Diagnostics.UntrustedText.Clean(local.Length == 0 ? target : Path.Combine(target, local), MaxPathCharsShown)}'"));
        string more = existing.DifferingCount > existing.Differing.Count ? $" and {existing.DifferingCount - existing.Differing.Count} more" : "";
        string advice = existing.HasObstacle ? "Write beside it, or choose another place." : "Overwrite, write beside it, or choose another place.";
        throw new P2PException(P2PErrorCode.Exists, $"There is other content at {list}{more}. Nothing was fetched. {advice}");
    }

    private async Task<long> SurveyAsync(NodeLoader loader, FetchRecorder? recorder, Cid entry, bool isFolder, Selection selection, CancellationToken cancellationToken)
    {
        if (!isFolder)
            throw new SelectionException("What the link leads to is one file, so there is nothing in it to select. Fetch it without patterns.");
        long bytes = await SelectionSurvey.LookAsync(loader, entry, selection, options.MaxEntries, cancellationToken).ConfigureAwait(false);
        if (recorder is not null)
            await recorder.FlushAsync().ConfigureAwait(false); // the same folders are walked again, now from the store
        return bytes;
    }

    private static long ClaimedBytesOf(ContentNode? node)
    {
        if (node is null)
            return -1;
        if (node.File is { } file)
            return file.Bytes;
        ulong sum = 0;
        foreach (DagPbLink link in node.Links)
            sum = Math.Min(sum + Math.Min(link.TargetBytes ?? 0, long.MaxValue), long.MaxValue);
        return (long)sum;
    }

    private static long RoomFor(GatherPlace gather)
    {
        if (TargetDisk.FreeBytes(gather.Outer.Path) is not { } free)
            return long.MaxValue;
        return gather.IsResumed ? free + TreeSize.Of(gather.Outer.PathOf(gather.PartName), CancellationToken.None) : free;
    }

    private sealed class Compared(TreeFetcher fetcher) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => Interlocked.Exchange(ref fetcher._comparedBytes, value.Bytes);
    }

    private sealed record Gathered(long Bytes, long Reused, long Blocks, int Files, IReadOnlyList<RenamedEntry> Renamed, long RenamedCount);
}
