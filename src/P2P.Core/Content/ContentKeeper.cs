using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>
/// Brings every block of some content under a pin: blocks that are here join it, the others are fetched into the store. What was kept by a try that
/// ended early is here, so a try goes on where the one before ended.
/// </summary>
/// <param name="source">Where blocks that are not here come from; null: nowhere, they are told and left out.</param>
/// <param name="store">Keeps them.</param>
/// <param name="pin">The pin, taken by the caller before the call.</param>
/// <param name="form">How the content stands in blocks.</param>
/// <param name="onMissing">Told of each block that is not here when there is no source.</param>
internal sealed class ContentKeeper(IBlockSource? source, BlockStore store, PinId pin, BlockForm form, Action<Cid>? onMissing = null)
{
    /// <summary>Blocks loaded ahead (count): at worst 64 MiB, and enough for a round trip of 60 ms at 500 MiB/s.</summary>
    private const int MaxLoads = 32;

    /// <summary>Links that wait to be followed (count). Hostile nodes name endlessly many; a tree of a million files needs a tenth of this at once.</summary>
    private const int MaxWaitingLinks = 1 << 20;

    /// <summary>Inner nodes that are remembered as followed (count), so that a small graph that links the same node over and over stays small.</summary>
    private const int MaxRememberedNodes = 1 << 20;

    private const int ChangesPerCommit = 1024;
    private const int BytesPerCommit = 32 << 20;

    private readonly Stack<(Cid[] Children, int Next)> _waiting = new();
    private readonly HashSet<MultihashKey> _followed = [];
    private readonly StoreBatch _batch = store.BeginBatch(pin);
    private int _waitingLinks;
    private long _bytesInBatch;
    private long _bytes;
    private long _reused;
    private long _total = -1;

    /// <summary>Blocks so far, each as often as it was met.</summary>
    public long Blocks { get; private set; }

    /// <summary>Bytes of the blocks so far. May be read from any thread.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Those of them that were here. May be read from any thread.</summary>
    public long ReusedBytes => Interlocked.Read(ref _reused);

    /// <summary>Bytes in all as the root claims; null until it is here. May be read from any thread.</summary>
    public long? TotalBytes => Interlocked.Read(ref _total) is >= 0 and var total ? Math.Max(total, Bytes) : null;

    /// <summary>Keeps everything below a root. Once for each instance.</summary>
    /// <remarks>Safe to cancel: what was kept so far stays under the pin. What is kept is visible but not flushed when this returns: the caller's own commit does that.</remarks>
    /// <exception cref="P2PException">Integrity, Quota, NoSpace, or what the source reported.</exception>
    public async Task KeepAsync(Cid root, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var loads = new Queue<(Cid Cid, Task<Loaded> Load)>();
        root = form.NodeOf(in root);
        Push([root]);
        try
        {
            while (true)
            {
                while (loads.Count < MaxLoads && TryTake(out Cid next))
                    loads.Enqueue((next, LoadAsync(next, stop.Token)));
                if (!loads.TryDequeue(out (Cid Cid, Task<Loaded> Load) first))
                    break;
                using Loaded loaded = await first.Load.ConfigureAwait(false);
                await KeepAsync(first.Cid, loaded, isRoot: first.Cid == root, stop.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach ((_, Task<Loaded> load) in loads)
            {
                await ((Task)load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nobody wants its outcome any more
                if (load.IsCompletedSuccessfully)
                    (await load.ConfigureAwait(false)).Dispose();
            }

            using (_batch)
                await _batch.CommitAsync(Durability.Visible, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task KeepAsync(Cid cid, Loaded loaded, bool isRoot, CancellationToken cancellationToken)
    {
        int size = loaded.Size;
        if (loaded.IsHere && _batch.AddExisting(in cid))
        {
            Interlocked.Add(ref _reused, size);
        }
        else if (source is null)
        {
            onMissing?.Invoke(form.BlockOf(in cid));
            return;
        }
        else
        {
            // gone since it was looked at
            using BlockBuffer? again = loaded.IsHere ? await source.GetAsync(form.BlockOf(in cid), cancellationToken).ConfigureAwait(false) : null;
            ReadOnlyMemory<byte> block = (again ?? loaded.Buffer!).Memory;
            await store.MakeRoomAsync(block.Length, cancellationToken).ConfigureAwait(false);
            _batch.AddOwned(in cid, block.Span);
            _bytesInBatch += block.Length;
            size = block.Length;
        }

        Blocks++;
        Interlocked.Add(ref _bytes, size);
        if (cid.Codec == Cid.DagPbCodec && loaded.Buffer is { } node)
            Follow(cid, node.Span, isRoot);
        if (isRoot && Interlocked.Read(ref _total) < 0)
            Interlocked.Exchange(ref _total, size);
        if (_batch.Count >= ChangesPerCommit || _bytesInBatch >= BytesPerCommit)
        {
            await _batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
            _bytesInBatch = 0;
        }
    }

    private void Follow(Cid cid, ReadOnlySpan<byte> block, bool isRoot)
    {
        DagPbNode node = form.DecodeNode(in cid, block);
        if (isRoot)
        {
            ulong total = (ulong)block.Length;
            foreach (DagPbLink link in node.Links)
                total = Math.Min(total + Math.Min(link.TargetBytes ?? 0, long.MaxValue), long.MaxValue);
            Interlocked.Exchange(ref _total, (long)total);
        }

        Push([.. node.Links.Select(static link => link.Cid)]);
    }

    private void Push(Cid[] children)
    {
        _waitingLinks += children.Length;
        if (_waitingLinks > MaxWaitingLinks)
            throw new P2PException(P2PErrorCode.Integrity, $"The content has more than {MaxWaitingLinks} links side by side, more than is accepted.");
        if (children.Length > 0)
            _waiting.Push((children, 0));
    }

    private bool TryTake(out Cid next)
    {
        while (_waiting.TryPop(out (Cid[] Children, int Next) frame))
        {
            next = frame.Children[frame.Next];
            if (frame.Next + 1 < frame.Children.Length)
                _waiting.Push((frame.Children, frame.Next + 1));
            _waitingLinks--;
            if (next.Codec is not (Cid.RawCodec or Cid.DagPbCodec))
                throw ContentFault.Contradiction(in next, $"is of a kind that is no file or folder (codec 0x{next.Codec:x})");
            if (next.Codec == Cid.RawCodec)
                return true;
            var key = new MultihashKey(next.MultihashSpan);
            if (_followed.Contains(key))
                continue;
            if (_followed.Count < MaxRememberedNodes)
                _followed.Add(key);
            return true;
        }

        next = default;
        return false;
    }

    // a leaf that is here is not read: it joins the pin where it lies
    private async Task<Loaded> LoadAsync(Cid cid, CancellationToken cancellationToken)
    {
        if (store.SizeOf(in cid) is { } size)
        {
            if (cid.Codec == Cid.RawCodec)
                return new Loaded(null, size, IsHere: true);
            if (await store.ReadAsync(cid, cancellationToken).ConfigureAwait(false) is { } kept)
                return new Loaded(kept, size, IsHere: true);
        }

        if (source is null)
            return new Loaded(null, 0, IsHere: false);
        BlockBuffer fetched = await source.GetAsync(form.BlockOf(in cid), cancellationToken).ConfigureAwait(false);
        return new Loaded(fetched, fetched.Length, IsHere: false);
    }

    private readonly record struct Loaded(BlockBuffer? Buffer, int Size, bool IsHere) : IDisposable
    {
        public void Dispose() => Buffer?.Dispose();
    }
}
