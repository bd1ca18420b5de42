using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Diagnostics;

namespace P2P.Core.Replication;

/// <summary>
/// Counts the copies of a share from outside, as anybody may who has the link: asks the holders closest to each run which leases they hold on it, and each of
/// those that hold some for one block, so that a claim alone does not count.
/// </summary>
internal sealed class CopySurvey(IHolderDirectory directory, ReplicaClient client, TimeProvider time, ILogger logger)
{
    /// <summary>Runs looked up at once, and holders asked at once (count).</summary>
    private const int Parallelism = 8;

    /// <summary>Counts.</summary>
    /// <param name="runs">The runs of the share.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ReplicationState> RunAsync(IReadOnlyList<Run> runs, CancellationToken cancellationToken)
    {
        ParallelOptions options = new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
        ConcurrentBag<(Run Run, Contact Holder, InventoryItem Item)> claims = [];
        await Parallel.ForEachAsync(runs, options, async (run, token) =>
        {
            foreach (Contact holder in await FindAsync(run, token).ConfigureAwait(false))
            {
                foreach (InventoryItem item in await AskAsync(holder, run, token).ConfigureAwait(false))
                    claims.Add((run, holder, item));
            }
        }).ConfigureAwait(false);

        ConcurrentDictionary<PeerId, bool> proved = new();
        await Parallel.ForEachAsync(claims.GroupBy(static claim => claim.Holder.Peer), options, async (its, token) =>
        {
            (Run run, Contact holder, _) = its.MinBy(static claim => ProofOf(claim.Run).Size);
            proved[its.Key] = await HasAsync(holder, ProofOf(run).Cid, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return Count(runs, [.. claims.Where(claim => proved[claim.Holder.Peer])]);
    }

    /// <summary>The cheapest block that proves something: everybody has the empty one.</summary>
    private static ReplicaEntry ProofOf(Run run) => run.Entries.Where(static entry => entry.Size > 0).DefaultIfEmpty(run.Entries[0]).MinBy(static entry => entry.Size);

    private static ReplicationState Count(IReadOnlyList<Run> runs, List<(Run Run, Contact Holder, InventoryItem Item)> copies)
    {
        ILookup<DhtKey, (Run Run, Contact Holder, InventoryItem Item)> byRun = copies.ToLookup(static copy => copy.Run.Key);
        List<int> counts = [.. runs.Select(run => byRun[run.Key].DistinctBy(static copy => copy.Holder.Peer).Count())];
        DateTimeOffset? until = copies.Count == 0 ? null : copies.Min(static copy => copy.Item.Until);
        int target = copies.Count == 0 ? 0 : copies.Max(static copy => copy.Item.Target);
        int blocks = runs.SelectMany(static run => run.Entries).Select(static entry => entry.Cid.Key).Distinct().Count();
        return new ReplicationState(blocks, runs.Count, counts.Min(), counts.Average(), target, until, new Dictionary<RefusalReason, int>(), target == 0 ? 0 : counts.Count(count => count >= target));
    }

    /// <summary>The holders closest to a run, at all places that it has.</summary>
    private async Task<IEnumerable<Contact>> FindAsync(Run run, CancellationToken cancellationToken)
    {
        List<Contact> found = [.. await directory.FindClosestAsync(run.Head, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false)];
        for (int i = 1; run.IsInner && i <= Run.ExtraPlaces && found.Count >= ReplicaHolder.CloseHolders; i++)
            found.AddRange(await directory.FindClosestAsync(Run.PlaceName(run.Head.Span, i), DialPurpose.Awaited, cancellationToken).ConfigureAwait(false));
        return found.DistinctBy(static contact => contact.Peer);
    }

    private async Task<IEnumerable<InventoryItem>> AskAsync(Contact holder, Run run, CancellationToken cancellationToken)
    {
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            return (await client.AskForRunAsync(holder, run.Key, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false)).Where(item => item.Until > now);
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            ReplicationLog.NotCompared(logger, holder.Peer, UntrustedText.Clean(error.Message));
            return [];
        }
    }

    private async Task<bool> HasAsync(Contact holder, Cid block, CancellationToken cancellationToken)
    {
        try
        {
            await client.WantAsync(holder, block, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            ReplicationLog.NotCompared(logger, holder.Peer, UntrustedText.Clean(error.Message));
            return false;
        }
    }
}
