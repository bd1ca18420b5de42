using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>What a lease asks for.</summary>
/// <param name="Min">Copies below which it is repaired at once.</param>
/// <param name="Target">Copies wanted.</param>
/// <param name="Max">Copies above which the farthest may go.</param>
internal readonly record struct RepairTerms(int Min, int Target, int Max);

/// <summary>What a holder is to do for a run.</summary>
internal enum RepairAction
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Make copies elsewhere.</summary>
    Repair,

    /// <summary>Let go of the own copy: there are too many, and it is the farthest.</summary>
    Drop,
}

/// <summary>What a holder is to do for a run now.</summary>
/// <param name="Action">What.</param>
/// <param name="Copies">How many copies to make.</param>
/// <param name="Until">With nothing to do: when to look again at the latest, however nothing changes.</param>
internal readonly record struct RepairStep(RepairAction Action, int Copies, TimeSpan Until);

/// <summary>
/// How one holder of a run looks after it together with the others: who has it as far as is known, how many copies count, and whether it is this holder's turn
/// to make good what is missing. Pure: told what was seen, asked what to do. Times count from any point.
/// </summary>
/// <remarks>
/// A copy counts until its holder has been gone longer than the grace, and only while its holder has proved something in the last 24 hours. Below the least
/// it is repaired at once, between least and target after a wait, so that a blip moves nothing. The closest live holder repairs; the next ones wait 10 minutes
/// more each and look again.
/// </remarks>
internal sealed class RepairPlan
{
    /// <summary>A copy whose holder proved nothing for so long does not count.</summary>
    public static readonly TimeSpan ProofValidity = TimeSpan.FromHours(24);

    /// <summary>How much longer each waits than the one that is closer.</summary>
    public static readonly TimeSpan TurnWait = TimeSpan.FromMinutes(10);

    /// <summary>Holders of one run that are kept in mind (count): far more than ever are wanted.</summary>
    private const int MaxHolders = 64;

    private readonly DhtKey _run, _self;
    private readonly ReplicationSettings _settings;
    private readonly TimeSpan _since;
    private readonly Dictionary<PeerId, Holder> _others = [];
    private readonly Dictionary<PeerId, TimeSpan> _disproved = []; // since when they are not believed
    private TimeSpan? _belowTargetSince, _belowMinSince;

    /// <summary>Begins to look after a run.</summary>
    /// <param name="run">Where it lies.</param>
    /// <param name="self">Where this holder lies.</param>
    /// <param name="terms">What its lease asks for.</param>
    /// <param name="settings">Grace and waits.</param>
    /// <param name="now">The time.</param>
    public RepairPlan(DhtKey run, DhtKey self, RepairTerms terms, ReplicationSettings settings, TimeSpan now) =>
        (_run, _self, Terms, _settings, _since) = (run, self, terms, settings, now);

    /// <summary>What the newest lease asks for.</summary>
    public RepairTerms Terms { get; set; }

    /// <summary>Everybody else who is believed to have it, gone or not.</summary>
    public IReadOnlyCollection<PeerId> Others => _others.Keys;

    /// <summary>A holder answers, and says whether it has the run.</summary>
    public void OnListed(PeerId holder, bool holds)
    {
        if (!holds)
            OnLacks(holder);
        else if (_others.TryGetValue(holder, out Holder known))
            _others[holder] = known with { GoneSince = null };
        else if (_others.Count < MaxHolders && !_disproved.ContainsKey(holder))
            _others.Add(holder, new Holder(DhtKey.Of(holder), null, null));
    }

    /// <summary>A holder proved that it can get a block of this part of the keyspace.</summary>
    public void OnProved(PeerId holder, TimeSpan now)
    {
        if (_others.TryGetValue(holder, out Holder known))
            _others[holder] = known with { ProvedAt = now, GoneSince = null };
    }

    /// <summary>A holder cannot be reached: its copy counts until the grace is over.</summary>
    public void OnGone(PeerId holder, TimeSpan now)
    {
        if (_others.TryGetValue(holder, out Holder known))
            _others[holder] = known with { GoneSince = known.GoneSince ?? now };
    }

    /// <summary>A holder answers and does not have it.</summary>
    public void OnLacks(PeerId holder) => _others.Remove(holder);

    /// <summary>A holder said that it has it, and could not prove it: until it proves this very run it is not believed, whatever else it proves.</summary>
    public void OnDisproved(PeerId holder, TimeSpan now)
    {
        _others.Remove(holder);
        if (_disproved.Count < MaxHolders || _disproved.ContainsKey(holder))
            _disproved[holder] = now;
    }

    /// <summary>Whether a holder that could not prove it may try again.</summary>
    public bool MayTryAgain(PeerId holder, TimeSpan now) => _disproved.TryGetValue(holder, out TimeSpan since) && now - since >= HolderTrust.Memory;

    /// <summary>A holder proved this very run.</summary>
    public void OnProvedThis(PeerId holder, TimeSpan now)
    {
        _disproved.Remove(holder);
        OnListed(holder, holds: true);
        OnProved(holder, now);
    }

    /// <summary>Whether a holder is believed to have it, gone or not.</summary>
    public bool Knows(PeerId holder) => _others.ContainsKey(holder);

    /// <summary>Whether a holder's copy counts.</summary>
    public bool Counts(PeerId holder, TimeSpan now) => _others.TryGetValue(holder, out Holder known) && Counts(known, now);

    /// <summary>Copies that count, the own one too.</summary>
    public int Count(TimeSpan now) => 1 + _others.Values.Count(other => Counts(other, now));

    /// <summary>What to do now.</summary>
    public RepairStep Next(TimeSpan now)
    {
        int count = Count(now);
        _belowTargetSince = count < Terms.Target ? _belowTargetSince ?? now : null;
        _belowMinSince = count < Terms.Min ? _belowMinSince ?? now : null;
        if (count > Terms.Max && IsFarthest(now))
            return new RepairStep(RepairAction.Drop, 0, now);
        if (_belowTargetSince is not { } belowTarget)
            return new RepairStep(RepairAction.None, 0, NextChange(now));

        // who has just begun does not know yet who else is there
        TimeSpan due = _belowMinSince is { } belowMin ? Max(belowMin, _since + _settings.Grace) : belowTarget + _settings.DelayedRepairWait;
        due += Rank() * TurnWait;
        return now >= due
            ? new RepairStep(RepairAction.Repair, Terms.Target - count, now)
            : new RepairStep(RepairAction.None, 0, Min(due, NextChange(now)));
    }

    /// <summary>How many live holders are closer to the run than this one.</summary>
    private int Rank() => _others.Values.Count(other => other.GoneSince is null && other.ProvedAt is not null && _run.CompareDistance(other.Key, _self) < 0);

    private bool IsFarthest(TimeSpan now) =>
        !_others.Values.Any(other => Counts(other, now) && _run.CompareDistance(other.Key, _self) > 0)
        && _others.Values.Count(other => Counts(other, now) && other.GoneSince is null) >= Terms.Max; // none of those that stay is missing

    private bool Counts(Holder other, TimeSpan now) =>
        other.ProvedAt is { } proved && now - proved < ProofValidity && (other.GoneSince is not { } since || now - since < _settings.Grace);

    private TimeSpan NextChange(TimeSpan now)
    {
        TimeSpan next = TimeSpan.MaxValue;
        foreach (Holder other in _others.Values)
        {
            if (!Counts(other, now))
                continue;
            next = Min(next, other.ProvedAt!.Value + ProofValidity);
            if (other.GoneSince is { } since)
                next = Min(next, since + _settings.Grace);
        }

        return next;
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private readonly record struct Holder(DhtKey Key, TimeSpan? ProvedAt, TimeSpan? GoneSince);
}
