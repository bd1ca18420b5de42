using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// What open batches rely on: blocks and files that were seen in the index and must still be there at the commit. The collector leaves them; a batch that
/// wants what a slice of the collector is just removing waits for the end of that slice, some milliseconds, and then sees that it is gone.
/// </summary>
internal sealed class BatchHolds
{
    private readonly Lock _gate = new();

    // All guarded by the gate: how many batches rely on each, and what the slice at work removes.
    private readonly Dictionary<MultihashKey, int> _blocks = [];
    private readonly Dictionary<long, int> _files = [];
    private readonly HashSet<MultihashKey> _condemnedBlocks = [];
    private readonly HashSet<long> _condemnedFiles = [];

    /// <summary>From here to <see cref="Release"/> the block does not go.</summary>
    public void Hold(MultihashKey block) => Hold(_blocks, _condemnedBlocks, block);

    /// <summary>From here to <see cref="Release"/> the file does not go.</summary>
    public void Hold(long file) => Hold(_files, _condemnedFiles, file);

    public void Release(IEnumerable<MultihashKey> blocks, IEnumerable<long> files)
    {
        lock (_gate)
        {
            foreach (MultihashKey block in blocks)
                Release(_blocks, block);
            foreach (long file in files)
                Release(_files, file);
        }
    }

    /// <summary>Begins a slice of the collector: nobody may rely on these blocks until <see cref="Spare"/>. False for those that a batch relies on.</summary>
    public bool[] Condemn(IReadOnlyList<MultihashKey> blocks) => Condemn(_blocks, _condemnedBlocks, blocks);

    /// <summary>The same for files.</summary>
    public bool[] Condemn(IReadOnlyList<long> files) => Condemn(_files, _condemnedFiles, files);

    /// <summary>Ends the slice.</summary>
    public void Spare()
    {
        lock (_gate)
        {
            _condemnedBlocks.Clear();
            _condemnedFiles.Clear();
        }
    }

    private static void Release<T>(Dictionary<T, int> held, T what)
        where T : notnull
    {
        if (--held[what] == 0)
            held.Remove(what);
    }

    private void Hold<T>(Dictionary<T, int> held, HashSet<T> condemned, T what)
        where T : notnull
    {
        SpinWait spin = default;
        while (true)
        {
            lock (_gate)
            {
                if (!condemned.Contains(what))
                {
                    held[what] = held.GetValueOrDefault(what) + 1;
                    return;
                }
            }
            spin.SpinOnce();
        }
    }

    private bool[] Condemn<T>(Dictionary<T, int> held, HashSet<T> condemned, IReadOnlyList<T> all)
        where T : notnull
    {
        bool[] free = new bool[all.Count];
        lock (_gate)
        {
            for (int i = 0; i < all.Count; i++)
            {
                free[i] = !held.ContainsKey(all[i]);
                if (free[i])
                    condemned.Add(all[i]);
            }
        }
        return free;
    }
}
