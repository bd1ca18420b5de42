using P2P.Core.Blocks;
using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>A share of which others keep copies, as its publisher knows them. Changed by one task at a time.</summary>
internal sealed class ReplicatedShare(Cid root, IReadOnlyList<RunCopies> runs)
{
    /// <summary>The share.</summary>
    public Cid Root { get; } = root;

    /// <summary>Copies wanted.</summary>
    public int Target { get; private set; }

    /// <summary>Wants another number of copies; those that are there stay.</summary>
    public void SetTarget(int target)
    {
        Target = target;
        foreach (RunCopies copies in Runs)
        {
            lock (copies)
                copies.Target = target;
        }
    }

    /// <summary>Takes up receipts of an earlier run. They count until an audit says otherwise.</summary>
    public void Restore(IEnumerable<(DhtKey Run, Contact Holder, Receipt Receipt)> receipts, TimeSpan now)
    {
        Dictionary<DhtKey, RunCopies> byKey = [];
        foreach (RunCopies copies in Runs)
            byKey.TryAdd(copies.Run.Key, copies);
        foreach ((DhtKey run, Contact holder, Receipt receipt) in receipts)
        {
            if (byKey.TryGetValue(run, out RunCopies? copies))
                copies.OnReceipt(holder, receipt, now);
        }
    }

    /// <summary>A holder told which life of its store this is: what it said in another is void.</summary>
    public void OnEpoch(PeerId holder, ReadOnlyMemory<byte> epoch)
    {
        foreach (RunCopies copies in Runs)
        {
            lock (copies)
                copies.OnEpoch(holder, epoch.Span);
        }
    }

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
/// <param name="RunsAtTarget">Runs with as many copies as are wanted.</param>
internal sealed record ReplicationState(int Blocks, int Runs, int MinCopies, double AverageCopies, int Target, DateTimeOffset? Until, IReadOnlyDictionary<RefusalReason, int> Refusals, int RunsAtTarget);
