using P2P.Core.Blocks;

namespace P2P.Core.Replication;

/// <summary>A share of which others keep copies, as its publisher knows them. Changed by one task at a time.</summary>
internal sealed class ReplicatedShare(Cid root, int target, IReadOnlyList<RunCopies> runs)
{
    /// <summary>The share.</summary>
    public Cid Root { get; } = root;

    /// <summary>Copies wanted.</summary>
    public int Target { get; } = target;

    /// <summary>Its runs, the root's first.</summary>
    public IReadOnlyList<RunCopies> Runs { get; } = runs;

    /// <summary>How many holders refused at the last placement, by reason.</summary>
    public Dictionary<RefusalReason, int> Refusals { get; } = [];

    /// <summary>One at a time works at it.</summary>
    public SemaphoreSlim Gate { get; } = new(1);

    /// <summary>Blocks in all.</summary>
    public int Blocks => Runs.SelectMany(static copies => copies.Run.Entries).Select(static entry => entry.Cid.Key).Distinct<MultihashKey>().Count();
}

/// <summary>How a replicated share stands.</summary>
/// <param name="Blocks">Blocks.</param>
/// <param name="Runs">Runs.</param>
/// <param name="MinCopies">Copies of the worst run.</param>
/// <param name="AverageCopies">Copies of a run on average.</param>
/// <param name="Target">Copies wanted.</param>
/// <param name="Until">When the first lease ends; null: there is none.</param>
/// <param name="Refusals">Why holders refused, and how often.</param>
internal sealed record ReplicationState(int Blocks, int Runs, int MinCopies, double AverageCopies, int Target, DateTimeOffset? Until, IReadOnlyDictionary<RefusalReason, int> Refusals);
