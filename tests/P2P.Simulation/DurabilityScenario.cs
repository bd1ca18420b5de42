using P2P.Core;
using P2P.Core.Dht;
using P2P.Core.Replication;
using P2P.Testing;

namespace P2P.Simulation;

/// <summary>
/// Holders that come, go and vanish, and runs that they keep together, in virtual time. Where a copy goes, when it counts and whose turn it is to repair is
/// decided by the real <see cref="RunCutter"/>, <see cref="Placement"/> and <see cref="RepairPlan"/>; the rules of the rounds are those of
/// <see cref="HolderUpkeep"/>. Left out: single lookups (the closest holders that are there are known) and lies.
/// </summary>
internal sealed class DurabilityScenario
{
    private const int BlockBytes = 1 << 20, CloseHolders = 20;

    private static readonly ReplicationSettings Rules = new()
    {
        Grace = TimeSpan.FromMinutes(15),
        CheckInterval = TimeSpan.FromHours(1),
        DelayedRepairWait = TimeSpan.FromHours(6),
        LeaseDuration = TimeSpan.FromDays(7),
    };

    /// <summary>Holders get work once they have been there for so long.</summary>
    private static readonly TimeSpan Admission = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan WarmUp = TimeSpan.FromDays(2), PublisherAbsence = TimeSpan.FromDays(3), PublisherVisit = TimeSpan.FromHours(1);

    private readonly DurabilitySettings _settings;
    private readonly ulong _seed;
    private readonly SeededRandom _random;
    private readonly EventQueue _events = new();
    private readonly List<Holder> _holders = [];
    private readonly Dictionary<PeerId, Holder> _byPeer = [];
    private readonly List<KeptRun> _runs = [];
    private readonly List<double> _eachDay = [];
    private readonly HashSet<KeptRun> _repairedToday = [];
    private TimeSpan _watchedFrom;
    private double _unavailableSeconds;
    private long _copiesMade, _copiesGone;
    private bool _isWatching;

    public DurabilityScenario(DurabilitySettings settings, ulong seed) => (_settings, _seed, _random) = (settings, seed, new SeededRandom(seed));

    private TimeSpan Now => TimeSpan.FromTicks(_events.Now);

    private int Blocks => _runs.Sum(static run => run.Run.Entries.Count);

    /// <summary>Lets the holders settle, places everything, and watches it.</summary>
    public DurabilityReport Watch()
    {
        Begin();
        _events.Run(_watchedFrom + _settings.Duration);
        return Report();
    }

    /// <summary>Lets the holders settle and places everything.</summary>
    public void Begin()
    {
        for (int i = 0; i < _settings.Nodes; i++)
            Add(new Holder(NewContact(), i % 2 == 0));
        if (_settings.HasNights)
            PlanNights();
        _events.Run(WarmUp);
        Publish();
        _watchedFrom = Now;
        _isWatching = true;
        foreach (KeptRun run in _runs)
            BeginWatch(run);
        Each(TimeSpan.FromDays(1), EndDay);
        Each(PublisherAbsence + PublisherVisit, Renew);
    }

    /// <summary>Goes on for a while.</summary>
    public void Advance(TimeSpan time) => _events.Run(Now + time);

    /// <summary>So many holders vanish at this instant and for ever.</summary>
    /// <returns>Blocks of which no copy is left.</returns>
    public int Kill(int count)
    {
        Holder[] all = [.. _holders.Where(static holder => !holder.IsGone)];
        _random.Shuffle(all);
        foreach (Holder holder in all.Take(count))
            Leave(holder, isFinal: true, isReplaced: false);
        return _runs.Where(static run => run.IsLost).Sum(static run => run.Run.Entries.Count);
    }

    /// <summary>A part of the holders goes off for a moment.</summary>
    public void Blip(double part, TimeSpan time)
    {
        foreach (Holder holder in _holders.Where(holder => holder.IsOnline && _random.NextDouble() < part).ToList())
        {
            SetOnline(holder, false);
            _events.After(time, () =>
            {
                if (!holder.IsGone && !holder.IsOnline)
                    SetOnline(holder, true);
            });
        }
    }

    /// <summary>Blocks by the copies that exist, away or not: the first number is those with none.</summary>
    public int[] Histogram()
    {
        int[] histogram = new int[33];
        foreach (KeptRun run in _runs)
            histogram[Math.Min(32, run.Copies.Count)] += run.Run.Entries.Count;
        return histogram;
    }

    /// <summary>Copies made since the watch began.</summary>
    public long CopiesMade => _copiesMade;

    public DurabilityReport Report()
    {
        double days = (Now - _watchedFrom).TotalDays;
        foreach (KeptRun run in _runs)
            Settle(run);
        return new DurabilityReport
        {
            Name = _settings.Name,
            Seed = _seed,
            Blocks = Blocks,
            LostBlocks = _runs.Where(static run => run.IsLost).Sum(static run => run.Run.Entries.Count),
            LostRuns = _runs.Count(static run => run.IsLost),
            LostFiles = _runs.Where(static run => run.IsLost).Select(static run => run.Share).Distinct().Count(),
            Unavailable = _unavailableSeconds / (Blocks * days * 86_400),
            CopiesPerBlockAndDay = _copiesMade / (Blocks * days),
            LostCopiesPerBlockAndDay = _copiesGone / (Blocks * days),
            RepairedEachDay = _eachDay,
        };
    }

    // ---- holders

    private void Add(Holder holder)
    {
        _holders.Add(holder);
        _byPeer.Add(holder.Contact.Peer, holder);
        holder.Since = Now;
        _events.After(Session(), () => EndSession(holder));
        _events.After(Rules.CheckInterval * _random.NextDouble(), () => Round(holder));
        _events.After(Rules.ProbeInterval * _random.NextDouble(), () => Probe(holder));
    }

    private TimeSpan Session()
    {
        double scale = _settings.MedianSession.TotalHours / Math.Pow(Math.Log(2), 2);
        return TimeSpan.FromHours(Math.Min(24_000, scale * Math.Pow(-Math.Log(1 - _random.NextDouble()), 2)));
    }

    private void EndSession(Holder holder)
    {
        if (holder.IsGone)
            return;
        if (_random.NextDouble() < _settings.Final)
        {
            Leave(holder, isFinal: true, isReplaced: true);
            return;
        }

        SetOnline(holder, false);
        TimeSpan absence = TimeSpan.FromHours(-Math.Log(1 - _random.NextDouble()) * _settings.MeanAbsence.TotalHours);
        _events.After(absence, () =>
        {
            if (holder.IsGone)
                return;
            if (!(_settings.HasNights && holder.SleepsAtNight && IsNight()))
                SetOnline(holder, true);
            _events.After(Session(), () => EndSession(holder));
        });
    }

    private void Leave(Holder holder, bool isFinal, bool isReplaced)
    {
        SetOnline(holder, false);
        holder.IsGone = isFinal;
        _holders.Remove(holder);
        _byPeer.Remove(holder.Contact.Peer);
        foreach (KeptRun run in holder.Kept.Keys)
        {
            Settle(run);
            run.Changes++;
            run.Copies.Remove(holder);
            if (_isWatching)
                _copiesGone += run.Run.Entries.Count;
        }

        holder.Kept.Clear();
        if (isReplaced)
            Add(new Holder(NewContact(), holder.SleepsAtNight));
    }

    private void SetOnline(Holder holder, bool isOnline)
    {
        if (holder.IsOnline == isOnline)
            return;
        foreach (KeptRun run in holder.Kept.Keys)
        {
            Settle(run);
            run.Changes++;
            run.Online += isOnline ? 1 : -1;
        }

        holder.IsOnline = isOnline;
        if (!isOnline)
            return;
        holder.Since = Now;
        foreach (Copy copy in holder.Kept.Values)
            copy.Plan = PlanOf(copy.Run, holder); // what it knew was in its memory
    }

    private void PlanNights() => Each(TimeSpan.FromDays(1), () =>
    {
        foreach (Holder holder in _holders.Where(static holder => holder.SleepsAtNight))
            SetOnline(holder, false);
        _events.After(TimeSpan.FromHours(8), () =>
        {
            foreach (Holder holder in _holders.Where(static holder => holder.SleepsAtNight && !holder.IsGone))
                SetOnline(holder, true);
        });
    });

    private bool IsNight() => Now.TotalDays % 1 < 8 / 24.0;

    private Contact NewContact()
    {
        byte[] multihash = new byte[34];
        _random.NextBytes(multihash);
        (multihash[0], multihash[1]) = (0x12, 0x20);
        return PeerId.TryFromBytes(multihash, out PeerId peer) ? new Contact(peer, []) : throw new InvalidOperationException("This is no peer id.");
    }

    // ---- what is kept

    private void Publish()
    {
        for (int share = 0; share < _settings.SmallShares + _settings.LargeShares; share++)
        {
            int leaves = share < _settings.SmallShares ? 10 : 1024;
            foreach (Run run in Cut(leaves))
            {
                var kept = new KeptRun(run, share);
                _runs.Add(kept);
                Place(kept, _settings.Target, isFirst: true);
                for (int i = 1; run.IsInner && i <= Run.ExtraPlaces; i++)
                    Place(kept, 1, isFirst: true, DhtKey.Of(Run.PlaceName(run.Head.Span, i)));
            }
        }
    }

    /// <summary>A file of so many leaves, 174 to a node.</summary>
    private IReadOnlyList<Run> Cut(int leaves)
    {
        var cutter = new RunCutter();
        Cid root = NewCid(Cid.DagPbCodec);
        cutter.AddNode(new ReplicaEntry(root, 10_000));
        for (int done = 0; done < leaves; done += 174)
        {
            if (leaves > 174)
                cutter.AddNode(new ReplicaEntry(NewCid(Cid.DagPbCodec), 10_000));
            cutter.AddLeaves([.. Enumerable.Range(0, Math.Min(174, leaves - done)).Select(_ => new ReplicaEntry(NewCid(Cid.RawCodec), BlockBytes))]);
        }

        return cutter.Cut(in root);
    }

    private Cid NewCid(ulong codec)
    {
        byte[] digest = new byte[32];
        _random.NextBytes(digest);
        return Cid.TryFromBytes([1, (byte)codec, 0x12, 0x20, .. digest], out Cid cid, out _) ? cid : throw new InvalidOperationException("This is no content id.");
    }

    /// <summary>Makes copies at the closest holders that are there and have none.</summary>
    private int Place(KeptRun run, int count, bool isFirst, DhtKey? place = null)
    {
        DhtKey point = place ?? run.Key;
        List<Holder> closest = [.. _holders.Where(holder => holder.IsOnline && Now - holder.Since >= Admission)];
        closest.Sort((a, b) => point.CompareDistance(a.Contact.Key, b.Contact.Key));
        List<Contact> order = Placement.Order(closest.Take(CloseHolders).Where(holder => !holder.Kept.ContainsKey(run)).Select(static holder => holder.Contact), []);
        int made = 0;
        foreach (Contact contact in order.Take(count))
        {
            Holder holder = closest.First(one => one.Contact == contact);
            Settle(run);
            run.Changes++;
            holder.Kept.Add(run, new Copy(run) { Plan = PlanOf(run, holder), Until = run.LeaseUntil > Now ? run.LeaseUntil : Now + Rules.LeaseDuration });
            run.Copies.Add(holder);
            run.Online++;
            made++;
        }

        run.LeaseUntil = run.LeaseUntil > Now ? run.LeaseUntil : Now + Rules.LeaseDuration;
        if (isFirst || made == 0)
            return made;
        _copiesMade += (long)made * run.Run.Entries.Count;
        _repairedToday.Add(run);
        return made;
    }

    private RepairPlan PlanOf(KeptRun run, Holder holder)
    {
        int target = _settings.Target;
        return new RepairPlan(run.Key, holder.Contact.Key, new RepairTerms(ReplicationSettings.MinOf(target), target, ReplicationSettings.MaxOf(target)), Rules, Now);
    }

    /// <summary>A holder looks after what it keeps, as it does once in a check interval.</summary>
    private void Round(Holder holder)
    {
        if (holder.IsGone)
            return;
        _events.After(Rules.CheckInterval, () => Round(holder));
        if (!holder.IsOnline)
            return;
        foreach (Copy copy in holder.Kept.Values.ToList())
        {
            copy.Until = Max(copy.Until, copy.Run.Copies.Where(static other => other.IsOnline).Max(other => other.Kept[copy.Run].Until)); // a lease that was renewed meanwhile is handed on
            if (copy.Until <= Now)
            {
                Drop(holder, copy);
                continue;
            }

            Compare(holder, copy);
            Act(holder, copy);
        }
    }

    /// <summary>A holder looks whether those it keeps something with are there, as it does a few times within the grace.</summary>
    private void Probe(Holder holder)
    {
        if (holder.IsGone)
            return;
        _events.After(Rules.ProbeInterval, () => Probe(holder));
        if (!holder.IsOnline)
            return;
        foreach (Copy copy in holder.Kept.Values.ToList())
        {
            if (copy.Seen == copy.Run.Changes && Now < copy.Until && Now < copy.DueAt)
                continue; // would see what it saw last, and do nothing
            foreach (PeerId known in copy.Plan!.Others.ToList())
            {
                if (_byPeer.TryGetValue(known, out Holder? other) && other.IsOnline)
                    copy.Plan.OnListed(known, holds: true);
                else
                    copy.Plan.OnGone(known, Now);
            }

            Act(holder, copy);
        }
    }

    private void Act(Holder holder, Copy copy)
    {
        RepairStep step = copy.Plan!.Next(Now);
        (copy.Seen, copy.DueAt) = (copy.Run.Changes, step.Action == RepairAction.None ? step.Until : Now);
        if (step.Action == RepairAction.Drop)
            Drop(holder, copy);
        else if (step.Action == RepairAction.Repair)
            Repair(holder, copy, step.Copies);
    }

    private void Compare(Holder holder, Copy copy)
    {
        foreach (PeerId known in copy.Plan!.Others.ToList())
        {
            if (!_byPeer.TryGetValue(known, out Holder? other) || !other.IsOnline)
                copy.Plan.OnGone(known, Now);
            else if (!other.Kept.ContainsKey(copy.Run))
                copy.Plan.OnListed(known, holds: false);
        }

        foreach (Holder other in copy.Run.Copies)
        {
            if (other == holder || !other.IsOnline)
                continue;
            copy.Plan.OnListed(other.Contact.Peer, holds: true);
            copy.Plan.OnProved(other.Contact.Peer, Now);
        }
    }

    /// <summary>The copies are there when they have been sent, and the one who sends still is.</summary>
    private void Repair(Holder holder, Copy copy, int copies)
    {
        if (copy.IsRepairing)
            return;
        copy.IsRepairing = true;
        _events.After(TimeSpan.FromSeconds(copies * copy.Run.Run.Bytes / _settings.TransferRate), () =>
        {
            copy.IsRepairing = false;
            if (!holder.IsOnline || !holder.Kept.ContainsKey(copy.Run))
                return;
            Compare(holder, copy); // whom it offers to answers that it has it
            int missing = _settings.Target - copy.Plan!.Count(Now);
            if (missing > 0)
                Place(copy.Run, Math.Min(copies, missing), isFirst: false);
        });
    }

    private void Drop(Holder holder, Copy copy)
    {
        Settle(copy.Run);
        copy.Run.Changes++;
        holder.Kept.Remove(copy.Run);
        copy.Run.Copies.Remove(holder);
        copy.Run.Online--;
    }

    /// <summary>The publisher is there: renews the leases of all who are there, and makes good what is missing.</summary>
    private void Renew()
    {
        foreach (KeptRun run in _runs)
        {
            if (run.IsLost)
                continue; // the publisher has it still, but nothing is made good by that: what holders lost is counted
            run.LeaseUntil = Now + Rules.LeaseDuration;
            foreach (Holder holder in run.Copies.Where(static holder => holder.IsOnline))
                holder.Kept[run].Until = run.LeaseUntil;
            if (run.Online < ReplicationSettings.MinOf(_settings.Target))
                Place(run, _settings.Target - run.Online, isFirst: false);
        }
    }

    // ---- measures

    private void BeginWatch(KeptRun run) => run.SettledAt = Now;

    private void Settle(KeptRun run)
    {
        if (!_isWatching)
            return;
        if (run.Online == 0 && !run.IsLost)
            _unavailableSeconds += (Now - run.SettledAt).TotalSeconds * run.Run.Entries.Count;
        run.SettledAt = Now;
    }

    private void EndDay()
    {
        _eachDay.Add(_repairedToday.Sum(static run => run.Run.Entries.Count) / (double)Blocks);
        _repairedToday.Clear();
    }

    private void Each(TimeSpan interval, Action action) => _events.After(interval, () =>
    {
        action();
        Each(interval, action);
    });

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>A holder.</summary>
    private sealed class Holder(Contact contact, bool sleepsAtNight)
    {
        public Contact Contact => contact;

        public bool SleepsAtNight => sleepsAtNight;

        public bool IsOnline { get; set; } = true;

        public bool IsGone { get; set; }

        public TimeSpan Since { get; set; }

        public Dictionary<KeptRun, Copy> Kept { get; } = [];
    }

    /// <summary>A run, and who has it.</summary>
    private sealed class KeptRun(Run run, int share)
    {
        public Run Run => run;

        public DhtKey Key { get; } = run.Key;

        public int Share => share;

        public List<Holder> Copies { get; } = [];

        public int Online { get; set; }

        /// <summary>How often something has changed that its holders could see.</summary>
        public int Changes { get; set; }

        public bool IsLost => Copies.Count == 0;

        public TimeSpan LeaseUntil { get; set; }

        public TimeSpan SettledAt { get; set; }
    }

    /// <summary>A copy at one holder.</summary>
    private sealed class Copy(KeptRun run)
    {
        public KeptRun Run => run;

        public RepairPlan? Plan { get; set; }

        public TimeSpan Until { get; set; }

        public bool IsRepairing { get; set; }

        /// <summary>What of the run's changes was seen last; and until when nothing is to be done if there are no others.</summary>
        public int Seen { get; set; } = -1;

        public TimeSpan DueAt { get; set; }
    }
}
