using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>
/// The blocks that readers of one content want or wanted a moment ago: what several want at a time crosses the network once, and a reader that goes back
/// and forth finds what it had. Each caller gets a copy of its own. Thread-safe.
/// </summary>
/// <param name="source">Where blocks come from.</param>
/// <param name="buffers">Where copies are put.</param>
/// <param name="keptBytesMax">The most bytes that are kept for nobody in particular; the oldest go first.</param>
internal sealed class BlockCache(IBlockSource source, BlockBufferPool buffers, long keptBytesMax) : IBlockSource, IDisposable
{
    private readonly Lock _gate = new(); // guards the fields below and the entries
    private readonly Dictionary<MultihashKey, Entry> _entries = [];
    private readonly LinkedList<Entry> _kept = []; // loaded and wanted by nobody now, the oldest first
    private long _keptBytes;
    private bool _hasEnded;

    /// <summary>Bytes kept for nobody in particular.</summary>
    public long KeptBytes
    {
        get
        {
            lock (_gate)
                return _keptBytes;
        }
    }

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken) => GetAsync(cid, expectedBytes: null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAheadAsync(Cid cid, int expectedBytes, CancellationToken cancellationToken) => GetAsync(cid, (int?)expectedBytes, cancellationToken);

    /// <inheritdoc/>
    public bool WantsChildren => source.WantsChildren;

    /// <inheritdoc/>
    public void OnChildren(IReadOnlyList<BlockChild> children) => source.OnChildren(children);

    /// <inheritdoc/>
    public void Hurry(Cid cid) => source.Hurry(cid);

    private async ValueTask<BlockBuffer> GetAsync(Cid cid, int? expectedBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Entry entry = Take(cid, expectedBytes);
        BlockBuffer? block = null;
        try
        {
            block = await entry.Load!.WaitAsync(cancellationToken).ConfigureAwait(false);
            BlockBuffer copy = buffers.Rent(block.Length);
            block.Span.CopyTo(copy.Memory.Span); // the caller may change what it gets
            return copy;
        }
        finally
        {
            Release(entry, block);
        }
    }

    /// <inheritdoc/>
    public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken) =>
        source.RequestAsync(cid, expectedBytes, sink, tag, cancellationToken);

    /// <summary>Lets go of everything; loads that somebody waits for end as the source ends them.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _hasEnded = true;
            Shrink(0);
        }
    }

    /// <param name="cid">The block.</param>
    /// <param name="aheadBytes">Its claimed size when nobody waits for it yet; null: somebody does.</param>
    private Entry Take(in Cid cid, int? aheadBytes)
    {
        MultihashKey key = cid.Key;
        lock (_gate)
        {
            // what failed is loaded anew, although others may still be about to see the failure
            if (!_entries.TryGetValue(key, out Entry? entry) || entry.Load is { IsFaulted: true } or { IsCanceled: true })
            {
                entry = new Entry(key);
                _entries[key] = entry;
                entry.Load = aheadBytes is { } bytes ? source.GetAheadAsync(cid, bytes, entry.Stop.Token).AsTask() : source.GetAsync(cid, entry.Stop.Token).AsTask();
            }

            else if (aheadBytes is null && !entry.Load!.IsCompleted)
            {
                source.Hurry(cid);
            }

            if (entry.Kept is { } place)
            {
                _kept.Remove(place);
                _keptBytes -= entry.Block!.Length;
                entry.Kept = null;
            }

            entry.Holders++;
            return entry;
        }
    }

    /// <summary>A caller has gone, with the block or without.</summary>
    private void Release(Entry entry, BlockBuffer? block)
    {
        lock (_gate)
        {
            entry.Block ??= block;
            if (--entry.Holders > 0)
                return;
            if (entry.Block is { } loaded && IsCurrent(entry))
            {
                entry.Kept = _kept.AddLast(entry);
                _keptBytes += loaded.Length;
                Shrink(_hasEnded ? 0 : keptBytesMax);
                return;
            }

            if (IsCurrent(entry))
                _entries.Remove(entry.Key);
        }

        _ = EndAsync(entry); // only gives back what may still arrive
    }

    private bool IsCurrent(Entry entry) => _entries.TryGetValue(entry.Key, out Entry? current) && current == entry;

    private void Shrink(long bytes)
    {
        while (_keptBytes > bytes && _kept.First is { } oldest)
        {
            _kept.RemoveFirst();
            _entries.Remove(oldest.Value.Key);
            _keptBytes -= oldest.Value.Block!.Length;
            oldest.Value.Block.Dispose();
            oldest.Value.Stop.Dispose();
        }
    }

    private static async Task EndAsync(Entry entry)
    {
        await entry.Stop.CancelAsync().ConfigureAwait(false);
        await ((Task)entry.Load!).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nobody wants its outcome any more
        if (entry.Load.IsCompletedSuccessfully)
            (await entry.Load.ConfigureAwait(false)).Dispose();
        entry.Stop.Dispose();
    }

    private sealed class Entry(MultihashKey key)
    {
        public MultihashKey Key => key;

        public CancellationTokenSource Stop { get; } = new();

        public Task<BlockBuffer>? Load { get; set; }

        /// <summary>The block, once somebody has seen it.</summary>
        public BlockBuffer? Block { get; set; }

        public int Holders { get; set; }

        public LinkedListNode<Entry>? Kept { get; set; }
    }
}
