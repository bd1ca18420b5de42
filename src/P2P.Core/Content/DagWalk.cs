using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>
/// Visits the blocks of any DAG depth first in the order of the links, each once, and loads ahead of where it is: a walk over a network does not wait a
/// round trip for each block. Blocks that lie in their ids are passed through, not shown.
/// </summary>
internal sealed class DagWalk : IAsyncDisposable
{
    /// <summary>The most nodes on the way from the root to a block; real DAGs have fewer than 32.</summary>
    public const int MaxDepth = 1024;

    /// <summary>The most links that wait on that way (count), some 100 MB: what hostile nodes of 2 MiB in a row could hold otherwise.</summary>
    public const int MaxWaitingLinks = 1_000_000;

    // enough of them to fill 400 Mbit/s at 60 ms with small blocks, and few of the large ones
    private const int MaxLoads = 128, MinLoads = 16;
    private const int MaxLoadedBytes = 32 << 20;

    private readonly IBlockSource _source;
    private readonly CancellationTokenSource _stop;
    private readonly HashSet<Visit> _visited = [];
    private readonly Dictionary<Visit, Task<BlockBuffer>> _loads = [];
    private readonly List<Frame> _frames = []; // from the root down
    private Cid _next;
    private int _waitingLinks;
    private int _usualBytes = 256 << 10;

    /// <summary>Begins at a root.</summary>
    public DagWalk(IBlockSource source, Cid root, CancellationToken cancellationToken)
    {
        _source = source;
        _next = root;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>The next block. Null: all were visited. The caller disposes it.</summary>
    /// <exception cref="P2PException">It is not to be had, or its links cannot be followed.</exception>
    public async ValueTask<NodeBlock?> MoveNextAsync()
    {
        while (TryTakeNext(out Cid cid))
        {
            if (BlockLinks.IsIdentity(cid))
            {
                Descend(cid, cid.Digest);
                continue;
            }

            if (!BlockVerification.IsAccepted(cid, out string? why))
                throw new P2PException(P2PErrorCode.Integrity, $"Block {cid} cannot be verified: {why}.");
            if (KnownBlocks.TryGet(cid, out ReadOnlyMemory<byte> known))
                return new NodeBlock(cid, null, known, NodeOrigin.Known); // the empty one, which has no links
            Task<BlockBuffer> load = LoadAsync(cid); // before what comes after it
            FillAhead();
            BlockBuffer block = await load.ConfigureAwait(false);
            try
            {
                _usualBytes = (int)((0.75 * _usualBytes) + (0.25 * block.Length));
                Descend(cid, block.Span);
            }
            catch
            {
                block.Dispose();
                throw;
            }

            return new NodeBlock(cid, block, block.Memory, NodeOrigin.Source);
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (Task<BlockBuffer> load in _loads.Values)
        {
            await ((Task)load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nobody wants its outcome any more
            if (load.IsCompletedSuccessfully)
                (await load.ConfigureAwait(false)).Dispose();
        }

        _loads.Clear();
        _stop.Dispose();
    }

    // an id that holds its own bytes is not remembered: what is inside one ends by itself, and hostile blocks hold many
    private bool IsNew(in Cid cid) => BlockLinks.IsIdentity(cid) || _visited.Add(new Visit(cid));

    private bool TryTakeNext(out Cid cid)
    {
        cid = _next;
        _next = default;
        if (!cid.IsEmpty && IsNew(in cid))
            return true;
        while (_frames is [.., Frame last])
        {
            while (last.Next < last.Links.Count)
            {
                cid = last.Links[last.Next++];
                _waitingLinks--;
                if (IsNew(in cid))
                    return true;
            }

            _frames.RemoveAt(_frames.Count - 1);
        }

        cid = default;
        return false;
    }

    private void Descend(in Cid cid, ReadOnlySpan<byte> block)
    {
        if (!BlockLinks.MayHave(cid))
            return;
        var links = new List<Cid>();
        if (!BlockLinks.CanRead(cid))
            throw ContentFault.Contradiction(cid, $"is of a kind whose links cannot be followed (codec 0x{cid.Codec:x})");
        if (!BlockLinks.TryAdd(cid, block, links))
            throw ContentFault.Contradiction(cid, "is not what its codec promises");
        if (links.Count == 0)
            return;
        if (_frames.Count == MaxDepth)
            throw ContentFault.Contradiction(cid, $"lies more than {MaxDepth} levels deep");
        _waitingLinks += links.Count;
        if (_waitingLinks > MaxWaitingLinks)
            throw ContentFault.Contradiction(cid, $"and those above it have more than {MaxWaitingLinks} links");
        _frames.Add(new Frame(links));
    }

    /// <summary>Starts loads in the order in which the walk will want them, as far as it is known: what is deepest comes first.</summary>
    private void FillAhead()
    {
        int most = Math.Clamp(MaxLoadedBytes / Math.Max(_usualBytes, 1), MinLoads, MaxLoads);
        for (int depth = _frames.Count - 1; depth >= 0 && _loads.Count < most; depth--)
        {
            Frame frame = _frames[depth];
            frame.Ahead = Math.Max(frame.Ahead, frame.Next);
            for (; frame.Ahead < frame.Links.Count && _loads.Count < most; frame.Ahead++)
            {
                Cid cid = frame.Links[frame.Ahead];
                var visit = new Visit(cid);
                if (!KnownBlocks.TryGet(cid, out _) && BlockVerification.IsAccepted(cid, out _) && !_visited.Contains(visit) && !_loads.ContainsKey(visit))
                    _loads.Add(visit, _source.GetAheadAsync(cid, BlockLinks.MayHave(cid) ? 0 : _usualBytes, _stop.Token).AsTask()); // leaves are mostly of one size
            }
        }
    }

    private Task<BlockBuffer> LoadAsync(in Cid cid)
    {
        if (!_loads.Remove(new Visit(cid), out Task<BlockBuffer>? load))
            return _source.GetAsync(cid, _stop.Token).AsTask();
        if (!load.IsCompleted)
            _source.Hurry(cid);
        return load;
    }

    /// <summary>An id in a form that takes little room: the same block under two ids is two entries, as whoever follows either link looks for it.</summary>
    private readonly record struct Visit(MultihashKey Key, ulong Codec, int Version)
    {
        public Visit(in Cid cid)
            : this(cid.Key, cid.Codec, cid.Version)
        {
        }
    }

    private sealed class Frame(List<Cid> links)
    {
        public List<Cid> Links => links;

        /// <summary>The link to be walked next.</summary>
        public int Next { get; set; }

        /// <summary>The link to be loaded ahead next.</summary>
        public int Ahead { get; set; }
    }
}
