namespace P2P.Core.Store;

/// <summary>
/// Removes blocks that no pin keeps, in slices of a few hundred, so that serving and importing go on between them. Which pins a block has is decided in
/// the same transaction that removes it, so nothing that was pinned is ever taken; a batch that relies on a block being here holds the collector off.
/// </summary>
internal sealed class GarbageCollector(IndexReaders readers, IndexWriter writer, PinTable pins, TimeProvider time)
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

    /// <summary>Goes through all blocks once. Safe to cancel: what is removed stays removed.</summary>
    /// <returns>How many blocks were removed, and the bytes they took in the store.</returns>
    public async Task<(long Blocks, long Bytes)> CollectAsync(CancellationToken cancellationToken)
    {
        (long blocks, long bytes) = (0, 0);
        byte[] last = [];
        while (true)
        {
            (List<byte[]> garbage, byte[]? next) = FindGarbage(last);
            if (garbage.Count > 0)
            {
                (long Blocks, long Bytes) slice = await RemoveAsync(garbage, cancellationToken).ConfigureAwait(false);
                blocks += slice.Blocks;
                bytes += slice.Bytes;
            }
            if (next is null)
                return (blocks, bytes);
            last = next;
        }
    }

    private (List<byte[]> Garbage, byte[]? Next) FindGarbage(byte[] last)
    {
        using IndexReaders.Lease lease = readers.Take();
        List<(byte[]? Garbage, byte[] Key)> rows = lease.Reader.Query(
            $"SELECT key, pin_set FROM blocks WHERE key>?1 ORDER BY key LIMIT {SliceBlocks}",
            row =>
            {
                byte[] key = row.GetBlob(0).ToArray();
                return (pins.IsKept(row.GetInt64(1)) ? null : key, key);
            },
            statement => statement.Bind(1, last));
        List<byte[]> garbage = [.. rows.Where(row => row.Garbage is not null).Select(row => row.Key)];
        return (garbage, rows.Count < SliceBlocks ? null : rows[^1].Key);
    }

    private async Task<(long Blocks, long Bytes)> RemoveAsync(List<byte[]> garbage, CancellationToken cancellationToken)
    {
        while (true)
        {
            (long blocks, long bytes, bool isDone) = (0, 0, false);
            try
            {
                await writer.ApplyAsync(
                    editor =>
                    {
                        (blocks, bytes) = (0, 0);
                        isDone = TryBegin();
                        if (!isDone)
                            return;
                        foreach (byte[] key in garbage)
                        {
                            long freed = editor.DeleteUnkept(key);
                            if (freed < 0)
                                continue;
                            blocks++;
                            bytes += freed;
                        }
                    },
                    garbage.Count,
                    Durability.Visible,
                    cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                End();
            }
            if (isDone)
                return (blocks, bytes);
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

    /// <summary>Gives free pages back to the file system, a slice of them.</summary>
    public Task GiveBackSpaceAsync(CancellationToken cancellationToken) =>
        writer.ApplyAsync(editor => editor.AfterCommit(() => editor.Run(GiveBackSql)), 1, Durability.Visible, cancellationToken);
}
