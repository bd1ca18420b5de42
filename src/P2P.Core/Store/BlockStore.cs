using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// The blocks of this node and where their bytes lie: in the index, in files of the store, or in the user's own files (D4, D5). Look-ups are synchronous
/// and take microseconds; changes go through batches to the one writer. Thread-safe.
/// </summary>
internal sealed class BlockStore : IAsyncDisposable
{
    private const int MaxWholeFiles = 4;

    private readonly DataFolder? _ownedFolder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IndexReaders _readers;
    private readonly PinTable _pins;
    private readonly SourceFileCache _sources;
    private readonly BlockOpener _opener;
    private readonly ShareKeys _keys;
    private readonly IndexEditor _editor;
    private readonly StoreSweeper _sweeper;
    private readonly Func<StoreVerifier> _newVerifier;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _collecting = new(1);
    private readonly Lazy<Task> _stop;
    private readonly Task _sweep;
    private readonly long _startedNs;
    private readonly GarbageCollector _garbage;
    private long _futileReclaimable = -1;
    private long _lastFile;
    private long _lastPin;
    private long _lastShareKey;

    private BlockStore(
        DataFolder folder, DataFolder? ownedFolder, StoreOptions options, IDisk disk, BlockBufferPool buffers, TimeProvider time, ILogger logger)
    {
        (Folder, _ownedFolder, _time, _logger) = (folder, ownedFolder, time, logger);

        // A name of its own for each run tells its temporary files from those that an earlier one left.
        OwnedFiles = new OwnedFiles(disk, folder, $"{Environment.ProcessId:x}-{StoreClock.NowNs(time):x}");
        IndexConnection connection = IndexConnection.Open(folder.IndexPath, options.Vfs, options.WriterCacheBytes);
        _readers = new IndexReaders(options.MaxReaders, () => IndexReader.Open(folder.IndexPath, options));
        try
        {
            RefuseLostIndex(connection, folder, disk);
            IndexSchema.Prepare(connection, folder.IndexPath);
            connection.Run(
                $"DELETE FROM pins WHERE kind={(int)PinKind.Temporary} AND id NOT IN (SELECT pin FROM resumes); " +
                "DELETE FROM pin_sets WHERE pin NOT IN (SELECT id FROM pins);");
            _pins = new PinTable();
            Watch = new SourceWatch(logger);
            _editor = new IndexEditor(connection, _pins, OwnedFiles, file => OnFileChanged(file, SourceState.Sound), RecordPins);
            CheckRecord(disk);
            _lastFile = connection.Scalar("SELECT max(id) FROM files");
            _lastShareKey = Math.Max(connection.Scalar("SELECT max(id) FROM share_keys"), connection.Scalar("SELECT max(share_key) FROM files"));
            _lastPin = connection.Scalar("SELECT seq FROM sqlite_sequence WHERE name='pins'");
            foreach ((long file, SourceState state) in Query("SELECT id, state FROM files WHERE state<>0", row => (row.GetInt64(0), (SourceState)row.GetInt32(1))))
                Watch.Set(file, state);
        }
        catch
        {
            _readers.Dispose();
            _editor?.Dispose();
            connection.Dispose();
            throw;
        }
        Writer = new IndexWriter(connection, _editor, options.MaxQueuedBatches, logger);
        _startedNs = disk.StartedNs(StoreClock.NowNs(time));
        _sources = new SourceFileCache(disk, options.MaxOpenFiles, _startedNs, FindFile);
        _keys = new ShareKeys(_readers, options.ShareKeys, logger);
        _opener = new BlockOpener(_readers, Writer, _sources, Watch, OwnedFiles, _keys, buffers, time, logger);
        Quota = new StoreQuota(options.QuotaBytes, () => _editor.OwnedBytes);
        _garbage = new GarbageCollector(_readers, Writer, _pins, Holds, StoreClock.NowNs(time));
        _sweeper = new StoreSweeper(_readers, Writer, OwnedFiles);
        _newVerifier = () => new StoreVerifier(
            _readers,
            _pins,
            OwnedFiles,
            _keys,
            _sweeper,
            _editor.Usage,
            buffers,
            () => IndexConnection.Open(folder.IndexPath, options.Vfs, options.ReaderCacheBytes),
            folder.IndexPath,
            time);
        _stop = new Lazy<Task>(StopAsync);
        _sweep = Task.Run(SweepAsync, CancellationToken.None);
        StoreLog.Opened(logger, folder.Path, _pins.Pins.Count, _editor.OwnedBytes);
    }

    /// <summary>The folder that the store is in.</summary>
    public DataFolder Folder { get; }

    /// <summary>Says which source files turned out to be changed, each once. One reader: the node.</summary>
    public ChannelReader<SourceChangedNotice> SourceChanges => Watch.Notices;

    /// <summary>Ends when what an earlier run left is swept.</summary>
    internal Task Swept => _sweep;

    internal OwnedFiles OwnedFiles { get; }

    internal IndexWriter Writer { get; }

    internal SourceWatch Watch { get; }

    /// <summary>What blocks of our own may take.</summary>
    internal StoreQuota Quota { get; }

    /// <summary>What open batches rely on.</summary>
    internal BatchHolds Holds { get; } = new();

    /// <summary>Opens the folder, takes its lock and opens the store in it. The store owns the folder.</summary>
    public static async Task<BlockStore> OpenAsync(
        string folder, StoreOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        DataFolder opened = DataFolder.Open(folder);
        try
        {
            opened.Lock();
            return await OpenAsync(opened, opened, options, FileSystemDisk.Instance, new BlockBufferPool(), time, loggers, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Opens the store in a folder that this process has locked. The caller disposes the folder after the store.</summary>
    public static Task<BlockStore> OpenAsync(
        DataFolder folder, StoreOptions options, BlockBufferPool buffers, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        OpenAsync(folder, null, options, FileSystemDisk.Instance, buffers, time, loggers, cancellationToken);

    /// <summary>Opens the store on a disk of the caller's.</summary>
    internal static Task<BlockStore> OpenAsync(
        DataFolder folder,
        DataFolder? ownedFolder,
        StoreOptions options,
        IDisk disk,
        BlockBufferPool buffers,
        TimeProvider time,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        if (!folder.IsLocked)
            throw new InvalidOperationException("The data folder has to be locked before a store is opened in it.");
        ILogger logger = loggers.CreateLogger<BlockStore>();
        return Task.Run(
            () =>
            {
                folder.PrepareIndexFile();
                return new BlockStore(folder, ownedFolder, options, disk, buffers, time, logger);
            },
            cancellationToken);
    }

    /// <summary>Whether the block is here, as far as the index and the last look at its files tell.</summary>
    public bool Has(in Cid cid) => TryFind(cid, out BlockRow row) && IsHere(cid, row);

    /// <summary>Whether the store has the block's bytes itself, so that no file of the user's is needed.</summary>
    public bool IsOwned(in Cid cid) => TryFind(cid, out BlockRow row) && row.IsOwned;

    /// <summary>The size of a block that is here (bytes).</summary>
    public int? SizeOf(in Cid cid) => TryFind(cid, out BlockRow row) && IsHere(cid, row) ? row.Size : null;

    /// <summary>Whether the peer may have the block (D9). Says nothing about whether it is here.</summary>
    public bool MayServe(in Cid cid, PeerId asker) => TryFind(cid, out BlockRow row) && _pins.MayServe(row.PinSet, asker);

    /// <summary>All three in one look: what a server needs to answer a want.</summary>
    public BlockAvailability Look(in Cid cid, PeerId asker)
    {
        if (!TryFind(cid, out BlockRow row) || !IsHere(cid, row))
            return default;
        return new BlockAvailability(IsHeld: true, _pins.MayServe(row.PinSet, asker), row.Size);
    }

    /// <summary>Opens a block for reading; the caller disposes it. False: it is not here, or no place that had it has the right bytes any more.</summary>
    /// <exception cref="P2PException">The index or the disk failed.</exception>
    public bool TryOpenBlock(in Cid cid, BlockReadPurpose purpose, out StoredBlock block)
    {
        try
        {
            return _opener.TryOpen(cid, purpose, out block);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"read the block {cid.ToShortString()}", error);
        }
    }

    /// <summary>Reads a whole block, its hash checked; null when it is not here. The caller disposes it.</summary>
    public async ValueTask<BlockBuffer?> ReadAsync(Cid cid, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // Small blocks are in the index and most likely in memory; others wait for the disk on a thread of the pool.
        bool isSmall = TryFind(cid, out BlockRow row) && (row.Places & BlockPlaces.Inline) != 0;
        return isSmall ? ReadNow(cid) : await Task.Run(() => ReadNow(cid), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Begins a batch whose blocks join the pin. Without one they are garbage unless they have a pin already.</summary>
    public StoreBatch BeginBatch(PinId pin = default)
    {
        ObjectDisposedException.ThrowIf(_stop.IsValueCreated, this);
        return new StoreBatch(this, pin);
    }

    /// <summary>Finds a file that was added before and is the same by path, size, time and inode; its CID too when it was imported to the end.</summary>
    public bool TryGetImportedFile(string path, in FileIdentity identity, out FileRegistration file) => TryGetImportedFile(path, in identity, shareKey: 0, layout: 0, out file);

    /// <summary>Finds a file whose blocks are sealed with the key of that number (0: with none) and cut by that layout.</summary>
    public bool TryGetImportedFile(string path, in FileIdentity identity, long shareKey, int layout, out FileRegistration file)
    {
        CheckPath(path);
        using IndexReaders.Lease lease = _readers.Take();
        bool found = lease.Reader.TryFindFile(Path.GetDirectoryName(path) ?? "", Path.GetFileName(path), identity, shareKey, layout, out long id, out byte[]? root, out long checkedNs);
        file = found
            ? new FileRegistration(new FileId(id), PinRow.ReadCid(root)) { IsSettled = SourceFile.IsSettled(identity.ModifiedNs, checkedNs, _startedNs) }
            : default;
        return found;
    }

    /// <summary>Makes a wrapped key known, so that files can be added whose blocks are sealed with it, and returns its number. Take a pin that has it first.</summary>
    public async Task<long> AddShareKeyAsync(ReadOnlyMemory<byte> wrapped, CancellationToken cancellationToken)
    {
        long number = 0;
        await Writer.ApplyAsync(
            editor => number = editor.AddShareKey(wrapped.Span, () => Interlocked.Increment(ref _lastShareKey)), 1, Durability.Flushed, cancellationToken).ConfigureAwait(false);
        return number;
    }

    /// <summary>Files whose whole content is <paramref name="root"/>, as far as the index knows, found by their first block. They are as they were imported when their identity is still this one.</summary>
    public IReadOnlyList<(string Path, FileIdentity Identity)> FindWholeFiles(in Cid root, in Cid firstBlock)
    {
        if (!TryFind(firstBlock, out BlockRow row) || !row.HasSource)
            return [];
        using IndexReaders.Lease lease = _readers.Take();
        List<SourcePlace> places = row.HasMoreSources ? lease.Reader.FindSources(firstBlock.MultihashSpan) : [];
        places.Insert(0, new SourcePlace(row.File, row.Offset));
        var found = new List<(string, FileIdentity)>();
        foreach (SourcePlace place in places.Where(static place => place.Offset == 0).Take(MaxWholeFiles))
        {
            if (lease.Reader.FindFile(place.File) is { State: SourceState.Sound, Root: { } whole } file && PinRow.ReadCid(whole) == root)
                found.Add((file.Path, file.Identity));
        }
        return found;
    }

    /// <summary>Adds a pin and returns its id, on the disk when the task completes. Take it before the first block that it keeps is written.</summary>
    public async Task<PinId> AddPinAsync(Pin pin, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pin);
        Pin added = pin with { Id = new PinId(Interlocked.Increment(ref _lastPin)), CreatedAt = _time.GetUtcNow() };
        await Writer.ApplyAsync(editor => editor.InsertPin(added), 1, Durability.Flushed, cancellationToken).ConfigureAwait(false);
        return added.Id;
    }

    /// <summary>Removes a pin. What was served because of it is not served from this moment on.</summary>
    public async Task<bool> RemovePinAsync(PinId pin, CancellationToken cancellationToken)
    {
        if (!_pins.TryGet(pin, out _))
            return false;
        await Writer.ApplyAsync(editor => editor.RemovePin(pin), 1, Durability.Flushed, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>All pins, oldest first. Shares are those whose kind is served.</summary>
    public IReadOnlyList<Pin> GetPins() => _pins.Pins;

    /// <summary>The pins whose blocks peers may have, oldest first.</summary>
    public IReadOnlyList<Pin> GetShares() => [.. _pins.Pins.Where(pin => pin.Kind.IsServed())];

    public bool TryGetPin(PinId id, out Pin? pin) => _pins.TryGet(id, out pin);

    /// <summary>The fetch of that key, if one was recorded.</summary>
    public ResumeState? GetResume(string key) =>
        Query("SELECT key, root, target, part, pin FROM resumes WHERE key=?1", ReadResume, statement => statement.Bind(1, key)) is [ResumeState state] ? state : null;

    /// <summary>All recorded fetches.</summary>
    public IReadOnlyList<ResumeState> GetResumes() => Query("SELECT key, root, target, part, pin FROM resumes", ReadResume);

    /// <summary>A small thing that was remembered, e.g. the port last listened on; null when it was not.</summary>
    public string? GetSetting(string key) =>
        Query("SELECT value FROM settings WHERE key=?1", row => row.GetText(0), statement => statement.Bind(1, key)) is [string value] ? value : null;

    /// <summary>Remembers a small thing; null forgets it.</summary>
    public Task SetSettingAsync(string key, string? value, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (key.StartsWith(IndexEditor.InternalPrefix, StringComparison.Ordinal))
            throw new ArgumentException($"Names that begin with \"{IndexEditor.InternalPrefix}\" are the store's own.", nameof(key));
        return Writer.ApplyAsync(editor => editor.SetSetting(key, value), 1, Durability.Flushed, cancellationToken);
    }

    /// <summary>Source files that are not what was imported, by path.</summary>
    public IReadOnlyList<string> GetChangedFiles() => Query(
        $"SELECT d.path, f.name FROM files f JOIN folders d ON d.id=f.folder WHERE f.state IN ({(int)SourceState.Edited}, {(int)SourceState.Missing}) ORDER BY 1, 2",
        row => Path.Combine(row.GetText(0), row.GetText(1)));

    /// <summary>Looks at every source file of a pin, without reading it, and finds those that are not what they were when they were imported.</summary>
    /// <returns>The first of them by path, and how many there are.</returns>
    public (IReadOnlyList<SourceFinding> First, int Count) FindChangedFiles(Pin pin, int max, CancellationToken cancellationToken) =>
        new SourceSurvey(_readers, _pins, OwnedFiles.Disk).Find(pin, max, cancellationToken);

    /// <summary>Says what happened to the first source file of some shared content that is not what it was; null when all are.</summary>
    public string? DescribeChange(in Cid root, CancellationToken cancellationToken)
    {
        Cid wanted = root;
        foreach (Pin pin in GetPins().Where(pin => pin.Kind == PinKind.Shared && pin.Root == wanted))
        {
            if (FindChangedFiles(pin, 1, cancellationToken).First is [var found])
                return SourceDiagnosis.Describe(found.Path, found.IsMissing ? SourceDiagnosis.Find(OwnedFiles.Disk, found.Path) : SourceChange.Edited);
        }

        return null;
    }

    /// <summary>Says what is here, from counters that are kept with the rows.</summary>
    public StoreUsage GetUsage() => UsageReport.Of(_editor.Usage.Committed, _pins) with
    {
        QuotaBytes = Quota.Limit == long.MaxValue ? null : Quota.Limit,
        DatabaseBytes = OwnedFiles.SizeOf(Folder.IndexPath) + OwnedFiles.SizeOf(Folder.IndexPath + "-wal"),
        FreeDiskBytes = Folder.FreeBytes(),
    };

    /// <summary>Removes the blocks that no pin keeps, in slices beside everything else. One collection at a time; others wait.</summary>
    /// <returns>What was freed in the store.</returns>
    public Task<GarbageReport> CollectGarbageAsync(CancellationToken cancellationToken) => CollectGarbageAsync(null, cancellationToken);

    /// <inheritdoc cref="CollectGarbageAsync(CancellationToken)"/>
    /// <param name="isBusy">Whether somebody else wants the disk and the processor; then it takes its time. Null: nobody does.</param>
    /// <param name="cancellationToken">Ends it; what is removed stays removed.</param>
    public async Task<GarbageReport> CollectGarbageAsync(Func<bool>? isBusy, CancellationToken cancellationToken)
    {
        CollectionPace pace = new(isBusy, _time);
        await _collecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            (long blocks, long bytes) = await _garbage.CollectAsync(pace, cancellationToken).ConfigureAwait(false);
            await Writer.ApplyAsync(static editor => editor.DeleteUnusedShareKeys(), 1, Durability.Visible, cancellationToken).ConfigureAwait(false);
            (int files, long fileBytes) = await _sweeper.SweepAsync(cancellationToken).ConfigureAwait(false);
            if (blocks > 0)
                await _garbage.GiveBackSpaceAsync(pace, cancellationToken).ConfigureAwait(false);
            StoreLog.Collected(_logger, blocks, bytes);
            return new GarbageReport(blocks, bytes, files, fileBytes);
        }
        finally
        {
            _collecting.Release();
        }
    }

    /// <summary>Collects garbage when so many bytes would not fit below the quota and there is some. Call it before adding blocks, without an open batch that waits for others.</summary>
    public async ValueTask MakeRoomAsync(long bytes, CancellationToken cancellationToken)
    {
        if (Quota.Free >= bytes)
            return;
        long reclaimable = UsageReport.Of(_editor.Usage.Committed, _pins).ReclaimableBytes;
        if (reclaimable == 0 || reclaimable == Interlocked.Read(ref _futileReclaimable))
            return;
        GarbageReport report = await CollectGarbageAsync(cancellationToken).ConfigureAwait(false);

        // What batches rely on cannot go: not tried again before something changes.
        bool isFutile = report.Bytes == 0 && UsageReport.Of(_editor.Usage.Committed, _pins).ReclaimableBytes == reclaimable;
        Interlocked.Exchange(ref _futileReclaimable, isFutile ? reclaimable : -1);
    }

    /// <summary>Reads and hashes everything that is kept; changes nothing. The store goes on working meanwhile.</summary>
    public IAsyncEnumerable<StoreFinding> VerifyAsync(IProgress<VerifyProgress>? progress, CancellationToken cancellationToken) =>
        _newVerifier().VerifyAsync(progress, cancellationToken);

    /// <summary>Whether the index was rebuilt and its pins are not put together again yet.</summary>
    internal bool WasRebuilt => GetSetting(IndexSalvage.RebuiltSetting) is not null;

    /// <summary>Every place that is not right; changes nothing.</summary>
    internal IAsyncEnumerable<DamagedPlace> FindDamageAsync(IProgress<VerifyProgress>? progress, CancellationToken cancellationToken) =>
        _newVerifier().FindDamageAsync(progress, cancellationToken);

    /// <summary>Takes places out of service that are still not right. Source files that are gone are looked for again whenever somebody asks, so theirs stay.</summary>
    internal async Task DropAsync(IReadOnlyList<DamagedPlace> places, CancellationToken cancellationToken)
    {
        DamagedPlace[] wrong = [.. places.Where(place => place.Outcome != CheckOutcome.Missing)];
        if (wrong.Length == 0)
            return;
        StoreVerifier verifier = _newVerifier();
        await Writer.ApplyAsync(
            editor =>
            {
                foreach (DamagedPlace place in wrong.Where(verifier.IsStillBad))
                {
                    byte[] key = place.Block.Key.ToArray();
                    if (place.Check.Kind == BlockPlaces.Source)
                        editor.DropSource(key, place.Check.Source);
                    else
                        editor.DropOwned(key);
                }
            },
            wrong.Length,
            Durability.Flushed,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The pins that keep a block.</summary>
    internal IReadOnlyList<Pin> GetPinsOf(in Cid cid) => TryFind(cid, out BlockRow row) ? _pins.PinsOf(row.PinSet) : [];

    /// <summary>The pins that stand behind the number of a block's pins.</summary>
    internal IReadOnlyList<Pin> GetPinsOfSet(long pinSet) => _pins.PinsOf(pinSet);

    /// <summary>After a rebuild: everything has its pins again, so that what was found beyond that is garbage.</summary>
    internal Task EndRebuildAsync(CancellationToken cancellationToken) => Writer.ApplyAsync(
        editor =>
        {
            foreach (Pin recovered in _pins.Pins.Where(pin => pin.Kind == PinKind.Kept && pin.Root.IsEmpty && pin.Name == IndexSalvage.RecoveredName))
                editor.RemovePin(recovered.Id);
            editor.SetSetting(IndexSalvage.RebuiltSetting, null);
        },
        1,
        Durability.Flushed,
        cancellationToken);

    /// <summary>Commits what is queued and closes everything. Blocks that are open are read to their end.</summary>
    public ValueTask DisposeAsync() => new(_stop.Value);

    internal static void CheckPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException("The path has to be absolute.", nameof(path));
    }

    internal FileId NextFileId() => new(Interlocked.Increment(ref _lastFile));

    internal long NowNs() => StoreClock.NowNs(_time);

    internal bool IsDoubtful(long file) => Watch.StateOf(file) != SourceState.Sound;

    internal void OnFileChanged(long file, SourceState state)
    {
        Watch.Set(file, state);
        _sources.Forget(file);
    }

    internal void OnSuperseded(long file) => OnFileChanged(file, SourceState.Superseded);

    internal void OnRelocated() => _sources.Clear();

    /// <summary>A new index beside blocks or recorded pins is no new folder: something took the index away.</summary>
    private static void RefuseLostIndex(IndexConnection connection, DataFolder folder, IDisk disk)
    {
        if (connection.Scalar("PRAGMA user_version") != 0)
            return;
        bool hasBlocks;
        try
        {
            hasBlocks = disk.ListFiles(folder.BlocksPath).Any();
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"look into the folder {folder.BlocksPath}", error);
        }
        bool hasPins = PinRecord.ReadBytes(disk, folder.PinsPath) is { Length: > 0 } bytes && PinRecord.TryParse(bytes) is not { Pins.Count: 0 };
        if (hasPins || hasBlocks)
            throw StoreFailure.DamagedIndex(folder.IndexPath, "it is missing or empty although there is content");
    }

    private void RecordPins(PinRecord record) => record.Write(OwnedFiles.Disk, Folder.PinsPath);

    /// <summary>Brings the record of pins up to date: an earlier version wrote none, and a crash may have come between it and the index.</summary>
    private void CheckRecord(IDisk disk)
    {
        PinRecord record = _editor.ReadPins();
        byte[]? there = PinRecord.ReadBytes(disk, Folder.PinsPath);
        if (there is null ? record.Pins.Count == 0 && record.Resumes.Count == 0 : there.AsSpan().SequenceEqual(record.ToBytes()))
            return;
        try
        {
            RecordPins(record);
        }
        catch (P2PException error)
        {
            StoreLog.PinsNotRecorded(_logger, error);
            _editor.NoteRecordDue();
        }
    }

    private static ResumeState ReadResume(IndexStatement row) =>
        new(row.GetText(0), PinRow.ReadCid(row.GetBlob(1)), row.GetText(2), row.GetText(3), new PinId(row.GetInt64(4)));

    private bool TryFind(in Cid cid, out BlockRow row)
    {
        using IndexReaders.Lease lease = _readers.Take();
        return lease.Reader.TryFind(cid.MultihashSpan, out row);
    }

    private bool IsHere(in Cid cid, in BlockRow row)
    {
        if (row.IsOwned)
            return true;
        if (row.HasSource && _opener.IsReachable(row.File))
            return true;
        return row.HasMoreSources && HasOtherSource(cid);
    }

    private bool HasOtherSource(in Cid cid)
    {
        List<SourcePlace> places;
        using (IndexReaders.Lease lease = _readers.Take())
            places = lease.Reader.FindSources(cid.MultihashSpan);
        return places.Exists(place => _opener.IsReachable(place.File));
    }

    private BlockBuffer? ReadNow(Cid cid)
    {
        if (!TryOpenBlock(cid, BlockReadPurpose.Verify, out StoredBlock block))
            return null;
        return block.TakeBuffer();
    }

    private SourceRow? FindFile(long id)
    {
        using IndexReaders.Lease lease = _readers.Take();
        return lease.Reader.FindFile(id);
    }

    internal List<T> Query<T>(string sql, Func<IndexStatement, T> read, Action<IndexStatement>? bind = null)
    {
        using IndexReaders.Lease lease = _readers.Take();
        return lease.Reader.Query(sql, read, bind);
    }

    /// <summary>Removes what a crash left; it takes space and nothing else, so a failure is left to the next start.</summary>
    private async Task SweepAsync()
    {
        try
        {
            (int files, _) = await _sweeper.SweepAsync(_stopping.Token).ConfigureAwait(false);
            if (files > 0)
                StoreLog.Swept(_logger, files);
        }
        catch (Exception error) when (error is OperationCanceledException or P2PException or ObjectDisposedException || StoreFailure.IsFromDisk(error))
        {
            StoreLog.SweepFailed(_logger, error);
        }
    }

    private async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _sweep.ConfigureAwait(false);
        _sources.Dispose();
        _readers.Dispose();
        await Writer.DisposeAsync().ConfigureAwait(false);
        _keys.Dispose(); // after the writer: a block that failed under wiped keys must not count as changed
        Watch.Close();
        _stopping.Dispose();
        _collecting.Dispose();
        _ownedFolder?.Dispose();
    }
}
