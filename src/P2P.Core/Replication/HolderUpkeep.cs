using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Diagnostics;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>
/// Looks after the runs that this holder keeps together with others, whether their publisher is there or not: compares with its neighbours what each holds,
/// has them prove it, makes copies elsewhere when too few are left, and lets go of one that is too many.
/// </summary>
internal sealed class HolderUpkeep(
    ReplicaHolder holder, BlockStore store, PeerId self, IHolderDirectory directory, ReplicaClient client, ReplicationSettings settings, TimeProvider time, ILogger logger)
{
    /// <summary>Neighbours that are compared with in one round (count): those that share most runs first.</summary>
    private const int MaxNeighbours = 256;

    /// <summary>Neighbours asked in parallel (count).</summary>
    private const int CompareParallelism = 8;

    /// <summary>Runs repaired in parallel (count): so a repair leaves most of the uplink to those who fetch.</summary>
    private const int RepairParallelism = 2;

    /// <summary>Bits by which runs are told apart in a comparison, at most.</summary>
    private const int MaxPartBits = 16;

    private readonly Dictionary<(PeerId Publisher, DhtKey Run), RepairPlan> _plans = [];
    private readonly Dictionary<PeerId, Contact> _seen = []; // neighbours of the last round, with their addresses
    private readonly HolderTrust _trust = new(time);
    private readonly long _started = time.GetTimestamp();

    private TimeSpan Now => time.GetElapsedTime(_started);

    /// <summary>
    /// Looks after everything, until it is cancelled: now and then compares and audits, and a few times within the grace looks whether the others are there.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan lastRound = Now;
        while (true)
        {
            await Task.Delay(settings.ProbeInterval, time, cancellationToken).ConfigureAwait(false);
            DateTimeOffset utcNow = time.GetUtcNow();
            List<HeldLease> held = [.. holder.Leases.All.Where(one => one.Lease.Until > utcNow)];
            Track(held);
            if (held.Count == 0)
                continue;
            try
            {
                if (Now - lastRound >= settings.CheckInterval)
                {
                    lastRound = Now;
                    await MeetAllAsync(held, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    await ProbeAllAsync(held, cancellationToken).ConfigureAwait(false);
                }

                await ActAsync(held, cancellationToken).ConfigureAwait(false);
            }
            catch (P2PException error)
            {
                ReplicationLog.RoundFailed(logger, error.Message); // of the store or the network: the next round tries again
            }
        }
    }

    /// <summary>Compares with all neighbours what each holds.</summary>
    private async Task MeetAllAsync(List<HeldLease> held, CancellationToken cancellationToken)
    {
        List<DhtPrefix> parts = PartsOf(held);
        foreach (DhtPrefix part in parts)
            await directory.FindClosestAsync(HeadIn(held, part), DialPurpose.Background, cancellationToken).ConfigureAwait(false); // so that who came is known
        List<Contact> neighbours = NeighboursOf(held);
        lock (_plans)
        {
            _seen.Clear();
            foreach (Contact neighbour in neighbours.Where(static neighbour => neighbour.Addresses.Count > 0))
                _seen[neighbour.Peer] = neighbour;
        }

        Inventory[] own = [.. parts.Select(part => new Inventory(held, part))];
        ParallelOptions options = new() { MaxDegreeOfParallelism = CompareParallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(neighbours, options, async (neighbour, token) => await MeetAsync(neighbour, own, held, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Asks everybody who is believed to have a copy about one of those, to see that it is there.</summary>
    private async Task ProbeAllAsync(List<HeldLease> held, CancellationToken cancellationToken)
    {
        Dictionary<PeerId, HeldLease> probes = [];
        lock (_plans)
        {
            foreach (HeldLease one in held)
            {
                foreach (PeerId other in _plans[(one.Lease.Publisher, one.Lease.RunKey)].Others)
                    probes.TryAdd(other, one);
            }
        }

        ParallelOptions options = new() { MaxDegreeOfParallelism = CompareParallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(probes.Take(MaxNeighbours), options, async (probe, token) =>
        {
            bool? holds = await HoldsAsync(ContactOf(probe.Key), probe.Value, token).ConfigureAwait(false);
            lock (_plans)
            {
                foreach (RepairPlan plan in _plans.Values.Where(plan => plan.Knows(probe.Key)))
                {
                    if (holds is null)
                        plan.OnGone(probe.Key, Now);
                    else
                        plan.OnListed(probe.Key, holds: true);
                }

                if (holds == false)
                    _plans.GetValueOrDefault((probe.Value.Lease.Publisher, probe.Value.Lease.RunKey))?.OnLacks(probe.Key);
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Where a holder was last: it may have left the table, and be there all the same.</summary>
    private Contact ContactOf(PeerId peer)
    {
        if (directory.GetClosest(DhtKey.Of(peer), 1) is [Contact known] && known.Peer == peer)
            return known;
        lock (_plans)
            return _seen.GetValueOrDefault(peer) ?? new Contact(peer, []);
    }

    /// <summary>Whether a holder says that it has a run; null: it cannot be reached.</summary>
    private async Task<bool?> HoldsAsync(Contact contact, HeldLease run, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.AskForRunAsync(contact, run.Lease.RunKey, DialPurpose.Background, cancellationToken).ConfigureAwait(false)).Any(item => item.Publisher == run.Lease.Publisher);
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            ReplicationLog.NotCompared(logger, contact.Peer, UntrustedText.Clean(error.Message));
            return null;
        }
    }

    /// <summary>Does what is due.</summary>
    private async Task ActAsync(List<HeldLease> held, CancellationToken cancellationToken)
    {
        List<(HeldLease Held, RepairStep Step)> due = [];
        foreach (HeldLease one in held)
        {
            if (StepOf(one) is { Action: not RepairAction.None } step)
                due.Add((one, step));
        }

        ParallelOptions repairs = new() { MaxDegreeOfParallelism = RepairParallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(due, repairs, async (one, token) =>
        {
            if (one.Step.Action == RepairAction.Repair)
                await RepairAsync(one.Held, one.Step.Copies, token).ConfigureAwait(false);
            else if (await holder.Leases.DropAsync(one.Held, token).ConfigureAwait(false))
                ReplicationLog.Dropped(logger, one.Held.Lease.RunKey, one.Held.Lease.Max + 1);
        }).ConfigureAwait(false);
    }

    /// <summary>A plan for each lease that is held, and none for others.</summary>
    private void Track(List<HeldLease> held)
    {
        lock (_plans)
        {
            HashSet<(PeerId, DhtKey)> current = [.. held.Select(static one => (one.Lease.Publisher, one.Lease.RunKey))];
            foreach ((PeerId, DhtKey) gone in _plans.Keys.Where(key => !current.Contains(key)).ToList())
                _plans.Remove(gone);
            foreach (HeldLease one in held)
            {
                var terms = new RepairTerms(one.Lease.Min, one.Lease.Target, one.Lease.Max);
                if (_plans.TryGetValue((one.Lease.Publisher, one.Lease.RunKey), out RepairPlan? plan))
                    plan.Terms = terms;
                else
                    _plans.Add((one.Lease.Publisher, one.Lease.RunKey), new RepairPlan(one.Lease.RunKey, DhtKey.Of(self), terms, settings, Now));
            }
        }
    }

    /// <summary>The parts of the keyspace that are compared: as large as twenty holders are expected in.</summary>
    private List<DhtPrefix> PartsOf(List<HeldLease> held)
    {
        int bits = Math.Clamp((int)Math.Floor(Math.Log2((directory.Count + 1) / (double)ReplicaHolder.CloseHolders)), 0, MaxPartBits);
        return [.. held.Select(one => DhtPrefix.Of(one.Lease.RunKey, bits)).Distinct()];
    }

    private static byte[] HeadIn(List<HeldLease> held, DhtPrefix part) => held.First(one => part.Contains(one.Lease.RunKey)).Head.MultihashSpan.ToArray();

    private List<Contact> NeighboursOf(List<HeldLease> held)
    {
        Dictionary<PeerId, (Contact Contact, int Shared)> neighbours = [];
        foreach (HeldLease one in held)
        {
            foreach (Contact contact in directory.GetClosest(one.Lease.RunKey, ReplicaHolder.CloseHolders))
                neighbours[contact.Peer] = (contact, neighbours.TryGetValue(contact.Peer, out (Contact Contact, int Shared) known) ? known.Shared + 1 : 1);
        }

        lock (_plans)
        {
            // who has a copy is asked too when it is in no table any more: it may have gone, and that must be noticed
            foreach (PeerId other in _plans.Values.SelectMany(static plan => plan.Others))
                neighbours.TryAdd(other, (ContactOf(other), 1));
        }

        return [.. neighbours.Values.Where(one => one.Contact.Peer != self).OrderByDescending(static one => one.Shared).Take(MaxNeighbours).Select(static one => one.Contact)];
    }

    /// <summary>Asks a neighbour what it holds of what is held here, and has it prove one thing.</summary>
    private async Task MeetAsync(Contact neighbour, Inventory[] own, List<HeldLease> held, CancellationToken cancellationToken)
    {
        List<InventoryItem> theirs = [];
        try
        {
            if (_trust.IsTrusted(neighbour.Peer))
            {
                foreach (Inventory part in own)
                    theirs.AddRange((await client.CompareAsync(neighbour, part, holder.Epoch, DialPurpose.Background, cancellationToken).ConfigureAwait(false)).Items);
            }

            Dictionary<(PeerId, DhtKey), InventoryItem> listed = [];
            foreach (InventoryItem item in theirs)
                listed.TryAdd((item.Publisher, item.RunKey), item);
            List<HeldLease> common = [.. held.Where(one => listed.ContainsKey((one.Lease.Publisher, one.Lease.RunKey)))];
            Note(neighbour.Peer, held, common);
            if (common.Count > 0)
                await AuditAsync(neighbour, common, cancellationToken).ConfigureAwait(false);
            foreach (HeldLease one in common.Where(one => listed[(one.Lease.Publisher, one.Lease.RunKey)].Sequence < one.Lease.Sequence))
                await OfferAsync(one, neighbour, cancellationToken).ConfigureAwait(false); // it was away when the lease was renewed
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            ReplicationLog.NotCompared(logger, neighbour.Peer, UntrustedText.Clean(error.Message));
            lock (_plans)
            {
                foreach (RepairPlan plan in _plans.Values)
                    plan.OnGone(neighbour.Peer, Now);
            }
        }
    }

    private void Note(PeerId neighbour, List<HeldLease> held, List<HeldLease> common)
    {
        lock (_plans)
        {
            foreach (HeldLease one in held)
                _plans.GetValueOrDefault((one.Lease.Publisher, one.Lease.RunKey))?.OnListed(neighbour, common.Contains(one));
        }
    }

    private async Task AuditAsync(Contact neighbour, List<HeldLease> common, CancellationToken cancellationToken)
    {
        HeldLease drawn = Draw(neighbour.Peer, common);
        IReadOnlyList<ReplicaEntry> entries = holder.Leases.EntriesOf(drawn);
        if (ReplicaEntry.Draw(entries) is not { } entry)
            return;
        using BlockBuffer? block = await store.ReadAsync(entry.Cid, cancellationToken).ConfigureAwait(false);
        if (block is null)
            return; // damaged here: who has it cannot be told from who has not
        bool isPlain = _trust.DrawPlain(neighbour.Peer);
        bool isProved = await client.AuditAsync(neighbour, entry.Cid, block, isPlain, DialPurpose.Background, cancellationToken).ConfigureAwait(false) == AuditOutcome.Proved;
        bool isTrusted = _trust.OnChecked(neighbour.Peer, isPlain, isProved);
        lock (_plans)
        {
            RepairPlan? plan = _plans.GetValueOrDefault((drawn.Lease.Publisher, drawn.Lease.RunKey));
            if (isProved)
                plan?.OnProvedThis(neighbour.Peer, Now);
            else
                plan?.OnDisproved(neighbour.Peer, Now);
            foreach (HeldLease one in isProved ? common : [])
                _plans.GetValueOrDefault((one.Lease.Publisher, one.Lease.RunKey))?.OnProved(neighbour.Peer, Now);
            foreach (RepairPlan one in isTrusted ? [] : _plans.Values.AsEnumerable())
                one.OnLacks(neighbour.Peer);
        }
    }

    /// <summary>What a neighbour is to prove: what it could not prove a day ago, or anything.</summary>
    private HeldLease Draw(PeerId neighbour, List<HeldLease> common)
    {
        lock (_plans)
        {
            return common.Find(one => _plans.GetValueOrDefault((one.Lease.Publisher, one.Lease.RunKey))?.MayTryAgain(neighbour, Now) == true)
                ?? common[RandomNumberGenerator.GetInt32(common.Count)]; // not to be foreseen
        }
    }

    private RepairStep? StepOf(HeldLease held)
    {
        lock (_plans)
            return _plans.GetValueOrDefault((held.Lease.Publisher, held.Lease.RunKey))?.Next(Now);
    }

    private async Task RepairAsync(HeldLease held, int copies, CancellationToken cancellationToken)
    {
        IReadOnlyList<Contact> closest = await directory.FindClosestAsync(held.Head.MultihashSpan.ToArray(), DialPurpose.Background, cancellationToken).ConfigureAwait(false);
        List<Contact> having;
        int before;
        lock (_plans)
        {
            if (!_plans.TryGetValue((held.Lease.Publisher, held.Lease.RunKey), out RepairPlan? plan))
                return;
            having = [.. closest.Where(contact => plan.Counts(contact.Peer, Now))];
            before = plan.Count(Now);
        }

        // who has got it from another meanwhile says so and is believed when it has read it again; only then is anything moved
        List<Contact> order = Placement.Order(closest.Except(having), having), first = [];
        foreach (Contact contact in order)
        {
            if (await HoldsAsync(contact, held, cancellationToken).ConfigureAwait(false) == true)
                first.Add(contact);
        }

        foreach (Contact contact in first.Concat(order.Except(first)))
        {
            if (copies == 0)
                return;
            if (!_trust.IsTrusted(contact.Peer) || !await OfferAsync(held, contact, cancellationToken).ConfigureAwait(false))
                continue;
            ReplicationLog.Repaired(logger, held.Lease.RunKey, contact.Peer, before);
            copies--;
        }
    }

    /// <summary>Hands a lease on, and the blocks with it as far as the other lacks them.</summary>
    private async Task<bool> OfferAsync(HeldLease held, Contact neighbour, CancellationToken cancellationToken)
    {
        IReadOnlyList<ReplicaEntry> entries = holder.Leases.EntriesOf(held);
        if (entries.Count == 0)
            return false;
        try
        {
            if ((await client.OfferAsync(neighbour, entries, held.Envelope, DialPurpose.Background, cancellationToken).ConfigureAwait(false)).Receipt is null)
                return false;
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            ReplicationLog.NotPlaced(logger, neighbour.Peer, held.Lease.RunKey, UntrustedText.Clean(error.Message));
            return false;
        }

        lock (_plans)
        {
            RepairPlan? plan = _plans.GetValueOrDefault((held.Lease.Publisher, held.Lease.RunKey));
            plan?.OnListed(neighbour.Peer, holds: true);
            plan?.OnProved(neighbour.Peer, Now);
        }

        return true;
    }
}
