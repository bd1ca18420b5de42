namespace P2P.Core.Store;

/// <summary>
/// Removes blocks that no pin keeps, in slices of a few hundred, so that serving and importing go on between them. Which pins a block has is decided in
/// the same transaction that removes it, so nothing that was pinned is ever taken; a batch that relies on a block being here holds the collector off.
/// </summary>
/// <param name="readers">Read the index.</param>
/// <param name="writer">Removes rows.</param>
/// <param name="pins">Says what is kept.</param>
/// <param name="openedNs">When the store was opened: files that were added since may wait for their first block and are left to a later run.</param>
/// <param name="time">Paces the wait for batches.</param>
internal sealed class GarbageCollector(IndexReaders readers, IndexWriter writer, PinTable pins, long openedNs, TimeProvider time)
{
    /// <summary>Blocks looked at in one read and removed in one transaction (count): some milliseconds of the writer.</summary>
    private const int SliceBlocks = 512;

    /// <summary>Index pages given back to the file system after each slice.</summary>
    private const string GiveBackSql = "PRAGMA incremental_vacuum(256)";

    /// <summary>How long a slice waits for batches that hold it off before it looks again.</summary>
    private static readonly TimeSpan HoldPause = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();

    // Guarded by the gate: batches that rely on blocks being here, and whether a slice is at work.
    private int _holders;
    private bool _isAtWork;

    /// <summary>From here to <see cref="Release"/> no block goes. Waits for the slice at work, some milliseconds.</summary>
    public void Hold()
    {
        SpinWait spin = default;
        while (true)
        {
            lock (_gate)
            {
                if (!_isAtWork)
                {
                    _holders++;
                    return;
                }
            }
            spin.SpinOnce();
        }
    }

    public void Release()
    {
        lock (_gate)
            _holders--;
    }

    /// <summary>Goes through all blocks and source files once. Safe to cancel: what is removed stays removed.</summary>
    /// <returns>How many blocks were removed, and the bytes they took in the store.</returns>
    public async Task<(long Blocks, long Bytes)> CollectAsync(CancellationToken cancellationToken)
    {
        // Files that get a block from here on are noted by the writer, those that have one by the pass below.
        await writer.ApplyAsync(editor => editor.NoteFiles(true), 1, Durability.Visible, cancellationToken).ConfigureAwait(false);
        try
        {
            HashSet<long> unused = FindOldFiles();
            (long blocks, long bytes) = await CollectBlocksAsync(unused, cancellationToken).ConfigureAwait(false);
            ExceptOtherSources(unused);
            foreach (long[] slice in unused.Chunk(SliceBlocks))
                await RemoveFilesAsync(slice, cancellationToken).ConfigureAwait(false);
            return (blocks, bytes);
        }
        finally
        {
            writer.TryApply(editor => editor.NoteFiles(false));
        }
    }

    /// <summary>Gives free pages back to the file system, a slice of them.</summary>
    public Task GiveBackSpaceAsync(CancellationToken cancellationToken) =>
        writer.ApplyAsync(editor => editor.AfterCommit(() => editor.Run(GiveBackSql)), 1, Durability.Visible, cancellationToken);

    private HashSet<long> FindOldFiles()
    {
        using IndexReaders.Lease lease = readers.Take();
        return [.. lease.Reader.Query("SELECT id FROM files WHERE checked_ns<?1", row => row.GetInt64(0), statement => statement.Bind(1, openedNs))];
    }

    private void ExceptOtherSources(HashSet<long> unused)
    {
        if (unused.Count == 0)
            return;
        using IndexReaders.Lease lease = readers.Take();
        unused.ExceptWith(lease.Reader.Query("SELECT DISTINCT file FROM sources", row => row.GetInt64(0)));
    }

    private async Task<(long Blocks, long Bytes)> CollectBlocksAsync(HashSet<long> unused, CancellationToken cancellationToken)
    {
        (long blocks, long bytes) = (0, 0);
        byte[]? last = [];
        while (last is not null)
        {
            List<(byte[] Key, long File)> garbage = FindGarbage(ref last, unused);
            if (garbage.Count == 0)
                continue;
            (long Blocks, long Bytes) slice = await RemoveBlocksAsync(garbage, unused, cancellationToken).ConfigureAwait(false);
            blocks += slice.Blocks;
            bytes += slice.Bytes;
        }
        return (blocks, bytes);
    }

    private List<(byte[] Key, long File)> FindGarbage(ref byte[]? last, HashSet<long> unused)
    {
        byte[] after = last ?? [];
        byte[]? next = null;
        int count = 0;
        List<(byte[] Key, long File)> garbage = [];
        using IndexReaders.Lease lease = readers.Take();
        lease.Reader.ForEach(
            $"SELECT key, pin_set, file FROM blocks WHERE key>?1 ORDER BY key LIMIT {SliceBlocks}",
            statement => statement.Bind(1, after),
            row =>
            {
                long file = row.GetInt64(2);
                bool isKept = pins.IsKept(row.GetInt64(1));
                if (isKept)
                    unused.Remove(file);
                else
                    garbage.Add((row.GetBlob(0).ToArray(), file));
                if (++count == SliceBlocks)
                    next = row.GetBlob(0).ToArray();
            });
        last = next;
        return garbage;
    }

    private async Task<(long Blocks, long Bytes)> RemoveBlocksAsync(List<(byte[] Key, long File)> garbage, HashSet<long> unused, CancellationToken cancellationToken)
    {
        (long blocks, long bytes) = (0, 0);
        List<long> stillUsed = [];
        await RemoveAsync(
            editor =>
            {
                (blocks, bytes) = (0, 0);
                stillUsed.Clear();
                foreach ((byte[] key, long file) in garbage)
                {
                    long freed = editor.DeleteUnkept(key);
                    if (freed < 0)
                    {
                        stillUsed.Add(file);
                        continue;
                    }
                    blocks++;
                    bytes += freed;
                }
            },
            garbage.Count,
            cancellationToken).ConfigureAwait(false);
        unused.ExceptWith(stillUsed);
        return (blocks, bytes);
    }

    private Task RemoveFilesAsync(long[] files, CancellationToken cancellationToken) => RemoveAsync(
        editor =>
        {
            foreach (long file in files)
                editor.DeleteUnusedFile(file);
        },
        files.Length,
        cancellationToken);

    /// <summary>Runs a slice when no batch holds it off.</summary>
    private async Task RemoveAsync(Action<IndexEditor> remove, int weight, CancellationToken cancellationToken)
    {
        while (true)
        {
            bool isDone = false;
            try
            {
                await writer.ApplyAsync(
                    editor =>
                    {
                        isDone = TryBegin();
                        if (isDone)
                            remove(editor);
                    },
                    weight,
                    Durability.Visible,
                    cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                End();
            }
            if (isDone)
                return;
            await Task.Delay(HoldPause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Begins a slice unless a batch holds it off; a slice that is tried again is at work already.</summary>
    private bool TryBegin()
    {
        lock (_gate)
        {
            if (_holders > 0 && !_isAtWork)
                return false;
            _isAtWork = true;
            return true;
        }
    }

    private void End()
    {
        lock (_gate)
            _isAtWork = false;
    }
}
