using System.Buffers;
using System.Diagnostics;
using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// Changes that become visible together. Nothing happens without a commit. Used by one caller at a time; several batches may be open, each commits as a
/// whole. Commit every few thousand changes: a batch holds the bytes of its small blocks in memory.
/// </summary>
internal sealed class StoreBatch : IDisposable
{
    private readonly BlockStore _store;
    private readonly PinId _pin;
    private readonly List<BlockChange> _blocks = [];
    private readonly List<Action<IndexEditor>> _others = [];
    private readonly List<TemporaryBlock> _temporaries = [];
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<MultihashKey> _heldBlocks = [];
    private readonly List<long> _heldFiles = [];
    private long _reservedBytes;
    private long _bytesAlreadyThere;
    private bool _isDisposed;

    internal StoreBatch(BlockStore store, PinId pin) => (_store, _pin) = (store, pin);

    /// <summary>How many changes wait for the commit.</summary>
    public int Count => _blocks.Count + _others.Count;

    /// <summary>Bytes of blocks that wait in memory for the commit.</summary>
    public int BufferedBytes => _bytes.WrittenCount;

    /// <summary>Adds a block whose bytes the store keeps. They are copied before the call returns; whether they are right is the caller's knowledge.</summary>
    /// <exception cref="P2PException"><see cref="P2PErrorCode.Quota"/>, <see cref="P2PErrorCode.NoSpace"/> or <see cref="P2PErrorCode.Permission"/>.</exception>
    public void AddOwned(in Cid cid, ReadOnlySpan<byte> data)
    {
        Check(cid);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, BlockVerification.MaxBlockBytes, nameof(data));
        Debug.Assert(BlockVerification.Verify(cid, data), "bytes that are not the block would be stored");
        _store.Quota.Reserve(data.Length);
        _reservedBytes += data.Length;
        if (data.Length <= StoreOptions.MaxInlineBytes)
        {
            BlockChange change = Begin(BlockChangeKind.Inline, cid, data.Length) with { DataStart = _bytes.WrittenCount };
            _bytes.Write(data);
            _blocks.Add(change);
            return;
        }
        TemporaryBlock temporary = new(_store.OwnedFiles.WriteTemporary(data));
        _temporaries.Add(temporary);
        _blocks.Add(Begin(BlockChangeKind.OwnedFile, cid, data.Length) with { Temporary = temporary });
    }

    /// <summary>Adds a block that lies in a source file. The file's bytes there are on the disk already, or the file is being written.</summary>
    /// <param name="cid">The block.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where its bytes begin.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="isSealed">The block is not these bytes but what sealing makes of them, with the file's key.</param>
    public void AddReference(in Cid cid, FileId file, long offset, int length, bool isSealed = false)
    {
        Check(cid);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, BlockVerification.MaxBlockBytes);
        if (file.IsNone)
            throw new ArgumentException("There is no file.", nameof(file));
        var stretch = new SourceStretch(offset, length);
        BlockChange change = isSealed
            ? Begin(BlockChangeKind.Source, cid, stretch.SealedBytes) with { Place = new SourcePlace(file.Value, stretch.ToSealedOffset()) }
            : Begin(BlockChangeKind.Source, cid, length) with { Place = new SourcePlace(file.Value, offset) };
        _blocks.Add(change);
    }

    /// <summary>Joins a block that is in the store to this batch's pin. False: it is not here, or its only sources are gone.</summary>
    /// <remarks>From here to the commit or disposal of the batch the garbage collector leaves the block.</remarks>
    public bool AddExisting(in Cid cid)
    {
        Check(cid);
        MultihashKey key = new(cid.MultihashSpan);
        _store.Holds.Hold(key);
        _heldBlocks.Add(key);
        if (!_store.Has(cid))
            return false;
        _blocks.Add(Begin(BlockChangeKind.Existing, cid, 0));
        return true;
    }

    /// <summary>Registers a source file, or finds it: the same path and identity get the same id, and the CID when it was imported to the end before.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="identity">What it was before its first byte was read.</param>
    /// <param name="shareKey">The number of the key that its blocks are sealed with; 0 for none.</param>
    /// <param name="layout">By which rules it was cut into blocks.</param>
    /// <param name="root">Its CID, where it is known: a file that was found to have another one gets a new id, whatever its identity says.</param>
    /// <remarks>Add its first block in the same batch: a file without blocks may be forgotten. Until the commit the garbage collector leaves it.</remarks>
    public FileRegistration AddFile(string path, in FileIdentity identity, long shareKey = 0, int layout = 0, Cid root = default)
    {
        while (_store.TryGetImportedFile(path, identity, shareKey, layout, out FileRegistration known))
        {
            if (!root.IsEmpty && known.IsImported && known.Root != root)
                break; // edited within the resolution of its time: what was known of it holds no more
            _store.Holds.Hold(known.Id.Value);
            _heldFiles.Add(known.Id.Value);

            // The collector may have taken it before it was held.
            if (_store.TryGetImportedFile(path, identity, shareKey, layout, out FileRegistration held) && held.Id == known.Id)
                return held;
        }
        FileId id = _store.NextFileId();
        FileIdentity added = identity;
        long now = _store.NowNs();
        _others.Add(editor => editor.AddFile(id, path, added, shareKey, layout, now, SourceState.Sound, _store.OnSuperseded));
        return new FileRegistration(id, default);
    }

    /// <summary>Registers a file that this node is writing, a fetch's .part: its blocks are hashed at each read until it is finished.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="shareKey">The number of the key that its blocks are sealed with; 0 for none.</param>
    public FileId AddFileBeingWritten(string path, long shareKey = 0)
    {
        BlockStore.CheckPath(path);
        FileId id = _store.NextFileId();
        long now = _store.NowNs();
        _others.Add(editor =>
        {
            editor.AddFile(id, path, default, shareKey, layout: 0, now, SourceState.BeingWritten, _store.OnSuperseded);
            editor.AfterCommit(() => _store.Watch.Set(id.Value, SourceState.BeingWritten));
        });
        return id;
    }

    /// <summary>A file is complete: this is its identity, and its CID for the import cache (empty: leave the one that it has).</summary>
    /// <param name="file">The file.</param>
    /// <param name="identity">What it was when its bytes were read or written.</param>
    /// <param name="root">Its CID.</param>
    /// <param name="checkedNs">When its identity was taken, at the latest before its first byte was read; null: now.</param>
    public void FinishFile(FileId file, in FileIdentity identity, in Cid root, long? checkedNs = null)
    {
        (FileIdentity finished, Cid cid) = (identity, root);
        long now = checkedNs ?? _store.NowNs();
        _others.Add(editor =>
        {
            editor.FinishFile(file, finished, now, cid);
            editor.AfterCommit(() => _store.OnFileChanged(file.Value, SourceState.Sound));
        });
    }

    /// <summary>A file or folder was renamed: what was known under the old path is now known under the new one. Call it after the rename.</summary>
    public void Relocate(string oldPath, string newPath)
    {
        BlockStore.CheckPath(oldPath);
        BlockStore.CheckPath(newPath);
        _others.Add(editor =>
        {
            editor.Relocate(Path.TrimEndingDirectorySeparator(oldPath), Path.TrimEndingDirectorySeparator(newPath));
            editor.AfterCommit(_store.OnRelocated);
        });
    }

    /// <summary>Changes what a pin says: how a temporary pin becomes a share. Its blocks stay.</summary>
    public void UpdatePin(Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        _others.Add(editor => editor.UpdatePin(pin));
    }

    /// <summary>Removes a pin; blocks that no other pin keeps become garbage.</summary>
    public void RemovePin(PinId pin) => _others.Add(editor => editor.RemovePin(pin));

    /// <summary>Remembers under which statement the blocks of a pin are held, in place of the one before, whose pin goes.</summary>
    public void SetLease(LeaseRow lease) => _others.Add(editor => editor.SetLease(lease));

    public void SetResume(ResumeState state) => _others.Add(editor => editor.SetResume(state));

    public void RemoveResume(string key) => _others.Add(editor => editor.RemoveResume(key));

    /// <summary>Applies the changes; afterwards the batch is empty and may be used again.</summary>
    /// <remarks>Safe to cancel: either nothing was applied and the batch is as before, or everything will be.</remarks>
    /// <exception cref="P2PException">Nothing was applied.</exception>
    public async Task CommitAsync(Durability durability, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (_temporaries.Exists(block => block.IsDoubtful))
            throw new P2PException(P2PErrorCode.Store, "Blocks of this batch could not be flushed before: what the disk has of them is not known. Add them anew.");
        if (_temporaries.Count > 0)
            await Parallel.ForEachAsync(_temporaries.Where(block => !block.IsFlushed), cancellationToken, FlushAsync).ConfigureAwait(false);
        if (Count > 0 || durability == Durability.Flushed)
            await _store.Writer.ApplyAsync(Apply, Count, durability, cancellationToken).ConfigureAwait(false);
        Clear();
    }

    /// <summary>Bytes of the leaves of the last commit that the store knew before this batch's pin: what an earlier version of the content has too.</summary>
    public long BytesAlreadyThere => _bytesAlreadyThere;

    /// <summary>Forgets what was not committed.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        Clear();
    }

    private static void Check(in Cid cid)
    {
        if (!BlockVerification.IsAccepted(cid, out string? why))
            throw new ArgumentException($"The block cannot be stored: {why}.", nameof(cid));
    }

    private ValueTask FlushAsync(TemporaryBlock block, CancellationToken cancellationToken)
    {
        block.IsDoubtful = true;
        _store.OwnedFiles.Flush(block.Path);
        (block.IsFlushed, block.IsDoubtful) = (true, false);
        return ValueTask.CompletedTask;
    }

    private BlockChange Begin(BlockChangeKind kind, in Cid cid, int size)
    {
        int start = _bytes.WrittenCount;
        ReadOnlySpan<byte> key = cid.MultihashSpan;
        _bytes.Write(key);
        return new BlockChange(kind, start, key.Length, size) { IsLeaf = cid.Codec == Cid.RawCodec };
    }

    private void Apply(IndexEditor editor)
    {
        _bytesAlreadyThere = 0; // a transaction may be tried again
        foreach (Action<IndexEditor> change in _others)
            change(editor);
        ReadOnlySpan<byte> bytes = _bytes.WrittenSpan;
        foreach (BlockChange change in _blocks)
        {
            ReadOnlySpan<byte> key = bytes.Slice(change.KeyStart, change.KeyLength);
            bool wasThere = false;
            switch (change.Kind)
            {
                case BlockChangeKind.Inline:
                    wasThere = editor.AddInline(key, bytes.Slice(change.DataStart, change.Size), _pin) && change.IsLeaf;
                    break;
                case BlockChangeKind.OwnedFile:
                    wasThere = editor.AddOwnedFile(key, change.Size, change.Temporary!, _pin) && change.IsLeaf;
                    break;
                case BlockChangeKind.Source:
                    wasThere = editor.AddSource(key, change.Size, change.Place, _pin, _store.IsDoubtful);
                    break;
                default:
                    editor.AddExisting(key, _pin);
                    break;
            }

            _bytesAlreadyThere += wasThere ? change.Size : 0;
        }
    }

    private void Clear()
    {
        foreach (TemporaryBlock temporary in _temporaries.Where(block => !block.IsNamed))
            _store.OwnedFiles.TryDelete(temporary.Path);
        _temporaries.Clear();
        _blocks.Clear();
        _others.Clear();
        _bytes.ResetWrittenCount();
        _store.Quota.Release(_reservedBytes);
        _reservedBytes = 0;
        _store.Holds.Release(_heldBlocks, _heldFiles);
        _heldBlocks.Clear();
        _heldFiles.Clear();
    }

    private enum BlockChangeKind : byte
    {
        Inline,
        OwnedFile,
        Source,
        Existing,
    }

    private readonly record struct BlockChange(BlockChangeKind Kind, int KeyStart, int KeyLength, int Size)
    {
        public int DataStart { get; init; }

        public SourcePlace Place { get; init; }

        public TemporaryBlock? Temporary { get; init; }

        public bool IsLeaf { get; init; }
    }
}

/// <summary>A block written under a temporary name.</summary>
internal sealed class TemporaryBlock(string path)
{
    public string Path { get; } = path;

    /// <summary>Whether its bytes are on the disk.</summary>
    public bool IsFlushed { get; set; }

    /// <summary>Whether a flush of it failed: a later one may succeed without its bytes, since the system forgets what it could not write.</summary>
    public bool IsDoubtful { get; set; }

    /// <summary>Whether it got its name already: a transaction that is tried again must not look for the old one.</summary>
    public bool IsNamed { get; set; }
}
