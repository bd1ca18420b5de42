using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>Records what an import makes in the store, in batches, while the next batch is being filled. Without a store it only counts.</summary>
internal sealed class ImportWriter(BlockStore? store, PinId pin, ImportOptions options) : IAsyncDisposable
{
    // about 10 ms of the index's writer; an import of 10,000 files makes a dozen commits
    private const int ChangesPerCommit = 2048;

    private const int BytesPerCommit = 4 << 20; // nodes wait in memory until then

    private StoreBatch? _batch = store?.BeginBatch(pin);
    private int _bytes;
    private long _bytesAlreadyThere; // commits add to it while the next batch is being filled
    private Task _commit = Task.CompletedTask;

    /// <summary>Blocks so far, counted as often as they are linked.</summary>
    public long Blocks { get; private set; }

    /// <summary>Bytes that the store knew before this import, of what was committed and of files that had not changed.</summary>
    public long BytesAlreadyThere => Interlocked.Read(ref _bytesAlreadyThere);

    /// <summary>Records a node, or a block without a file of its own.</summary>
    public void AddOwned(in Cid cid, ReadOnlySpan<byte> block)
    {
        Blocks++;
        _batch?.AddOwned(in cid, block);
        _bytes += block.Length;
    }

    /// <summary>Records a file's leaves as stretches of the file.</summary>
    public void AddFile(ImportFile file, in BuiltNode root, IReadOnlyList<BuiltNode> leaves)
    {
        Blocks += leaves.Count;
        if (_batch is null)
            return;
        FileId id = _batch.AddFile(file.Path, file.Identity, options.Form.StoreKey, options.LayoutOf(file.Identity.Size), root.Cid).Id;
        long offset = 0;
        foreach (BuiltNode leaf in leaves)
        {
            _batch.AddReference(leaf.Cid, id, offset, (int)leaf.FileBytes, options.Form.IsPrivate);
            offset += (long)leaf.FileBytes;
        }

        _batch.FinishFile(id, file.Identity, root.Cid, file.CheckedNs);
    }

    /// <summary>Joins blocks that the store has already.</summary>
    public bool AddExisting(IReadOnlyList<Cid> blocks, long bytes)
    {
        Interlocked.Add(ref _bytesAlreadyThere, bytes);
        Blocks += blocks.Count;
        bool all = true;
        foreach (Cid cid in blocks)
            all &= _batch!.AddExisting(in cid);
        return all;
    }

    /// <summary>Commits when enough has gathered; waits only for the commit before.</summary>
    public async ValueTask CommitIfFullAsync(CancellationToken cancellationToken)
    {
        if (_batch is not { } full || (full.Count < ChangesPerCommit && _bytes < BytesPerCommit))
            return;
        _bytes = 0;
        await _commit.ConfigureAwait(false);
        _commit = CommitAsync(full, cancellationToken);
        _batch = store!.BeginBatch(pin);
        await store.MakeRoomAsync(BytesPerCommit, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Commits the rest: all is visible afterwards.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await _commit.ConfigureAwait(false);
        if (_batch is { } rest)
        {
            await rest.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
            Interlocked.Add(ref _bytesAlreadyThere, rest.BytesAlreadyThere);
        }
    }

    /// <summary>Drops what was not committed; nothing is written afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        await _commit.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // what failed was thrown where it was waited for, or the import had failed before
        _batch?.Dispose();
    }

    // one at a time, and each is waited for before the next
    private async Task CommitAsync(StoreBatch batch, CancellationToken cancellationToken)
    {
        using (batch)
        {
            await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
            Interlocked.Add(ref _bytesAlreadyThere, batch.BytesAlreadyThere);
        }
    }
}
