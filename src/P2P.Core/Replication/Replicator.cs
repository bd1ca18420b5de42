using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Dht;
using P2P.Core.Diagnostics;
using P2P.Core.Identity;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>
/// Has copies of this node's shares kept by the holders closest to them: places each run, keeps count by audits, makes good what is lost, renews the leases
/// and releases them. Thread-safe.
/// </summary>
internal sealed class Replicator(
    BlockStore store, IdentityKey identity, IHolderDirectory directory, ReplicaClient client, ReplicationSettings settings, string network, TimeProvider time, ILoggerFactory loggers)
{
    /// <summary>Runs placed or looked at in parallel (count): each holds one offer to each of its holders.</summary>
    private const int Parallelism = 4;

    private readonly ILogger _logger = loggers.CreateLogger("P2P.Core.Replication");
    private readonly ConcurrentDictionary<Cid, ReplicatedShare> _shares = new();
    private readonly long _started = time.GetTimestamp();
    private ulong _sequence;

    private TimeSpan Now => time.GetElapsedTime(_started);

    /// <summary>Places a share, or more copies of one that was placed before. Returns when every holder that was asked has answered.</summary>
    /// <param name="root">The share.</param>
    /// <param name="form">How it stands in blocks.</param>
    /// <param name="target">Copies wanted.</param>
    /// <param name="cancellationToken">Ends it; what was placed stays placed.</param>
    public async Task<ReplicationState> ReplicateAsync(Cid root, BlockForm form, int target, CancellationToken cancellationToken)
    {
        if (!_shares.TryGetValue(root, out ReplicatedShare? share) || share.Target != target)
        {
            IReadOnlyList<Run> runs = await new RunPlan(store, form).CutAsync(root, cancellationToken).ConfigureAwait(false);
            share = new ReplicatedShare(root, target, [.. runs.Select(run => new RunCopies(run, target))]);
            _shares[root] = share;
        }

        await PlaceAsync(share, isRenewal: true, cancellationToken).ConfigureAwait(false);
        return StateOf(share);
    }

    /// <summary>How a share stands now, by audits made now; null when it is none of ours.</summary>
    public async Task<ReplicationState?> CheckAsync(Cid root, CancellationToken cancellationToken)
    {
        if (!_shares.TryGetValue(root, out ReplicatedShare? share))
            return null;
        await AuditAsync(share, cancellationToken).ConfigureAwait(false);
        return StateOf(share);
    }

    /// <summary>Releases the leases on a share.</summary>
    public async Task ReleaseAsync(Cid root, CancellationToken cancellationToken)
    {
        if (!_shares.TryRemove(root, out ReplicatedShare? share))
            return;
        ParallelOptions options = new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(share.Runs, options, async (copies, token) =>
        {
            byte[] release = LeaseOf(copies, StatementTime.Truncate(time.GetUtcNow()).AddSeconds(-1));
            Copy[] all;
            lock (copies)
                all = [.. copies.All];
            foreach (Copy copy in all)
            {
                try
                {
                    await client.ReleaseAsync(copy.Holder, release, token).ConfigureAwait(false);
                }
                catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
                {
                    ReplicationLog.NotPlaced(_logger, copy.Holder.Peer, copies.Run.Key, UntrustedText.Clean(error.Message)); // its lease ends by itself
                }
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Looks after everything that was placed, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(settings.CheckInterval, time, cancellationToken).ConfigureAwait(false);
            foreach (ReplicatedShare share in _shares.Values)
            {
                try
                {
                    await AuditAsync(share, cancellationToken).ConfigureAwait(false);
                    await PlaceAsync(share, isRenewal: false, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    // one share that cannot be looked after now must not keep the others from it
                    ReplicationLog.NotPlaced(_logger, identity.PeerId, DhtKey.Of(share.Root.MultihashSpan), error.Message);
                }
            }
        }
    }

    private ReplicationState StateOf(ReplicatedShare share)
    {
        DateTimeOffset utcNow = time.GetUtcNow();
        List<int> counts = [];
        DateTimeOffset? until = null;
        foreach (RunCopies copies in share.Runs)
        {
            lock (copies)
            {
                counts.Add(copies.Count(settings.Grace, Now, utcNow));
                if (copies.Until(settings.Grace, Now, utcNow) is { } first && (until is null || first < until))
                    until = first;
            }
        }

        return new ReplicationState(share.Blocks, share.Runs.Count, counts.Min(), counts.Average(), share.Target, until, new Dictionary<RefusalReason, int>(share.Refusals));
    }

    private async Task PlaceAsync(ReplicatedShare share, bool isRenewal, CancellationToken cancellationToken)
    {
        await share.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (share.Refusals)
                share.Refusals.Clear();

            ParallelOptions options = new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(share.Runs, options, async (copies, token) => await PlaceAsync(share, copies, isRenewal, token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            share.Gate.Release();
        }
    }

    private async Task PlaceAsync(ReplicatedShare share, RunCopies copies, bool isRenewal, CancellationToken cancellationToken)
    {
        DateTimeOffset utcNow = time.GetUtcNow();
        List<Contact> keeping;
        int missing;
        lock (copies)
        {
            keeping = [.. copies.Holders(settings.Grace, Now, utcNow)];
            isRenewal |= copies.Until(settings.Grace, Now, utcNow) is { } until && until - utcNow < settings.LeaseDuration / 2;
            missing = copies.Missing(settings.Grace, settings.DelayedRepairWait, Now, utcNow);
        }

        if (missing == 0 && !isRenewal)
            return;
        byte[] lease = LeaseOf(copies, StatementTime.Truncate(utcNow + settings.LeaseDuration));
        if (isRenewal)
        {
            // who has it keeps it; only what they refuse goes elsewhere
            int renewed = await OfferAsync(share, copies, lease, new Queue<Contact>(keeping), keeping.Count, cancellationToken).ConfigureAwait(false);
            missing = Math.Max(0, copies.Target - renewed);
        }

        IReadOnlyList<Contact> closest = missing == 0 ? [] : await directory.FindClosestAsync(copies.Run.Head, cancellationToken).ConfigureAwait(false);
        List<Contact> order = Placement.Order(closest.Where(holder => !keeping.Exists(one => one.Peer == holder.Peer)), keeping);
        await OfferAsync(share, copies, lease, new Queue<Contact>(order), missing, cancellationToken).ConfigureAwait(false);
        if (copies.Run.IsInner)
            await PlaceExtraAsync(share, copies, lease, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An inner node gets three copies more, at places of its own, as long as it has not got them.</summary>
    private async Task PlaceExtraAsync(ReplicatedShare share, RunCopies copies, byte[] lease, CancellationToken cancellationToken)
    {
        for (int i = 1; i <= Run.ExtraPlaces; i++)
        {
            List<Contact> having;
            lock (copies)
                having = [.. copies.Holders(settings.Grace, Now, time.GetUtcNow())];
            if (having.Count == 0 || having.Count >= copies.Target + Run.ExtraPlaces)
                return;
            IReadOnlyList<Contact> there = await directory.FindClosestAsync(Run.PlaceName(copies.Run.Head.Span, i), cancellationToken).ConfigureAwait(false);
            List<Contact> order = Placement.Order(there.Where(holder => !having.Exists(one => one.Peer == holder.Peer)), having);
            await OfferAsync(share, copies, lease, new Queue<Contact>(order), 1, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Offers a run to one holder after the other, as many at once as copies are missing, until there are enough.</summary>
    private async Task<int> OfferAsync(ReplicatedShare share, RunCopies copies, byte[] lease, Queue<Contact> holders, int wanted, CancellationToken cancellationToken)
    {
        int placed = 0;
        List<Task<bool>> offers = [];
        while (placed < wanted)
        {
            while (offers.Count < wanted - placed && holders.TryDequeue(out Contact? holder))
                offers.Add(TryOfferAsync(share, copies, lease, holder, cancellationToken));
            if (offers.Count == 0)
                break;
            Task<bool> done = await Task.WhenAny(offers).ConfigureAwait(false);
            offers.Remove(done);
            placed += await done.ConfigureAwait(false) ? 1 : 0;
        }

        return placed;
    }

    private async Task<bool> TryOfferAsync(ReplicatedShare share, RunCopies copies, byte[] lease, Contact holder, CancellationToken cancellationToken)
    {
        try
        {
            OfferOutcome outcome = await client.OfferAsync(holder, copies.Run, lease, cancellationToken).ConfigureAwait(false);
            if (outcome.Receipt is { } receipt)
            {
                lock (copies)
                    copies.OnReceipt(holder, receipt, Now);
                ReplicationLog.Placed(_logger, holder.Peer, copies.Run.Key);
                return true;
            }

            lock (share.Refusals)
                share.Refusals[outcome.Reason] = share.Refusals.GetValueOrDefault(outcome.Reason) + 1;
            ReplicationLog.NotPlaced(_logger, holder.Peer, copies.Run.Key, outcome.Reason.ToString());
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            ReplicationLog.NotPlaced(_logger, holder.Peer, copies.Run.Key, UntrustedText.Clean(error.Message));
        }

        return false;
    }

    /// <summary>Asks every holder for a proof of one block of each run, drawn anew each time.</summary>
    private async Task AuditAsync(ReplicatedShare share, CancellationToken cancellationToken)
    {
        await share.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ParallelOptions options = new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(share.Runs, options, async (copies, token) =>
            {
                ReplicaEntry entry = copies.Run.Entries[System.Security.Cryptography.RandomNumberGenerator.GetInt32(copies.Run.Entries.Count)]; // not to be foreseen
                using BlockBuffer? block = await store.ReadAsync(entry.Cid, token).ConfigureAwait(false);
                if (block is null)
                    return; // gone here: who has it cannot be told from who has not
                foreach (Copy copy in copies.All.ToList())
                    await AuditAsync(copies, copy, entry.Cid, block, token).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        finally
        {
            share.Gate.Release();
        }
    }

    private async Task AuditAsync(RunCopies copies, Copy copy, Cid cid, BlockBuffer block, CancellationToken cancellationToken)
    {
        try
        {
            AuditOutcome outcome = await client.AuditAsync(copy.Holder, cid, block, cancellationToken).ConfigureAwait(false);
            lock (copies)
            {
                if (outcome == AuditOutcome.Proved)
                {
                    copies.OnProof(copy.Holder.Peer, Now);
                    return;
                }

                copies.OnLie(copy.Holder.Peer);
            }

            ReplicationLog.CopyLost(_logger, copy.Holder.Peer, copies.Run.Key, "it answers, and does not have it");
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            lock (copies)
                copies.OnSilence(copy.Holder.Peer, Now);
            ReplicationLog.CopyLost(_logger, copy.Holder.Peer, copies.Run.Key, UntrustedText.Clean(error.Message));
        }
    }

    private byte[] LeaseOf(RunCopies copies, DateTimeOffset until)
    {
        DateTimeOffset utcNow = time.GetUtcNow();
        return new Lease
        {
            Network = network,
            Publisher = identity.PeerId,
            RunKey = copies.Run.Key,
            EntriesDigest = ReplicaEntry.Digest(copies.Run.Entries),
            Count = copies.Run.Entries.Count,
            Bytes = copies.Run.Bytes,
            Issued = StatementTime.Truncate(utcNow),
            Until = until,
            Min = ReplicationSettings.MinOf(copies.Target),
            Target = copies.Target,
            Max = ReplicationSettings.MaxOf(copies.Target),
            Sequence = NextSequence(utcNow),
        }.Seal(identity);
    }

    /// <summary>Milliseconds since 1970, and always more than before: a node that starts again must not fall behind what it said last time.</summary>
    private ulong NextSequence(DateTimeOffset utcNow)
    {
        while (true)
        {
            ulong before = Volatile.Read(ref _sequence), next = Math.Max(before + 1, (ulong)utcNow.ToUnixTimeMilliseconds());
            if (Interlocked.CompareExchange(ref _sequence, next, before) == before)
                return next;
        }
    }
}
