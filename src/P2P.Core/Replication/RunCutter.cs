using P2P.Core.Blocks;

namespace P2P.Core.Replication;

/// <summary>
/// Cuts a share into runs as its nodes are read: a small one is one run under its root's key; of a larger one inner nodes are placed one by one, and the leaves
/// of one parent, in the order of its links, in runs of at most 64 links and 64 MiB. So whoever has the parent can compute every run's key. Pure.
/// </summary>
internal sealed class RunCutter
{
    /// <summary>The most that one run holds (bytes).</summary>
    public const long MaxRunBytes = 64 << 20;

    /// <summary>Blocks of a share that is one run (count).</summary>
    public const int MaxBlocksOfOneRun = 4096;

    /// <summary>Links of one run of a larger share (count).</summary>
    public const int MaxLinks = 64;

    private readonly List<Run> _inner = [], _leaves = [];
    private readonly HashSet<MultihashKey> _seen = [];
    private readonly List<ReplicaEntry> _all = []; // as long as it may be one run
    private long _bytes;
    private int _blocks;

    /// <summary>The leaves of one parent as runs. A block that the parent links to twice counts once.</summary>
    /// <param name="leaves">The leaves, in the order of the links.</param>
    public static IEnumerable<Run> RunsOf(IEnumerable<ReplicaEntry> leaves)
    {
        List<ReplicaEntry> entries = [];
        HashSet<MultihashKey> seen = [];
        long size = 0;
        foreach (ReplicaEntry leaf in leaves)
        {
            if (!seen.Add(leaf.Cid.Key))
                continue;
            if (entries.Count == MaxLinks || (entries.Count > 0 && size + leaf.Size > MaxRunBytes))
            {
                yield return RunOf(entries, isInner: false);
                (entries, size) = ([], 0);
            }

            entries.Add(leaf);
            size += leaf.Size;
        }

        if (entries.Count > 0)
            yield return RunOf(entries, isInner: false);
    }

    /// <summary>An inner node, or a root.</summary>
    public void AddNode(ReplicaEntry node)
    {
        if (!Count(node))
            return;
        _inner.Add(RunOf([node], isInner: true));
    }

    /// <summary>The leaves of one parent, in the order of its links.</summary>
    public void AddLeaves(IReadOnlyCollection<ReplicaEntry> leaves)
    {
        foreach (ReplicaEntry leaf in leaves)
            Count(leaf);
        _leaves.AddRange(RunsOf(leaves));
    }

    /// <summary>The runs, the root's first.</summary>
    /// <param name="root">The block of the root.</param>
    public IReadOnlyList<Run> Cut(in Cid root)
    {
        if (_bytes <= MaxRunBytes && _blocks <= MaxBlocksOfOneRun)
            return [new Run(root.MultihashSpan.ToArray(), _all, IsInner: true)];

        // two parents may have the same leaves
        HashSet<(MultihashKey, int)> seen = [];
        return [.. _inner, .. _leaves.Where(run => seen.Add((run.Entries[0].Cid.Key, run.Entries.Count)))];
    }

    private bool Count(ReplicaEntry entry)
    {
        if (!_seen.Add(entry.Cid.Key))
            return false;
        _blocks++;
        _bytes += entry.Size;
        if (_bytes <= MaxRunBytes && _blocks <= MaxBlocksOfOneRun)
            _all.Add(entry);
        return true;
    }

    private static Run RunOf(List<ReplicaEntry> entries, bool isInner) => new(entries[0].Cid.MultihashSpan.ToArray(), entries, isInner);
}
