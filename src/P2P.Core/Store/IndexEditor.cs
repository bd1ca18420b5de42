namespace P2P.Core.Store;

/// <summary>
/// Changes the index inside a transaction of the writer: the only code that writes rows. Nothing here is thread-safe; memory that readers see is changed
/// after the commit, but for a pin that goes, which goes at once.
/// </summary>
internal sealed partial class IndexEditor : IDisposable
{
    /// <summary>Places remembered for one block (count). A block of zeros may occur a million times; more places than this make it no safer.</summary>
    private const int MaxSourcesPerBlock = 8;

    /// <summary>Folder numbers remembered (count).</summary>
    private const int MaxCachedFolders = 4096;

    private readonly IndexConnection _connection;
    private readonly PinTable _pins;
    private readonly OwnedFiles _files;
    private readonly Action<long> _onFileGone;
    private readonly Action<PinRecord>? _recordPins;
    private readonly List<IndexStatement> _statements = [];
    private readonly Dictionary<string, long> _folders = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changedFolders = new(StringComparer.Ordinal);
    private readonly List<Action> _afterCommit = [];

    /// <summary>Pins that this transaction removes: gone from memory at once, and not to be brought back by what it did before.</summary>
    private readonly HashSet<PinId> _removedPins = [];

    /// <summary>Block files to take away once no row speaks of them: by path, with the key when they are damaged. Those of this transaction.</summary>
    private readonly Dictionary<string, byte[]?> _removals = new(StringComparer.Ordinal);

    /// <summary>Those of transactions that are committed, and may not be on the disk yet: until then a power cut can bring the rows back.</summary>
    private readonly Dictionary<string, byte[]?> _dueRemovals = new(StringComparer.Ordinal);
    private readonly IndexStatement _findBlock, _insertBlock, _updateBlock, _deleteBlock, _insertBlob, _deleteBlob;
    private readonly IndexStatement _insertSource, _findSources, _deleteSource, _deleteSources;
    private readonly IndexStatement _findFolder, _insertFolder, _putFile, _supersede, _finishFile, _setFileState, _deleteFile;
    private readonly IndexStatement _insertPin, _updatePin, _deletePin, _insertMember, _deleteMembers, _setCounter, _putUsage, _deleteUsage, _deleteProvidedPin;
    private HashSet<long>? _notedFiles;
    private long _nextPinSet;
    private long _mark;
    private bool _ownedBytesChanged;
    private bool _isRecordDue; // with the next flushed commit
    private bool _isRecordStale; // at the end at the latest

    public IndexEditor(IndexConnection connection, PinTable pins, OwnedFiles files, Action<long> onFileGone, Action<PinRecord>? recordPins)
    {
        (_connection, _pins, _files, _onFileGone, _recordPins) = (connection, pins, files, onFileGone, recordPins);
        _findBlock = Prepare(IndexReader.BlockSql);
        _insertBlock = Prepare("INSERT INTO blocks(key, size, places, pin_set, file, offset, blob) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        _updateBlock = Prepare("UPDATE blocks SET size=?2, places=?3, pin_set=?4, file=?5, offset=?6, blob=?7 WHERE key=?1");
        _deleteBlock = Prepare("DELETE FROM blocks WHERE key=?1");
        _insertBlob = Prepare("INSERT INTO blobs(data) VALUES(?1)");
        _deleteBlob = Prepare("DELETE FROM blobs WHERE id=?1");
        _insertSource = Prepare("INSERT OR IGNORE INTO sources(key, file, offset) VALUES(?1, ?2, ?3)");
        _findSources = Prepare("SELECT file, offset FROM sources WHERE key=?1");
        _deleteSource = Prepare("DELETE FROM sources WHERE key=?1 AND file=?2 AND offset=?3");
        _deleteSources = Prepare("DELETE FROM sources WHERE key=?1");
        _findFolder = Prepare("SELECT id FROM folders WHERE path=?1");
        _insertFolder = Prepare("INSERT INTO folders(path) VALUES(?1)");
        _putFile = Prepare(
            "INSERT INTO files(id, folder, name, size, modified_ns, inode, device, checked_ns, state, root, share_key, layout) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, ?11) " +
            "ON CONFLICT(id) DO NOTHING");
        _supersede = Prepare(
            "UPDATE files SET state=4 WHERE folder=?1 AND name=?2 AND id<>?3 AND share_key=?4 AND state<>4 " +
            "AND NOT (layout<>?5 AND state=0 AND size=?6 AND modified_ns=?7 AND inode=?8 AND device=?9) RETURNING id");
        _finishFile = Prepare("UPDATE files SET size=?2, modified_ns=?3, inode=?4, device=?5, checked_ns=?6, state=0, root=coalesce(?7, root) WHERE id=?1");
        _setFileState = Prepare("UPDATE files SET state=?2 WHERE id=?1 AND state<>4");
        _deleteFile = Prepare("DELETE FROM files WHERE id=?1");
        _insertPin = Prepare(
            "INSERT INTO pins(id, kind, root, name, path, allowed, bytes, blocks, wrapped_key, created_ms, hints) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
        _updatePin = Prepare(
            "UPDATE pins SET kind=?2, root=?3, name=?4, path=?5, allowed=?6, bytes=?7, blocks=?8, wrapped_key=?9, created_ms=?10, hints=?11 WHERE id=?1");
        _deletePin = Prepare("DELETE FROM pins WHERE id=?1");
        _insertMember = Prepare("INSERT INTO pin_sets(pin_set, pin) VALUES(?1, ?2)");
        _deleteMembers = Prepare("DELETE FROM pin_sets WHERE pin=?1");
        _deleteProvidedPin = Prepare("DELETE FROM provided_pins WHERE pin=?1");
        _setCounter = Prepare("INSERT INTO settings(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value=excluded.value");
        _putUsage = Prepare(
            "INSERT INTO usage(pin_set, standing, blocks, bytes) VALUES(?1, ?2, ?3, ?4) " +
            "ON CONFLICT(pin_set, standing) DO UPDATE SET blocks=excluded.blocks, bytes=excluded.bytes");
        _deleteUsage = Prepare("DELETE FROM usage WHERE pin_set=?1 AND standing=?2");
        Reload();
    }

    /// <summary>How many blocks there are, by pin set.</summary>
    public UsageTable Usage { get; } = new();

    /// <summary>Bytes of the blocks in the store (owned ones); committed ones once the transaction has ended.</summary>
    public long OwnedBytes { get; private set; }

    /// <summary>Something to do once the transaction is committed.</summary>
    public void AfterCommit(Action action) => _afterCommit.Add(action);

    /// <summary>What is pinned, as the index says; inside a transaction as it will say.</summary>
    public PinRecord ReadPins() => PinRecord.Of(ReadAll(PinRow.SelectSql, PinRow.Read), ReadAll(
        "SELECT key, root, target, part, pin FROM resumes ORDER BY key",
        row => new ResumeState(row.GetText(0), PinRow.ReadCid(row.GetBlob(1)), row.GetText(2), row.GetText(3), new PinId(row.GetInt64(4)))));

    /// <summary>Brings the record of pins up to date at the end.</summary>
    public void FinishRecord()
    {
        if (_isRecordDue || _isRecordStale)
            _recordPins?.Invoke(ReadPins());
        _isRecordDue = _isRecordStale = false;
    }

    /// <summary>The record of pins could not be written: it is due with the next flushed commit.</summary>
    public void NoteRecordDue() => _isRecordDue = true;

    /// <summary>Flushes what the rows rely on; called right before the commit, inside the transaction.</summary>
    /// <param name="isFlushed">Whether the commit will be flushed: then a pin that it changes must outlive even the index.</param>
    public void BeforeCommit(bool isFlushed)
    {
        _files.FlushNames(_changedFolders);
        _changedFolders.Clear();
        if (_ownedBytesChanged)
            SetCounter(OwnedBytesCounter, OwnedBytes);
        _ownedBytesChanged = false;
        foreach ((long set, BlockStanding standing, UsageCount count) in Usage.Changes)
        {
            if (count.Blocks > 0)
                _putUsage.Bind(1, set).Bind(2, (long)standing).Bind(3, count.Blocks).Bind(4, count.Bytes).Run();
            else
                _deleteUsage.Bind(1, set).Bind(2, (long)standing).Run();
        }
        if (!isFlushed || !_isRecordDue || _recordPins is null)
            return;
        _recordPins(ReadPins());

        // If the commit fails after all, the record is ahead of the index; the end, or the next start, puts that right.
        (_isRecordDue, _isRecordStale) = (false, true);
    }

    /// <summary>Changes a row that means nothing, so that the commit writes something, and with it is flushed.</summary>
    public void WriteMark() => SetCounter(MarkCounter, ++_mark);

    /// <summary>Whether files wait for <see cref="RemoveFiles"/>.</summary>
    public bool HasFilesToRemove => _dueRemovals.Count > 0;

    /// <summary>Removes the files that no row speaks of any more; called once that is on the disk.</summary>
    public void RemoveFiles()
    {
        foreach ((string path, byte[]? damagedKey) in _dueRemovals)
        {
            if (damagedKey is null)
                _files.TryDelete(path);
            else
                _files.Quarantine(damagedKey);
        }
        _dueRemovals.Clear();
    }

    /// <summary>Makes the changes known to the readers' memory.</summary>
    public void Committed()
    {
        Usage.Commit();
        foreach ((string path, byte[]? damagedKey) in _removals)
            _dueRemovals[path] = damagedKey;
        _removals.Clear();
        foreach (Action action in _afterCommit)
            action();
        _afterCommit.Clear();
        _removedPins.Clear();
    }

    /// <summary>Gives free pages of the index back to the file system.</summary>
    /// <returns>How many are free still.</returns>
    public long GiveBackPages(int count)
    {
        _connection.Run(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"PRAGMA incremental_vacuum({count})"));
        return _connection.Scalar("PRAGMA freelist_count");
    }

    /// <summary>Takes memory back to what the index says, after a transaction that did not end well.</summary>
    public void Reload()
    {
        _afterCommit.Clear();
        _removedPins.Clear();
        _removals.Clear();
        _changedFolders.Clear();
        _folders.Clear();
        _pins.Load(ReadAll(PinRow.SelectSql, PinRow.Read), ReadAll("SELECT pin_set, pin FROM pin_sets", row => (row.GetInt64(0), row.GetInt64(1))));
        Usage.Load(ReadAll(
            "SELECT pin_set, standing, blocks, bytes FROM usage",
            row => (row.GetInt64(0), (BlockStanding)row.GetInt32(1), new UsageCount(row.GetInt64(2), row.GetInt64(3)))));
        _nextPinSet = Math.Max(1, ReadCounter(PinSetCounter));
        _mark = ReadCounter(MarkCounter);
        OwnedBytes = ReadCounter(OwnedBytesCounter);
        _ownedBytesChanged = false;
    }

    /// <summary>Settings of the store itself begin so; nobody else's may.</summary>
    public const string InternalPrefix = "store.";

    private const string PinSetCounter = InternalPrefix + "next_pin_set";
    private const string OwnedBytesCounter = InternalPrefix + "owned_bytes";
    private const string MarkCounter = InternalPrefix + "mark";

    // ---- blocks

    /// <summary>Adds a block to the index itself.</summary>
    /// <returns>Whether the block was known before the pin.</returns>
    public bool AddInline(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, PinId pin)
    {
        bool known = TryFind(key, out BlockRow row);
        BlockRow changed = Join(known ? row : default, pin);
        if (!changed.IsOwned)
        {
            _insertBlob.Bind(1, data).Run();
            changed = changed with { Size = data.Length, Places = changed.Places | BlockPlaces.Inline, Blob = _connection.LastInsertId };
            CountOwned(data.Length);
        }
        Put(key, known, row, changed);
        return known && !_pins.IsOnly(row.PinSet, pin);
    }

    /// <summary>Adds a block that was written and flushed under a temporary name.</summary>
    /// <returns>Whether the block was known before the pin.</returns>
    public bool AddOwnedFile(ReadOnlySpan<byte> key, int size, TemporaryBlock temporary, PinId pin)
    {
        bool known = TryFind(key, out BlockRow row);
        BlockRow changed = Join(known ? row : default, pin);
        if (!changed.IsOwned)
        {
            string path = _files.PathOf(key);
            if (!temporary.IsNamed)
                _files.Name(temporary.Path, path);
            else if (!_files.Disk.TryGetIdentity(path, out _))
                throw new P2PException(P2PErrorCode.Store, $"The block {path} was named by a commit that failed, and swept since. Add it anew.");
            temporary.IsNamed = true;
            _changedFolders.Add(Path.GetDirectoryName(path)!);
            _removals.Remove(path);
            _dueRemovals.Remove(path);
            changed = changed with { Size = size, Places = changed.Places | BlockPlaces.OwnedFile };
            CountOwned(size);
        }
        Put(key, known, row, changed);
        return known && !_pins.IsOnly(row.PinSet, pin);
    }

    /// <summary>Adds a block that lies in a source file.</summary>
    /// <returns>Whether the block was known before the pin.</returns>
    public bool AddSource(ReadOnlySpan<byte> key, int size, SourcePlace place, PinId pin, Func<long, bool> isDoubtful)
    {
        bool known = TryFind(key, out BlockRow row);
        BlockRow changed = Join(known ? row : default, pin) with { Size = size };
        _notedFiles?.Add(place.File);
        if (!changed.HasSource)
        {
            changed = changed with { Places = changed.Places | BlockPlaces.Source, File = place.File, Offset = place.Offset };
        }
        else if (changed.File != place.File || changed.Offset != place.Offset)
        {
            List<SourcePlace> others = changed.HasMoreSources ? FindSources(key) : [];
            SourcePlace second = place;
            if (isDoubtful(changed.File))
            {
                // The new place is better than the first one: look there first from now on.
                second = new SourcePlace(changed.File, changed.Offset);
                changed = changed with { File = place.File, Offset = place.Offset };
            }
            if (others.Count + 1 < MaxSourcesPerBlock && !others.Contains(second))
            {
                _insertSource.Bind(1, key).Bind(2, second.File).Bind(3, second.Offset).Run();
                changed = changed with { Places = changed.Places | BlockPlaces.MoreSources };
            }
        }
        Put(key, known, row, changed);
        return known && !_pins.IsOnly(row.PinSet, pin);
    }

    /// <summary>Adds a further place of a block that is known.</summary>
    public void AddSourceToKnown(ReadOnlySpan<byte> key, SourcePlace place)
    {
        if (TryFind(key, out BlockRow row))
            AddSource(key, row.Size, place, default, static _ => false);
    }

    /// <summary>Adds an inline block unless its bytes are here.</summary>
    public void AddInlineIfUnknown(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, PinId pin)
    {
        if (!TryFind(key, out BlockRow row) || !row.IsOwned)
            AddInline(key, data, pin);
    }

    /// <summary>Joins a known block to a pin.</summary>
    public void AddExisting(ReadOnlySpan<byte> key, PinId pin)
    {
        if (TryFind(key, out BlockRow row))
            Put(key, known: true, row, Join(row, pin));
    }

    /// <summary>A place in a source file turned out wrong: another one takes over, if there is one.</summary>
    public void DropSource(ReadOnlySpan<byte> key, SourcePlace place)
    {
        if (!TryFind(key, out BlockRow row))
            return;
        _deleteSource.Bind(1, key).Bind(2, place.File).Bind(3, place.Offset).Run();
        List<SourcePlace> others = row.HasMoreSources ? FindSources(key) : [];
        BlockRow changed = row;
        if (row.HasSource && row.File == place.File && row.Offset == place.Offset)
        {
            if (others.Count > 0)
            {
                changed = changed with { File = others[0].File, Offset = others[0].Offset };
                _deleteSource.Bind(1, key).Bind(2, others[0].File).Bind(3, others[0].Offset).Run();
                _notedFiles?.Add(others[0].File); // a collection at work may have passed the block and not know this file as used
                others.RemoveAt(0);
            }
            else
            {
                changed = changed with { Places = changed.Places & ~BlockPlaces.Source, File = 0, Offset = 0 };
            }
        }
        if (others.Count == 0)
            changed = changed with { Places = changed.Places & ~BlockPlaces.MoreSources };
        Put(key, known: true, row, changed);
    }

    /// <summary>Bytes that the store keeps turned out wrong.</summary>
    public void DropOwned(ReadOnlySpan<byte> key)
    {
        if (!TryFind(key, out BlockRow row) || !row.IsOwned)
            return;
        if ((row.Places & BlockPlaces.Inline) != 0)
            _deleteBlob.Bind(1, row.Blob).Run();
        if ((row.Places & BlockPlaces.OwnedFile) != 0)
            _removals[_files.PathOf(key)] = key.ToArray();
        CountOwned(-row.Size);
        Put(key, known: true, row, row with { Places = row.Places & ~(BlockPlaces.Inline | BlockPlaces.OwnedFile), Blob = 0 });
    }

    /// <summary>Removes a block that no pin keeps. Returns the bytes freed in the store; -1 when a pin has it meanwhile.</summary>
    public long DeleteUnkept(ReadOnlySpan<byte> key)
    {
        if (!TryFind(key, out BlockRow row) || _pins.IsKept(row.PinSet))
            return -1;
        if ((row.Places & BlockPlaces.Inline) != 0)
            _deleteBlob.Bind(1, row.Blob).Run();
        if ((row.Places & BlockPlaces.OwnedFile) != 0)
            _removals[_files.PathOf(key)] = null;
        if (row.HasMoreSources)
            _deleteSources.Bind(1, key).Run();
        _deleteBlock.Bind(1, key).Run();
        Usage.Count(row, -1);
        if (!row.IsOwned)
            return 0;
        CountOwned(-row.Size);
        return row.Size;
    }

    /// <summary>Removes a block file whose row does not exist.</summary>
    public void SweepBlockFile(string path, ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty || !TryFind(key, out BlockRow row) || (row.Places & BlockPlaces.OwnedFile) == 0)
            _removals[path] = null;
    }

    // ---- source files

    /// <summary>
    /// Adds a file under a number that was handed out before; an earlier import of the same path with the same key, or none, is superseded, unless it is the
    /// same file cut by other rules.
    /// </summary>
    public void AddFile(FileId id, string path, in FileIdentity identity, long shareKey, int layout, long checkedNs, SourceState state, Action<long> onSuperseded)
    {
        (string parent, string name) = Split(path);
        long folder = FolderOf(parent);
        _supersede.Bind(1, folder).Bind(2, name).Bind(3, id.Value).Bind(4, shareKey).Bind(5, layout)
            .Bind(6, identity.Size).Bind(7, identity.ModifiedNs).Bind(8, (long)identity.Inode).Bind(9, (long)identity.Device);
        while (_supersede.Step())
        {
            long superseded = _supersede.GetInt64(0);
            AfterCommit(() => onSuperseded(superseded));
        }
        _putFile.Bind(1, id.Value).Bind(2, folder).Bind(3, name).Bind(4, identity.Size).Bind(5, identity.ModifiedNs)
            .Bind(6, (long)identity.Inode).Bind(7, (long)identity.Device).Bind(8, checkedNs).Bind(9, (long)state).Bind(10, shareKey).Bind(11, layout).Run();
    }

    /// <summary>Says what a file is from now on. An empty root leaves the one that it has.</summary>
    public void FinishFile(FileId id, in FileIdentity identity, long checkedNs, in Cid root)
    {
        _finishFile.Bind(1, id.Value).Bind(2, identity.Size).Bind(3, identity.ModifiedNs)
            .Bind(4, (long)identity.Inode).Bind(5, (long)identity.Device).Bind(6, checkedNs);
        if (root.IsEmpty)
            _finishFile.Bind(7, (string?)null);
        else
            _finishFile.Bind(7, root.AsSpan());
        _finishFile.Run();
    }

    /// <summary>Begins or ends to note which files get blocks, for the collector.</summary>
    public void NoteFiles(bool isOn) => _notedFiles = isOn ? [] : null;

    /// <summary>Removes a file that had no block when the collector looked and got none since.</summary>
    public void DeleteUnusedFile(long id)
    {
        if (_notedFiles is null || _notedFiles.Contains(id))
            return;
        _deleteFile.Bind(1, id).Run();
        AfterCommit(() => _onFileGone(id));
    }

    public void SetFileState(FileId id, SourceState state) => _setFileState.Bind(1, id.Value).Bind(2, (long)state).Run();

    /// <summary>Follows the rename of a file or folder.</summary>
    public void Relocate(string oldPath, string newPath)
    {
        (string oldParent, string oldName) = Split(oldPath);
        if (TryFindFolder(oldParent, out long oldFolder))
        {
            (string newParent, string newName) = Split(newPath);
            long newFolder = FolderOf(newParent);
            using IndexStatement move = _connection.Prepare("UPDATE files SET folder=?3, name=?4 WHERE folder=?1 AND name=?2");
            move.Bind(1, oldFolder).Bind(2, oldName).Bind(3, newFolder).Bind(4, newName).Run();
        }

        char separator = Path.DirectorySeparatorChar;
        string from = oldPath + separator, to = oldPath + (char)(separator + 1);
        List<(long Id, string Path)> folders = ReadAll(
            "SELECT id, path FROM folders WHERE path=?1 OR (path>=?2 AND path<?3)",
            row => (row.GetInt64(0), row.GetText(1)),
            statement => statement.Bind(1, oldPath).Bind(2, from).Bind(3, to));
        _folders.Clear();
        foreach ((long id, string path) in folders)
            MoveFolder(id, newPath + path[oldPath.Length..]);
    }

    // ---- keys of private shares

    /// <summary>The number of a wrapped key; one that is new gets the given number.</summary>
    public long AddShareKey(ReadOnlySpan<byte> wrapped, Func<long> nextNumber)
    {
        using IndexStatement find = _connection.Prepare("SELECT id FROM share_keys WHERE wrapped=?1");
        if (find.Bind(1, wrapped).Step())
        {
            long known = find.GetInt64(0);
            find.Reset();
            return known;
        }

        long added = nextNumber();
        using IndexStatement insert = _connection.Prepare("INSERT INTO share_keys(id, wrapped) VALUES(?1, ?2)");
        insert.Bind(1, added).Bind(2, wrapped).Run();
        return added;
    }

    /// <summary>Removes the keys that no file is sealed with and no pin has.</summary>
    public void DeleteUnusedShareKeys() =>
        _connection.Run("DELETE FROM share_keys WHERE id NOT IN (SELECT share_key FROM files) AND wrapped NOT IN (SELECT wrapped_key FROM pins);");

    // ---- pins

    public void InsertPin(Pin pin)
    {
        PinRow.Bind(_insertPin.Bind(1, pin.Id.Value), pin).Run();
        _isRecordDue |= PinRecord.Has(pin);
        AfterCommit(() => Show(pin));
    }

    public void UpdatePin(Pin pin)
    {
        // A caller that did not read the pin back does not know when it was added.
        if (pin.CreatedAt == default && _pins.TryGet(pin.Id, out Pin? known))
            pin = pin with { CreatedAt = known!.CreatedAt };
        long before = _connection.TotalChanges;
        PinRow.Bind(_updatePin.Bind(1, pin.Id.Value), pin).Run();
        if (_connection.TotalChanges == before)
            return; // it was removed meanwhile, and stays so
        _isRecordDue |= PinRecord.Has(pin) || IsRecorded(pin.Id);

        // A narrower share must be narrow before anybody is told that it is.
        AfterCommit(() => Show(pin));
    }

    private void Show(Pin pin)
    {
        if (!_removedPins.Contains(pin.Id))
            _pins.Put(pin);
    }

    public void RemovePin(PinId id)
    {
        _removedPins.Add(id);
        _isRecordDue |= IsRecorded(id);
        _isRecordStale = true;
        _deletePin.Bind(1, id.Value).Run();
        _deleteMembers.Bind(1, id.Value).Run();
        _deleteProvidedPin.Bind(1, id.Value).Run();
        _pins.Remove(id);
    }

    // ---- leases

    /// <summary>Writes a row in place of the one before, and removes the pin that the one before had.</summary>
    public void SetLease(LeaseRow lease)
    {
        using IndexStatement find = _connection.Prepare("SELECT pin FROM leases WHERE publisher=?1 AND run_key=?2");
        long before = find.Bind(1, lease.Publisher.Span).Bind(2, lease.RunKey.Span).Step() ? find.GetInt64(0) : 0;
        find.Reset();
        using IndexStatement put = _connection.Prepare(
            "INSERT OR REPLACE INTO leases(publisher, run_key, pin, origin, envelope, keep_until, entries) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        put.Bind(1, lease.Publisher.Span).Bind(2, lease.RunKey.Span).Bind(3, lease.Pin.Value).Bind(4, unchecked((long)lease.Origin)).Bind(5, lease.Envelope.Span)
            .Bind(6, lease.KeepUntil.ToUnixTimeSeconds()).Bind(7, lease.Entries.Span).Run();
        if (before != 0 && before != lease.Pin.Value)
            RemovePin(new PinId(before));
    }

    /// <summary>Removes rows whose time is over, with their pins.</summary>
    public void RemoveLeases(DateTimeOffset endedBy)
    {
        List<long> pins = [];
        using IndexStatement remove = _connection.Prepare("DELETE FROM leases WHERE keep_until<=?1 RETURNING pin");
        remove.Bind(1, endedBy.ToUnixTimeSeconds());
        while (remove.Step())
            pins.Add(remove.GetInt64(0));
        remove.Reset();
        foreach (long pin in pins.Where(static pin => pin != 0))
            RemovePin(new PinId(pin));
    }

    // ---- receipts

    /// <summary>Writes a receipt in place of the one before.</summary>
    public void SetReceipt(ReceiptRow receipt)
    {
        using IndexStatement put = _connection.Prepare("INSERT OR REPLACE INTO receipts(root, run_key, holder, addresses, envelope) VALUES(?1, ?2, ?3, ?4, ?5)");
        put.Bind(1, receipt.Root.AsSpan()).Bind(2, receipt.RunKey.Span).Bind(3, receipt.Holder.Span).Bind(4, receipt.Addresses).Bind(5, receipt.Envelope.Span).Run();
    }

    /// <summary>Removes receipts of a share: all, those of a run, or one.</summary>
    public void RemoveReceipts(in Cid root, ReadOnlySpan<byte> runKey, ReadOnlySpan<byte> holder)
    {
        using IndexStatement delete = _connection.Prepare("DELETE FROM receipts WHERE root=?1 AND (?2=x'' OR run_key=?2) AND (?3=x'' OR holder=?3)");
        delete.Bind(1, root.AsSpan()).Bind(2, runKey).Bind(3, holder).Run();
    }

    // ---- settings and resume state

    public void SetSetting(string key, string? value)
    {
        if (value is not null)
        {
            _setCounter.Bind(1, key).Bind(2, value).Run();
            return;
        }
        using IndexStatement delete = _connection.Prepare("DELETE FROM settings WHERE key=?1");
        delete.Bind(1, key).Run();
    }

    public void SetResume(ResumeState state)
    {
        _isRecordStale = true;
        using IndexStatement put = _connection.Prepare("INSERT OR REPLACE INTO resumes(key, root, target, part, pin) VALUES(?1, ?2, ?3, ?4, ?5)");
        put.Bind(1, state.Key).Bind(2, state.Root.AsSpan()).Bind(3, state.TargetPath).Bind(4, state.PartPath).Bind(5, state.Pin.Value).Run();
    }

    public void RemoveResume(string key)
    {
        _isRecordStale = true;
        using IndexStatement resume = _connection.Prepare("DELETE FROM resumes WHERE key=?1");
        resume.Bind(1, key).Run();
    }

    public void Dispose()
    {
        foreach (IndexStatement statement in _statements)
            statement.Dispose();
    }

    // ---- inside

    private bool IsRecorded(PinId id) => _pins.TryGet(id, out Pin? pin) && PinRecord.Has(pin!);

    private static (string Folder, string Name) Split(string path) => (Path.GetDirectoryName(path) ?? "", Path.GetFileName(path));

    private IndexStatement Prepare(string sql)
    {
        IndexStatement statement = _connection.Prepare(sql);
        _statements.Add(statement);
        return statement;
    }

    private bool TryFind(ReadOnlySpan<byte> key, out BlockRow row)
    {
        if (!_findBlock.Bind(1, key).Step())
        {
            row = default;
            return false;
        }
        row = IndexReader.ReadBlock(_findBlock);
        _findBlock.Reset();
        return true;
    }

    private List<SourcePlace> FindSources(ReadOnlySpan<byte> key)
    {
        List<SourcePlace> places = [];
        _findSources.Bind(1, key);
        while (_findSources.Step())
            places.Add(new SourcePlace(_findSources.GetInt64(0), _findSources.GetInt64(1)));
        return places;
    }

    private void Put(ReadOnlySpan<byte> key, bool known, in BlockRow before, in BlockRow after)
    {
        if (known && before == after)
            return;
        if (known)
            Usage.Count(before, -1);
        Usage.Count(after, 1);
        (known ? _updateBlock : _insertBlock).Bind(1, key).Bind(2, after.Size).Bind(3, (long)after.Places).Bind(4, after.PinSet)
            .Bind(5, after.File).Bind(6, after.Offset).Bind(7, after.Blob).Run();
    }

    private BlockRow Join(in BlockRow row, PinId pin)
    {
        if (pin.IsNone)
            return row;
        if (_pins.TryGetWith(row.PinSet, pin.Value, out long set))
            return row with { PinSet = set };
        set = _nextPinSet++;
        long[] members = _pins.MembersWith(row.PinSet, pin.Value);
        foreach (long member in members)
            _insertMember.Bind(1, set).Bind(2, member).Run();
        SetCounter(PinSetCounter, _nextPinSet);

        // Known to readers before the commit: a set without blocks serves nothing.
        _pins.AddSet(set, members);
        return row with { PinSet = set };
    }

    private void CountOwned(long bytes)
    {
        OwnedBytes += bytes;
        _ownedBytesChanged = true;
    }

    private void SetCounter(string name, long value) => _setCounter.Bind(1, name).Bind(2, value).Run();

    private long ReadCounter(string name)
    {
        using IndexStatement read = _connection.Prepare("SELECT CAST(value AS INTEGER) FROM settings WHERE key=?1");
        if (!read.Bind(1, name).Step())
            return 0;
        long value = read.GetInt64(0);
        read.Reset();
        return value;
    }

    private bool TryFindFolder(string path, out long id)
    {
        if (_folders.TryGetValue(path, out id))
            return true;
        if (!_findFolder.Bind(1, path).Step())
            return false;
        id = _findFolder.GetInt64(0);
        _findFolder.Reset();
        return true;
    }

    private long FolderOf(string path)
    {
        if (!TryFindFolder(path, out long id))
        {
            _insertFolder.Bind(1, path).Run();
            id = _connection.LastInsertId;
        }
        if (_folders.Count >= MaxCachedFolders)
            _folders.Clear();
        _folders[path] = id;
        return id;
    }

    private void MoveFolder(long id, string newPath)
    {
        if (TryFindFolder(newPath, out long there))
        {
            using IndexStatement merge = _connection.Prepare("UPDATE files SET folder=?2 WHERE folder=?1");
            merge.Bind(1, id).Bind(2, there).Run();
            using IndexStatement remove = _connection.Prepare("DELETE FROM folders WHERE id=?1");
            remove.Bind(1, id).Run();
            return;
        }
        using IndexStatement rename = _connection.Prepare("UPDATE folders SET path=?2 WHERE id=?1");
        rename.Bind(1, id).Bind(2, newPath).Run();
    }

    private List<T> ReadAll<T>(string sql, Func<IndexStatement, T> read, Action<IndexStatement>? bind = null)
    {
        List<T> rows = [];
        using IndexStatement statement = _connection.Prepare(sql);
        bind?.Invoke(statement);
        while (statement.Step())
            rows.Add(read(statement));
        return rows;
    }
}
