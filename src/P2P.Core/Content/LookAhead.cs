namespace P2P.Core.Content;

/// <summary>
/// Loads the nodes that a depth-first walk will want next, so that a walk over a network does not wait a round trip for each.
/// One lane for each node on the walk's stack; lanes deeper down are filled first because they are wanted first.
/// </summary>
internal sealed class LookAhead(NodeLoader loader, CancellationToken cancellationToken) : IAsyncDisposable
{
    // With hostile nodes of 2 MiB this bounds the memory to 96 MiB; with 63 ms a round trip it loads 760 nodes a second.
    // A private node is held sealed and opened, so of those half as many are loaded.
    private const int MaxLoads = 48;

    /// <summary>The most loads for the children of one node (count).</summary>
    public const int MaxLoadsPerLane = 24;

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly List<Task> _abandoned = [];
    private readonly int _maxLoads = loader.Form.IsPrivate ? MaxLoads / 2 : MaxLoads;
    private int _loads;

    /// <summary>Loads for the children of one node from now on (count), at most <see cref="MaxLoadsPerLane"/>.</summary>
    public int LoadsPerLane { get; set; } = MaxLoadsPerLane;

    /// <summary>The children of one node.</summary>
    /// <param name="count">How many.</param>
    /// <param name="nodeAt">A child's id; empty when it is no node to be walked, for example a leaf.</param>
    internal sealed class Lane(int count, Func<int, Cid> nodeAt)
    {
        internal readonly Queue<(int Child, Task<NodeBlock> Load)> Loads = new();
        internal int Next;

        internal int Count => count;

        internal Cid NodeAt(int child) => nodeAt(child);
    }

    /// <summary>Starts loads for a lane as far as there is room, from the given child on.</summary>
    public void Fill(Lane lane, int from)
    {
        lane.Next = Math.Max(lane.Next, from);
        while (_loads < _maxLoads && lane.Loads.Count < Math.Min(LoadsPerLane, _maxLoads / 2) && lane.Next < lane.Count)
        {
            int child = lane.Next++;
            Cid cid = lane.NodeAt(child);
            if (cid.IsEmpty)
                continue;
            _loads++;
            lane.Loads.Enqueue((child, loader.LoadAsync(cid, _stop.Token)));
        }
    }

    /// <summary>The node of a child, loaded ahead or now.</summary>
    public async Task<ContentNode> TakeAsync(Lane lane, int child)
    {
        while (lane.Loads.TryPeek(out (int Child, Task<NodeBlock> Load) ahead) && ahead.Child <= child)
        {
            lane.Loads.Dequeue();
            _loads--;
            if (ahead.Child == child)
                return loader.Decode(await ahead.Load.ConfigureAwait(false));
            Abandon(ahead.Load);
        }

        return await loader.GetAsync(lane.NodeAt(child), _stop.Token).ConfigureAwait(false);
    }

    /// <summary>A lane's node is left: what was loaded for it and not taken is dropped.</summary>
    public void Drop(Lane lane)
    {
        while (lane.Loads.TryDequeue(out (int Child, Task<NodeBlock> Load) ahead))
        {
            _loads--;
            Abandon(ahead.Load);
        }
    }

    /// <summary>A node outside the lanes: the root of a walk, or one that is loaded again.</summary>
    public Task<ContentNode> GetAsync(Cid cid) => loader.GetAsync(cid, _stop.Token);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (Task load in _abandoned)
            await load.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Abandon(Task<NodeBlock> load)
    {
        _abandoned.RemoveAll(static task => task.IsCompleted);
        _abandoned.Add(DisposeWhenLoadedAsync(load));
    }

    private static async Task DisposeWhenLoadedAsync(Task<NodeBlock> load)
    {
        await ((Task)load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nobody wants its outcome any more
        if (load.IsCompletedSuccessfully)
            (await load.ConfigureAwait(false)).Dispose();
    }
}
