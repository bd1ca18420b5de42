using System.Diagnostics.CodeAnalysis;
using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>
/// What one peer wants of us. Wants wait to be answered, the most important first; what we lack and were not asked to deny is remembered and
/// answered when the block arrives. Bounded: above the capacity the least important want is forgotten, those for absent blocks before the others.
/// </summary>
/// <remarks>Keyed by multihash: the same bytes under two codecs are one block, and the CID asked for last is the one answered.</remarks>
internal sealed class WantLedger(int capacity)
{
    private static readonly IComparer<LedgerWant> MostImportantFirst = Comparer<LedgerWant>.Create(static (a, b) =>
        a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : a.Sequence.CompareTo(b.Sequence));

    private readonly Dictionary<MultihashKey, LedgerWant> _wants = [];
    private readonly SortedSet<LedgerWant> _pending = new(MostImportantFirst);
    private readonly SortedSet<LedgerWant> _absent = new(MostImportantFirst);
    private long _sequence;
    private long _wantlist;

    /// <summary>Wants that wait for an answer.</summary>
    public int PendingCount => _pending.Count;

    /// <summary>Wants for blocks that we lack.</summary>
    public int AbsentCount => _absent.Count;

    /// <summary>Applies one line of the wantlist that is being received.</summary>
    public void Apply(in WantEntry entry)
    {
        MultihashKey key = entry.Cid.Key;
        _wants.TryGetValue(key, out LedgerWant? known);
        if (known is not null)
            Remove(known);
        if (entry.Cancel)
            return;

        // a want for the block is never weakened by a later want for its presence
        var want = new LedgerWant
        {
            Cid = entry.Cid,
            Key = key,
            Priority = entry.Priority,
            Kind = known is { IsPending: true, Kind: WantKind.Block } ? WantKind.Block : entry.Kind,
            SendDontHave = entry.SendDontHave || known is { IsPending: true, SendDontHave: true },
            Sequence = ++_sequence,
            Wantlist = _wantlist,
        };
        AddPending(want);
    }

    /// <summary>The wantlist is complete. If it was a full one, everything that it did not name is forgotten.</summary>
    public void EndWantlist(bool full)
    {
        if (full)
        {
            foreach (LedgerWant old in _wants.Values.Where(want => want.Wantlist != _wantlist).ToList())
                Remove(old);
        }

        _wantlist++;
    }

    /// <summary>Takes the most important want out of the ledger; the caller answers it, or gives it back.</summary>
    public bool TryTake([NotNullWhen(true)] out LedgerWant? want)
    {
        want = _pending.Min;
        if (want is not null)
            Remove(want);
        return want is not null;
    }

    /// <summary>Gives back a want that was taken and not answered, unless the peer has asked for the block anew meanwhile.</summary>
    public void GiveBack(LedgerWant want)
    {
        if (!_wants.ContainsKey(want.Key))
            AddPending(want);
    }

    /// <summary>Remembers a want that was taken and whose block we lack.</summary>
    public void Remember(LedgerWant want)
    {
        if (_wants.ContainsKey(want.Key) || !MakeRoom(want, pending: false))
            return;
        want.IsPending = false;
        _wants.Add(want.Key, want);
        _absent.Add(want);
    }

    /// <summary>A block is here now. True: the peer wants it, and the want waits to be answered.</summary>
    public bool OnAvailable(in MultihashKey key)
    {
        if (!_wants.TryGetValue(key, out LedgerWant? want) || want.IsPending)
            return false;
        Remove(want);
        AddPending(want);
        return true;
    }

    public void Clear()
    {
        _wants.Clear();
        _pending.Clear();
        _absent.Clear();
    }

    private void AddPending(LedgerWant want)
    {
        if (!MakeRoom(want, pending: true))
            return;
        want.IsPending = true;
        _wants.Add(want.Key, want);
        _pending.Add(want);
    }

    private bool MakeRoom(LedgerWant want, bool pending)
    {
        if (_wants.Count < capacity)
            return true;
        LedgerWant? least = _absent.Max;
        if (least is null && pending && _pending.Max is { } last && last.Priority < want.Priority)
            least = last;
        if (least is null || (!pending && least.Priority >= want.Priority))
            return false;
        Remove(least);
        return true;
    }

    private void Remove(LedgerWant want)
    {
        _wants.Remove(want.Key);
        (want.IsPending ? _pending : _absent).Remove(want);
    }
}

/// <summary>One thing that a peer wants of us.</summary>
internal sealed class LedgerWant
{
    public required Cid Cid { get; init; }

    public required MultihashKey Key { get; init; }

    public int Priority { get; init; }

    public WantKind Kind { get; init; }

    public bool SendDontHave { get; init; }

    /// <summary>Order of arrival, which decides between equal priorities.</summary>
    public long Sequence { get; init; }

    /// <summary>Number of the wantlist that named it last.</summary>
    public long Wantlist { get; init; }

    public bool IsPending { get; set; }

    /// <summary>How often sending the answer failed.</summary>
    public int Failures { get; set; }
}
