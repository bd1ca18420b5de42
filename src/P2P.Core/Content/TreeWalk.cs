using System.Text;

namespace P2P.Core.Content;

/// <summary>What a walk over a tree has met.</summary>
internal enum TreeStep
{
    /// <summary>A folder; its entries follow, then <see cref="LeaveFolder"/>.</summary>
    EnterFolder,

    /// <summary>The end of the folder entered last.</summary>
    LeaveFolder,

    /// <summary>A file.</summary>
    File,

    /// <summary>A symbolic link.</summary>
    Link,

    /// <summary>An entry that is left out: its node was not loaded, or turned out to be no folder that something selected lies in.</summary>
    Passed,
}

/// <summary>An entry of a tree.</summary>
/// <param name="Step">What it is.</param>
/// <param name="Name">Its name in its folder as shared, not yet checked; empty for the root.</param>
/// <param name="Cid">Its id.</param>
/// <param name="Node">Its node; null for a file that is one raw block.</param>
/// <param name="ClaimedBytes">What the folder claims of the size of its tree; 0 when it does not.</param>
/// <param name="Scope">Whether it is selected. A folder that is only on the way to what is selected says <see cref="SelectionScope.Above"/>.</param>
internal readonly record struct TreeEntry(TreeStep Step, ReadOnlyMemory<byte> Name, Cid Cid, ContentNode? Node, long ClaimedBytes, SelectionScope Scope = SelectionScope.Inside);

/// <summary>
/// Walks a tree of folders depth first, in the order of the links, loading nodes ahead. Needs memory for the folders between the root and the
/// current one, and when those are large, for their ids only: their nodes are loaded again on the way back.
/// </summary>
internal sealed class TreeWalk : IAsyncDisposable
{
    /// <summary>The most folders inside each other: a path of 4,096 bytes, the longest that Linux takes, has no more. A chain of tiny nodes would go on for ever.</summary>
    public const int MaxDepth = 2_048;

    // Decoded, a link takes about 150 bytes besides its name, and a name may fill a node of 2 MiB.
    private const int LinkBytes = 150;
    private const long MaxLinkBytesHeld = 40 << 20;

    private readonly LookAhead _ahead;
    private readonly long _maxEntries;
    private readonly bool _isSurvey;
    private readonly Cid _root;
    private readonly Selection? _selection;
    private readonly List<Frame> _stack = [];
    private long _entries;
    private int _folders; // on the stack
    private long _linkBytesHeld;
    private bool _started;

    /// <summary>Begins a walk.</summary>
    /// <param name="loader">Gets the nodes.</param>
    /// <param name="root">A folder, a file or a link.</param>
    /// <param name="maxEntries">The most entries before the walk refuses to go on: few blocks can name endlessly many.</param>
    /// <param name="cancellationToken">Ends the walk and its loads.</param>
    /// <param name="selection">What is wanted of it; null: all. The root is never matched itself.</param>
    /// <param name="isSurvey">Only look what is selected: that is passed too, and not loaded.</param>
    public TreeWalk(NodeLoader loader, Cid root, long maxEntries, CancellationToken cancellationToken, Selection? selection = null, bool isSurvey = false)
    {
        _ahead = new LookAhead(loader, cancellationToken);
        _root = root;
        _maxEntries = maxEntries;
        _selection = selection;
        _isSurvey = isSurvey;
    }

    /// <summary>Where the walk is, after <see cref="MoveNextAsync"/> returned true.</summary>
    public TreeEntry Current { get; private set; }

    /// <summary>Inner nodes walked so far, the nodes of files not included but for their roots.</summary>
    public long Nodes { get; private set; }

    /// <summary>Goes on to the next entry. False: the tree has ended.</summary>
    /// <exception cref="P2PException">Integrity: the tree is malformed; or what the source reported.</exception>
    public async ValueTask<bool> MoveNextAsync()
    {
        if (!_started)
        {
            _started = true;
            ContentNode? node = _root.Codec == Cid.RawCodec ? null : await _ahead.GetAsync(_root).ConfigureAwait(false);
            Nodes += node is null ? 0 : 1;
            Visit(default, _root, node, 0, _selection is null ? SelectionScope.Inside : SelectionScope.Above, "");
            return true;
        }

        while (_stack.Count > 0)
        {
            Frame frame = _stack[^1];
            if (frame.Links is null)
                await ReloadAsync(frame).ConfigureAwait(false);
            if (frame.Next == frame.Links!.Length)
            {
                Pop(frame);
                if (!frame.IsFolderEnd)
                    continue;
                Current = new TreeEntry(TreeStep.LeaveFolder, default, frame.Cid, null, 0);
                return true;
            }

            if (await VisitNextAsync(frame).ConfigureAwait(false))
                return true;
        }

        return false;
    }

    /// <summary>Leaves out the entries of the folder entered last; <see cref="TreeStep.LeaveFolder"/> still comes.</summary>
    public void SkipFolder()
    {
        Frame frame = _stack[^1];
        frame.Next = frame.Links?.Length ?? 0;
        _ahead.Drop(frame.Lane);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Frame frame in _stack)
            _ahead.Drop(frame.Lane);
        await _ahead.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> VisitNextAsync(Frame frame)
    {
        int index = frame.Next++;
        DagPbLink link = frame.Links![index];
        SelectionScope scope = ScopeOf(frame, link, out ReadOnlyMemory<byte> name, out string? path);
        bool isShard = frame.Layout is not null && name.IsEmpty;
        long claimedBytes = (long)Math.Min(link.TargetBytes ?? 0, long.MaxValue);
        if (!IsLoaded(link, scope, isShard))
        {
            CountEntry();
            Current = isShard ? Current : new TreeEntry(TreeStep.Passed, name, link.Cid, null, claimedBytes, scope);
            return !isShard;
        }

        ContentNode? node = null;
        if (link.Cid.Codec != Cid.RawCodec)
        {
            _ahead.Fill(frame.Lane, index);
            node = await _ahead.TakeAsync(frame.Lane, index).ConfigureAwait(false);
            Nodes++;
        }

        if (isShard)
        {
            if (node is not { Data.Type: UnixFsType.HamtShard })
                throw ContentFault.Contradiction(link.Cid, "stands where a shard of a folder belongs");
            CountEntry();
            Push(node, ShardLayout.From(link.Cid, node.Data, frame.Layout!.Value.BitsUsed + frame.Layout.Value.Bits), frame.Place, isFolderEnd: false);
            return false;
        }

        CountEntry();
        Visit(name, link.Cid, node, claimedBytes, scope, path);
        return true;
    }

    private void Visit(ReadOnlyMemory<byte> name, Cid cid, ContentNode? node, long claimedBytes, SelectionScope scope, string? path)
    {
        TreeStep step = node switch
        {
            { IsFolder: true } => TreeStep.EnterFolder,
            _ when scope == SelectionScope.Above => TreeStep.Passed,
            null or { File: not null } => TreeStep.File,
            _ => TreeStep.Link,
        };
        Current = new TreeEntry(step, name, cid, node, claimedBytes, scope);
        if (step == TreeStep.Passed)
            Nodes--; // it had to be looked at, but is no part of what is wanted
        if (step == TreeStep.EnterFolder)
        {
            ShardLayout? layout = node!.Data.Type == UnixFsType.HamtShard ? ShardLayout.From(in cid, node.Data, 0) : null;
            Push(node, layout, new FolderScope(scope, path, scope == SelectionScope.Above ? _selection!.NamesIn(path!) : null), isFolderEnd: true);
        }
    }

    // an entry's scope, and its path where something below a folder may be selected
    private SelectionScope ScopeOf(Frame frame, DagPbLink link, out ReadOnlyMemory<byte> name, out string? path)
    {
        name = link.Name;
        path = null;
        int bucket = frame.Layout is { } layout ? layout.SplitName(frame.Cid, link.Name, out name) : 0;
        if (frame.Place.Scope == SelectionScope.Inside)
            return SelectionScope.Inside;
        if (frame.Layout is { } shard && name.IsEmpty)
            return frame.Place.Names is not { } names || Array.Exists(names, hash => shard.BucketOf(hash) == bucket) ? SelectionScope.Above : SelectionScope.Outside;
        string folder = frame.Place.Path!;
        string text = Encoding.UTF8.GetString(name.Span);
        path = folder.Length == 0 ? text : $"{folder}/{text}";
        return _selection!.ScopeOf(path);
    }

    private bool IsLoaded(DagPbLink link, SelectionScope scope, bool isShard) => scope switch
    {
        SelectionScope.Outside => false,
        SelectionScope.Above => isShard || link.Cid.Codec != Cid.RawCodec, // a file of one block is no folder
        _ => !_isSurvey,
    };

    // the node that a walk will want for a child; empty when it will want none
    private Cid NodeAt(Frame frame, int child)
    {
        if (frame.Links is not { } links || links[child].Cid.Codec == Cid.RawCodec)
            return default;
        if (frame.Place.Scope == SelectionScope.Inside)
            return links[child].Cid;
        SelectionScope scope = ScopeOf(frame, links[child], out ReadOnlyMemory<byte> name, out _);
        return IsLoaded(links[child], scope, frame.Layout is not null && name.IsEmpty) ? links[child].Cid : default;
    }

    private void CountEntry()
    {
        if (++_entries > _maxEntries)
            throw new P2PException(P2PErrorCode.Integrity, $"The content has more than {_maxEntries} entries, more than is accepted.");
    }

    private void Push(ContentNode node, ShardLayout? layout, FolderScope place, bool isFolderEnd)
    {
        if (isFolderEnd && ++_folders > MaxDepth)
            throw ContentFault.Contradiction(node.Cid, $"lies in more than {MaxDepth} folders inside each other");
        var frame = new Frame(this, node, layout, place, isFolderEnd);
        _linkBytesHeld += frame.LinkBytesHeld;
        for (int i = 0; i < _stack.Count && _linkBytesHeld > MaxLinkBytesHeld; i++)
        {
            _linkBytesHeld -= _stack[i].LinkBytesHeld;
            _stack[i].Links = null;
        }

        _stack.Add(frame);
        _ahead.Fill(frame.Lane, 0);
    }

    private void Pop(Frame frame)
    {
        _linkBytesHeld -= frame.LinkBytesHeld;
        _folders -= frame.IsFolderEnd ? 1 : 0;
        _ahead.Drop(frame.Lane);
        _stack.RemoveAt(_stack.Count - 1);
    }

    private async ValueTask ReloadAsync(Frame frame)
    {
        ContentNode node = await _ahead.GetAsync(frame.Cid).ConfigureAwait(false);
        frame.Links = node.Links;
        _linkBytesHeld += frame.LinkBytesHeld;
    }

    /// <summary>Where a folder is: its scope, and when that is <see cref="SelectionScope.Above"/> its path and the names that matter in it.</summary>
    private readonly record struct FolderScope(SelectionScope Scope, string? Path, ulong[]? Names);

    private sealed class Frame
    {
        private readonly long _linkBytes;

        public Frame(TreeWalk walk, ContentNode node, ShardLayout? layout, FolderScope place, bool isFolderEnd)
        {
            Cid = node.Cid;
            Links = node.Links;
            _linkBytes = node.Links.Sum(static link => (long)LinkBytes + link.NameSpan.Length);
            Layout = layout;
            Place = place;
            IsFolderEnd = isFolderEnd;
            Lane = new LookAhead.Lane(node.Links.Length, child => walk.NodeAt(this, child));
        }

        public Cid Cid { get; }

        public DagPbLink[]? Links { get; set; } // null: let go of, to be loaded again

        public long LinkBytesHeld => Links is null ? 0 : _linkBytes;

        public ShardLayout? Layout { get; } // null: a plain folder

        public FolderScope Place { get; }

        public bool IsFolderEnd { get; } // false: a shard inside a folder that goes on after it

        public LookAhead.Lane Lane { get; }

        public int Next { get; set; }
    }
}
