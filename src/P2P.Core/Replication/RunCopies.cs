using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>
/// Who has a run, as its publisher knows: each copy by its receipt, and when its holder last proved that it can get the blocks. Pure: told of receipts and
/// audits, asked what to do.
/// </summary>
internal sealed class RunCopies(Run run, int target)
{
    /// <summary>A copy whose holder proved nothing for so long does not count.</summary>
    private static readonly TimeSpan ProofValidity = TimeSpan.FromHours(24);

    private readonly Dictionary<PeerId, Copy> _copies = [];
    private TimeSpan? _belowTargetSince;

    /// <summary>The blocks.</summary>
    public Run Run { get; } = run;

    /// <summary>Copies wanted.</summary>
    public int Target { get; set; } = target;

    /// <summary>Every holder that gave a receipt, gone or not.</summary>
    public IEnumerable<Copy> All => _copies.Values;

    /// <summary>A holder gave a receipt for a new offer.</summary>
    public void OnReceipt(Contact holder, Receipt receipt, TimeSpan now) => _copies[holder.Peer] = new Copy(holder, receipt, ProvedAt: now, FailedSince: null);

    /// <summary>A holder proved that it can get the block.</summary>
    public void OnProof(PeerId holder, TimeSpan now)
    {
        if (_copies.TryGetValue(holder, out Copy? copy))
            _copies[holder] = copy with { ProvedAt = now, FailedSince = null };
    }

    /// <summary>A holder could not be reached: its copy counts until the grace is over.</summary>
    public void OnSilence(PeerId holder, TimeSpan now)
    {
        if (_copies.TryGetValue(holder, out Copy? copy))
            _copies[holder] = copy with { FailedSince = copy.FailedSince ?? now };
    }

    /// <summary>A holder answered and does not have it: the copy is gone at once.</summary>
    public bool OnLie(PeerId holder) => _copies.Remove(holder);

    /// <summary>A holder's store was wiped: what it said before is void.</summary>
    /// <returns>Whether it had said that it has this run.</returns>
    public bool OnEpoch(PeerId holder, ReadOnlySpan<byte> epoch) =>
        _copies.TryGetValue(holder, out Copy? copy) && !copy.Receipt.StoreEpoch.Span.SequenceEqual(epoch) && _copies.Remove(holder);

    /// <summary>The copy of a holder; null when it has given no receipt.</summary>
    public Copy? Find(PeerId holder) => _copies.GetValueOrDefault(holder);

    /// <summary>Copies that count now.</summary>
    public int Count(TimeSpan grace, TimeSpan now, DateTimeOffset utcNow) => _copies.Values.Count(copy => Counts(copy, grace, now, utcNow));

    /// <summary>Holders whose copy counts now.</summary>
    public IEnumerable<Contact> Holders(TimeSpan grace, TimeSpan now, DateTimeOffset utcNow) => _copies.Values.Where(copy => Counts(copy, grace, now, utcNow)).Select(static copy => copy.Holder);

    /// <summary>When the first of the leases that count ends; null when there is none.</summary>
    public DateTimeOffset? Until(TimeSpan grace, TimeSpan now, DateTimeOffset utcNow)
    {
        DateTimeOffset? first = null;
        foreach (Copy copy in _copies.Values)
        {
            if (Counts(copy, grace, now, utcNow) && (first is null || copy.Receipt.Until < first))
                first = copy.Receipt.Until;
        }

        return first;
    }

    /// <summary>How many copies to make now: at once below the least, after a wait below the target, otherwise none, so that a blip moves nothing.</summary>
    public int Missing(TimeSpan grace, TimeSpan delayedRepairWait, TimeSpan now, DateTimeOffset utcNow)
    {
        int count = Count(grace, now, utcNow);
        if (count >= Target)
        {
            _belowTargetSince = null;
            return 0;
        }

        if (count < ReplicationSettings.MinOf(Target))
            return Target - count;
        _belowTargetSince ??= now;
        return now - _belowTargetSince >= delayedRepairWait ? Target - count : 0;
    }

    private static bool Counts(Copy copy, TimeSpan grace, TimeSpan now, DateTimeOffset utcNow) =>
        copy.Receipt.Until > utcNow && now - copy.ProvedAt < ProofValidity && (copy.FailedSince is not { } since || now - since < grace);
}

/// <summary>One copy of a run.</summary>
/// <param name="Holder">Who has it.</param>
/// <param name="Receipt">What it signed.</param>
/// <param name="ProvedAt">When it last proved it (time since the start).</param>
/// <param name="FailedSince">Since when it does not answer; null: it does.</param>
internal sealed record Copy(Contact Holder, Receipt Receipt, TimeSpan ProvedAt, TimeSpan? FailedSince);
