namespace P2P.Core.Content;

/// <summary>
/// Walks a tree and says where each entry that is wanted belongs on disk. What is passed over keeps its claim to its name, so that an entry gets the
/// same place whatever is selected beside it; a folder that is only on the way comes when something below it does.
/// </summary>
/// <param name="walk">The walk; disposed with this one.</param>
/// <param name="system">Whose rules of names hold.</param>
internal sealed class PlacedWalk(TreeWalk walk, TargetSystem system) : IAsyncDisposable
{
    private readonly PathMapper _mapper = new(system);
    private readonly List<Open> _open = []; // the folders between the root and here
    private readonly Queue<(TreeEntry Entry, string Local)> _ready = new();

    /// <summary>Where the walk is, after <see cref="MoveNextAsync"/> returned true. Never <see cref="TreeStep.Passed"/>.</summary>
    public TreeEntry Current { get; private set; }

    /// <summary>The entry's path on disk inside the root, segments separated by <c>/</c>; empty for the root.</summary>
    public string Local { get; private set; } = "";

    /// <summary>Inner nodes of what is wanted walked so far, the nodes of files not included but for their roots.</summary>
    public long Nodes => walk.Nodes;

    /// <summary>Names that did not stay, of entries that came.</summary>
    public IReadOnlyList<RenamedEntry> Renamed => _mapper.Renamed;

    /// <summary>How many names did not stay.</summary>
    public long RenamedCount => _mapper.RenamedCount;

    /// <summary>Goes on to the next entry. False: the tree has ended.</summary>
    /// <exception cref="P2PException">Integrity: the tree is malformed; or what the source reported.</exception>
    public async ValueTask<bool> MoveNextAsync()
    {
        while (_ready.Count == 0)
        {
            if (!await walk.MoveNextAsync().ConfigureAwait(false))
                return false;
            Take(walk.Current);
        }

        (Current, Local) = _ready.Dequeue();
        return true;
    }

    /// <summary>Notes an entry that is left out after all.</summary>
    public void ReportLeftOut(string local) => _mapper.Report(new RenamedEntry(local, ""));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => walk.DisposeAsync();

    private void Take(in TreeEntry entry)
    {
        if (entry.Step == TreeStep.LeaveFolder)
        {
            _mapper.Leave();
            Open folder = _open[^1];
            _open.RemoveAt(_open.Count - 1);
            if (folder.HasCome)
                _ready.Enqueue((entry, folder.Local));
            return;
        }

        bool counts = _mapper.TryPlace(entry.Name.Span, out string local, out RenamedEntry? renamed);
        if (entry.Step == TreeStep.EnterFolder)
        {
            if (!counts)
                walk.SkipFolder();
            _mapper.Enter(entry.Name.Span, counts ? local : null);
            _open.Add(new Open(entry, local, renamed, isHidden: !counts));
            if (counts && entry.Scope == SelectionScope.Inside)
                ComeAll();
        }
        else if (counts && entry.Step != TreeStep.Passed)
        {
            ComeAll();
            if (renamed is not null)
                _mapper.Report(renamed);
            _ready.Enqueue((entry, local));
        }
    }

    private void ComeAll()
    {
        int first = _open.Count;
        while (first > 0 && !_open[first - 1].HasCome)
            first--; // a folder comes before all below it
        for (int i = first; i < _open.Count; i++)
        {
            Open folder = _open[i];
            folder.HasCome = true;
            if (folder.Renamed is { } renamed)
                _mapper.Report(renamed);
            _ready.Enqueue((folder.Entry, folder.Local));
        }
    }

    private sealed class Open(TreeEntry entry, string local, RenamedEntry? renamed, bool isHidden)
    {
        public TreeEntry Entry { get; } = isHidden ? default : entry; // a hidden one has no entries, so nothing makes it come

        public string Local { get; } = local;

        public RenamedEntry? Renamed { get; } = renamed;

        public bool HasCome { get; set; }
    }
}
