using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Diagnostics;

namespace P2P.Core.Replication;

/// <summary>Has a run of this node's share kept: offers it to the closest holders until there are enough. Thread-safe; one run by one caller at a time.</summary>
internal sealed class RunPlacer(IHolderDirectory directory, ReplicaClient client, LeaseWriter leases, KeptReceipts receipts, ReplicationSettings settings, HolderTrust trust, TimeProvider time, ILogger logger)
{
    /// <summary>Makes good what is missing, and renews what is due.</summary>
    /// <param name="share">The share.</param>
    /// <param name="copies">The run.</param>
    /// <param name="isRenewal">Renew, due or not.</param>
    /// <param name="purpose">Whether somebody waits for it.</param>
    /// <param name="now">The time since the start.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task PlaceAsync(ReplicatedShare share, RunCopies copies, bool isRenewal, DialPurpose purpose, Func<TimeSpan> now, CancellationToken cancellationToken)
    {
        DateTimeOffset utcNow = time.GetUtcNow();
        List<Contact> keeping;
        int missing, target;
        lock (copies)
        {
            keeping = [.. copies.Holders(settings.Grace, now(), utcNow)];
            isRenewal |= copies.Until(settings.Grace, now(), utcNow) is { } until && until - utcNow < settings.LeaseDuration / 2;
            missing = copies.Missing(settings.Grace, settings.DelayedRepairWait, now(), utcNow);
            target = copies.Target;
        }

        if (missing == 0 && !isRenewal)
            return;
        var work = new Work(share, copies, leases.Ask(copies.Run, target), purpose, now);
        if (isRenewal)
        {
            // who has it keeps it; only what they refuse goes elsewhere
            int renewed = await OfferAsync(work, new Queue<Contact>(keeping), keeping.Count, cancellationToken).ConfigureAwait(false);
            missing = Math.Max(0, target - renewed);
        }

        IReadOnlyList<Contact> closest = missing == 0 ? [] : await directory.FindClosestAsync(copies.Run.Head, purpose, cancellationToken).ConfigureAwait(false);
        List<Contact> order = Placement.Order(closest.Where(holder => !keeping.Exists(one => one.Peer == holder.Peer)), keeping);
        await OfferAsync(work, new Queue<Contact>(order), missing, cancellationToken).ConfigureAwait(false);
        if (copies.Run.IsInner)
            await PlaceExtraAsync(work, target, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An inner node gets three copies more, at places of its own, as long as it has not got them.</summary>
    private async Task PlaceExtraAsync(Work work, int target, CancellationToken cancellationToken)
    {
        for (int i = 1; i <= Run.ExtraPlaces; i++)
        {
            List<Contact> having;
            lock (work.Copies)
                having = [.. work.Copies.Holders(settings.Grace, work.Now(), time.GetUtcNow())];
            if (having.Count == 0 || having.Count >= target + Run.ExtraPlaces)
                return;
            IReadOnlyList<Contact> there = await directory.FindClosestAsync(Run.PlaceName(work.Copies.Run.Head.Span, i), work.Purpose, cancellationToken).ConfigureAwait(false);
            List<Contact> order = Placement.Order(there.Where(holder => !having.Exists(one => one.Peer == holder.Peer)), having);
            await OfferAsync(work, new Queue<Contact>(order), 1, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Offers a run to one holder after the other, as many at once as copies are missing, until there are enough.</summary>
    private async Task<int> OfferAsync(Work work, Queue<Contact> holders, int wanted, CancellationToken cancellationToken)
    {
        int placed = 0;
        List<Task<bool>> offers = [];
        while (placed < wanted)
        {
            while (offers.Count < wanted - placed && holders.TryDequeue(out Contact? holder))
            {
                if (trust.IsTrusted(holder.Peer))
                    offers.Add(TryOfferAsync(work, holder, cancellationToken));
            }

            if (offers.Count == 0)
                break;
            Task<bool> done = await Task.WhenAny(offers).ConfigureAwait(false);
            offers.Remove(done);
            placed += await done.ConfigureAwait(false) ? 1 : 0;
        }

        return placed;
    }

    private async Task<bool> TryOfferAsync(Work work, Contact holder, CancellationToken cancellationToken)
    {
        (ReplicatedShare share, RunCopies copies) = (work.Share, work.Copies);
        try
        {
            OfferOutcome outcome = await client.OfferAsync(holder, copies.Run.Entries, work.Lease, work.Purpose, cancellationToken).ConfigureAwait(false);
            if (outcome.Receipt is { } receipt)
            {
                await receipts.KeepAsync(share.Root, copies.Run.Key, holder, outcome.Envelope, cancellationToken).ConfigureAwait(false);
                share.OnEpoch(holder.Peer, receipt.StoreEpoch);
                lock (copies)
                    copies.OnReceipt(holder, receipt, work.Now());
                ReplicationLog.Placed(logger, holder.Peer, copies.Run.Key);
                return true;
            }

            lock (share.Refusals)
                share.Refusals[outcome.Reason] = share.Refusals.GetValueOrDefault(outcome.Reason) + 1;
            ReplicationLog.NotPlaced(logger, holder.Peer, copies.Run.Key, outcome.Reason.ToString());
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            ReplicationLog.NotPlaced(logger, holder.Peer, copies.Run.Key, UntrustedText.Clean(error.Message));
        }

        return false;
    }

    /// <summary>One run at work.</summary>
    private sealed record Work(ReplicatedShare Share, RunCopies Copies, byte[] Lease, DialPurpose Purpose, Func<TimeSpan> Now);
}
