using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>A stretch of a file: a leaf block to be fetched, or bytes that are known already.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Leaf">The block that holds exactly these bytes; empty when they are <paramref name="Known"/>.</param>
/// <param name="Known">The bytes, when they lay in an inner node or in the id.</param>
internal readonly record struct FileSegment(long Offset, int Length, Cid Leaf, ReadOnlyMemory<byte> Known);

/// <summary>
/// Walks the tree of one file in the order of its bytes, from any offset on, ahead of the data. Checks that every node is as large as its parent
/// claims, so that the sum of the segments is what the root declared. Holds one node for each level.
/// </summary>
internal sealed class FileWalk : IAsyncDisposable
{
    /// <summary>The most nodes between the root and a leaf. With 1,024 children a node, 32 levels hold more than any disk; a chain of single children ends here.</summary>
    public const int MaxDepth = 32;

    private readonly LookAhead _ahead;
    private readonly long _from;
    private readonly Stack<Frame> _stack = new();

    /// <summary>Begins a walk over a file whose root is loaded already.</summary>
    /// <param name="loader">Gets the inner nodes.</param>
    /// <param name="root">The root.</param>
    /// <param name="from">The first byte that is wanted; segments that end before it are left out, the first may begin before it.</param>
    /// <param name="cancellationToken">Ends the walk and its loads.</param>
    /// <param name="nodesAhead">See <see cref="NodesAhead"/>.</param>
    public FileWalk(NodeLoader loader, FileNode root, long from, CancellationToken cancellationToken, int nodesAhead = LookAhead.MaxLoadsPerLane)
    {
        _ahead = new LookAhead(loader, cancellationToken);
        NodesAhead = nodesAhead;
        _from = from;
        Push(root, 0);
    }

    /// <summary>Where the walk is, after <see cref="MoveNextAsync"/> returned true.</summary>
    public FileSegment Current { get; private set; }

    /// <summary>How many nodes are loaded on each level, the one that is needed included (count).</summary>
    public int NodesAhead
    {
        get => _ahead.LoadsPerLane;
        set => _ahead.LoadsPerLane = Math.Clamp(value, 1, LookAhead.MaxLoadsPerLane);
    }

    /// <summary>Inner nodes below the root walked so far.</summary>
    public long Nodes { get; private set; }

    /// <summary>Goes on to the next segment. False: the file has ended.</summary>
    /// <exception cref="P2PException">Integrity: a node contradicts its parent; or what the source reported.</exception>
    public async ValueTask<bool> MoveNextAsync()
    {
        while (_stack.TryPeek(out Frame? frame))
        {
            if (!frame.InlineTaken)
            {
                frame.InlineTaken = true;
                if (frame.Node.Inline.Length > 0 && frame.Start + frame.Node.Inline.Length > _from)
                {
                    Current = new FileSegment(frame.Start, frame.Node.Inline.Length, default, frame.Node.Inline);
                    return true;
                }
            }

            if (frame.Next == frame.Node.Children.Length)
            {
                _ahead.Drop(frame.Lane);
                _stack.Pop();
                continue;
            }

            int child = frame.Next++;
            long bytes = frame.Node.BytesOf(child);
            long start = frame.Start + frame.Node.StartOf(child);
            if (bytes == 0)
                continue; // nothing to read below: whole trees of nothing are never walked
            Cid cid = frame.Node.Children[child];
            if (cid.Codec == Cid.RawCodec)
            {
                Current = LeafOf(cid, start, (int)bytes);
                return true;
            }

            await DescendAsync(frame, child, cid, start, bytes).ConfigureAwait(false);
        }

        return false;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Frame frame in _stack)
            _ahead.Drop(frame.Lane);
        await _ahead.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The segment of a raw leaf: known at once when its bytes lie in the id.</summary>
    internal static FileSegment LeafOf(Cid cid, long offset, int length)
    {
        if (!BlockVerification.IsAccepted(cid, out string? why))
            throw new P2PException(P2PErrorCode.Integrity, $"Block {cid.ToShortString()} cannot be verified: {why}.");
        if (!KnownBlocks.TryGet(in cid, out ReadOnlyMemory<byte> known))
            return new FileSegment(offset, length, cid, default);
        return known.Length == length
            ? new FileSegment(offset, length, default, known)
            : throw ContentFault.Contradiction(in cid, $"has {known.Length} bytes where its parent claims {length}");
    }

    private async ValueTask DescendAsync(Frame frame, int child, Cid cid, long start, long bytes)
    {
        if (_stack.Count == MaxDepth)
            throw ContentFault.Contradiction(in cid, $"lies more than {MaxDepth} levels deep in a file");
        _ahead.Fill(frame.Lane, child);
        ContentNode node = await _ahead.TakeAsync(frame.Lane, child).ConfigureAwait(false);
        Nodes++;
        if (node.File is not { } file)
            throw ContentFault.Contradiction(in cid, "is a folder or a link inside a file");
        if (file.Bytes != bytes)
            throw ContentFault.Contradiction(in cid, $"has {file.Bytes} bytes where its parent claims {bytes}");
        Push(file, start);
    }

    private void Push(FileNode node, long start)
    {
        var frame = new Frame(node, start) { Next = _from > start ? node.ChildAt(_from - start) : 0 };
        _stack.Push(frame);
        _ahead.Fill(frame.Lane, frame.Next);
    }

    private sealed class Frame(FileNode node, long start)
    {
        public FileNode Node { get; } = node;

        public long Start { get; } = start;

        public LookAhead.Lane Lane { get; } = new(node.Children.Length, child => node.Children[child].Codec == Cid.RawCodec || node.BytesOf(child) == 0 ? default : node.Children[child]);

        public int Next { get; set; }

        public bool InlineTaken { get; set; }
    }
}
