using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>
/// The leases under which blocks are held here, and up to which statement those hold that have ended. Rows of the index, written in one commit with the pins
/// that keep the blocks, so that what is held and why outlives a crash together. Thread-safe.
/// </summary>
internal sealed class HeldLeases(BlockStore store, TimeProvider time) : IDisposable
{
    /// <summary>Ended leases that are remembered (count); one more, and the one that would be forgotten first goes.</summary>
    private const int MaxEnded = 65_536;

    private readonly SemaphoreSlim _commits = new(1); // rows are written in the order in which they are shown, and a lease that is being replaced does not end meanwhile
    private readonly Lock _gate = new(); // guards all below
    private readonly Dictionary<(PeerId Publisher, DhtKey Run), HeldLease> _leases = [];
    private readonly Dictionary<(PeerId Publisher, DhtKey Run), (ulong Sequence, DateTimeOffset Until)> _ended = [];
    private readonly Dictionary<PeerId, int> _publishers = [];
    private readonly Dictionary<LeaseOrigin, long> _bytes = []; // held and promised

    /// <summary>Reads what earlier runs held.</summary>
    public void Load()
    {
        lock (_gate)
        {
            foreach (LeaseRow row in store.GetLeases())
            {
                if (!Lease.TryOpen(row.Envelope.Span, out Lease? lease))
                    continue;
                if (store.TryGetPin(row.Pin, out Pin? pin))
                    Put(new HeldLease(lease, row.Envelope, row.Pin, pin!.Root, new LeaseOrigin(row.Origin)));
                else
                    _ended[(lease.Publisher, lease.RunKey)] = (lease.Sequence, row.KeepUntil);
            }
        }
    }

    /// <summary>Everything that is held.</summary>
    public IReadOnlyList<HeldLease> All
    {
        get
        {
            lock (_gate)
                return [.. _leases.Values];
        }
    }

    /// <summary>The lease of a publisher on a run; null when there is none.</summary>
    public HeldLease? Find(PeerId publisher, DhtKey run)
    {
        lock (_gate)
            return _leases.GetValueOrDefault((publisher, run));
    }

    /// <summary>Whether anything is held for a publisher.</summary>
    public bool HasPublisher(PeerId publisher)
    {
        lock (_gate)
            return _publishers.ContainsKey(publisher);
    }

    /// <summary>Whether something is held for a publisher as for a friend.</summary>
    public bool HasFriend(PeerId publisher)
    {
        lock (_gate)
            return _publishers.ContainsKey(publisher) && _leases.Any(one => one.Key.Publisher == publisher && !one.Value.Origin.IsStranger);
    }

    /// <summary>The blocks of a lease, in its order; empty when it is not held any more.</summary>
    public IReadOnlyList<ReplicaEntry> EntriesOf(HeldLease held) => ReplicaEntry.ReadAll(store.GetLeaseEntries(held.Pin).Span);

    /// <summary>Takes room for what is being pulled; disposing gives it back, unless it has become a lease.</summary>
    /// <param name="lease">For what.</param>
    /// <param name="origin">For whom.</param>
    /// <param name="judge">Decides with the room that is taken now.</param>
    /// <param name="reason">What was decided.</param>
    /// <returns>The room; null when it was refused.</returns>
    public HeldRoom? TryReserve(Lease lease, LeaseOrigin origin, Func<HeldBytes, RefusalReason> judge, out RefusalReason reason)
    {
        lock (_gate)
        {
            (PeerId, DhtKey) key = (lease.Publisher, lease.RunKey);
            HeldLease? before = _leases.GetValueOrDefault(key);
            if (IsOutdated(lease))
            {
                reason = RefusalReason.Invalid;
                return null;
            }

            long replaced = RoomOf(lease);
            var held = new HeldBytes(
                _bytes.Values.Sum() - replaced,
                _bytes.Where(static one => one.Key.IsStranger).Sum(static one => one.Value) - (before?.Origin.IsStranger == true ? replaced : 0),
                _bytes.GetValueOrDefault(origin) - (before?.Origin == origin ? replaced : 0),
                _leases.Count);
            reason = judge(held);
            if (reason != RefusalReason.None)
                return null;
            long more = Math.Max(0, lease.Bytes - replaced); // what is renewed has its room
            Charge(origin, more);
            return new HeldRoom(this, origin, more);
        }
    }

    /// <summary>Commits what was pulled together with its lease, in place of the one before.</summary>
    /// <param name="batch">Has the blocks, and nothing of the lease yet.</param>
    /// <param name="pin">What keeps them.</param>
    /// <param name="held">The lease.</param>
    /// <param name="entries">Its blocks, in its order.</param>
    /// <param name="room">What was promised for it.</param>
    /// <param name="cancellationToken">Before the commit it ends it; afterwards it is done.</param>
    /// <returns>False: a newer lease came meanwhile, or the one whose room it was to take over ended. Nothing was committed.</returns>
    public async Task<bool> CommitAsync(StoreBatch batch, Pin pin, HeldLease held, IReadOnlyCollection<ReplicaEntry> entries, HeldRoom room, CancellationToken cancellationToken)
    {
        await _commits.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                // what was to be replaced may have been released during the pull, and its room promised to others
                if (IsOutdated(held.Lease) || room.Bytes + RoomOf(held.Lease) < held.Lease.Bytes)
                    return false;
            }

            batch.UpdatePin(pin with { Id = held.Pin, Kind = PinKind.Held, Bytes = held.Lease.Bytes, Blocks = held.Lease.Count });
            batch.SetLease(RowOf(held, entries));
            await batch.CommitAsync(Durability.Flushed, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                room.Dispose();
                Put(held);
                _ended.Remove((held.Lease.Publisher, held.Lease.RunKey));
            }

            return true;
        }
        finally
        {
            _commits.Release();
        }
    }

    /// <summary>Ends a lease; its blocks go when room is needed, and neither it nor an older one is taken again.</summary>
    /// <param name="held">Which.</param>
    /// <param name="sequence">Up to which statement.</param>
    /// <param name="statement">The statement.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<bool> EndAsync(HeldLease held, ulong sequence, ReadOnlyMemory<byte> statement, CancellationToken cancellationToken)
    {
        (PeerId, DhtKey) key = (held.Lease.Publisher, held.Lease.RunKey);
        DateTimeOffset until = time.GetUtcNow() + Lease.MaxDuration; // no statement made until now lasts longer
        await _commits.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                if (!_leases.TryGetValue(key, out HeldLease? now) || now.Pin != held.Pin)
                    return false;
                Drop(now);
                Remember(key, sequence, until);
            }

            await store.SetLeaseAsync(RowOf(held, []) with { Pin = default, Envelope = statement, KeepUntil = until }, cancellationToken).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _commits.Release();
        }
    }

    /// <summary>Lets go of a copy that is one too many; the same lease may come again when copies are missing.</summary>
    public async Task<bool> DropAsync(HeldLease held, CancellationToken cancellationToken)
    {
        await _commits.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                if (!_leases.TryGetValue((held.Lease.Publisher, held.Lease.RunKey), out HeldLease? now) || now.Pin != held.Pin)
                    return false;
                Drop(now);
            }

            return await store.RemovePinAsync(held.Pin, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _commits.Release();
        }
    }

    /// <summary>Lets go of what is over.</summary>
    /// <returns>The leases that ran their course.</returns>
    public async Task<IReadOnlyList<HeldLease>> RemoveEndedAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        await _commits.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            List<HeldLease> over;
            lock (_gate)
            {
                over = [.. _leases.Values.Where(held => held.Lease.Until <= now)];
                foreach (HeldLease held in over)
                    Drop(held);
                foreach ((PeerId, DhtKey) key in _ended.Where(one => one.Value.Until <= now).Select(static one => one.Key).ToList())
                    _ended.Remove(key);
            }

            await store.RemoveLeasesAsync(now, cancellationToken).ConfigureAwait(false);
            return over;
        }
        finally
        {
            _commits.Release();
        }
    }

    /// <summary>See <see cref="HeldRoom"/>.</summary>
    public void GiveBack(LeaseOrigin origin, long bytes)
    {
        lock (_gate)
            Charge(origin, -bytes);
    }

    public void Dispose() => _commits.Dispose();

    private static LeaseRow RowOf(HeldLease held, IEnumerable<ReplicaEntry> entries) => new()
    {
        Publisher = held.Lease.Publisher.ToArray(),
        RunKey = KeyBytes(held.Lease.RunKey),
        Pin = held.Pin,
        Origin = held.Origin.Value,
        Envelope = held.Envelope,
        KeepUntil = held.Lease.Until,
        Entries = ReplicaEntry.WriteAll(entries),
    };

    private static byte[] KeyBytes(DhtKey key)
    {
        byte[] bytes = new byte[DhtKey.Bytes];
        key.WriteBytes(bytes);
        return bytes;
    }

    /// <summary>The bytes of the lease that this one replaces.</summary>
    private long RoomOf(Lease lease) => _leases.GetValueOrDefault((lease.Publisher, lease.RunKey))?.Lease.Bytes ?? 0;

    /// <summary>Whether a newer statement is known.</summary>
    private bool IsOutdated(Lease lease)
    {
        (PeerId, DhtKey) key = (lease.Publisher, lease.RunKey);
        return (_leases.TryGetValue(key, out HeldLease? held) && held.Lease.Sequence > lease.Sequence)
            || (_ended.TryGetValue(key, out (ulong Sequence, DateTimeOffset Until) ended) && ended.Sequence >= lease.Sequence);
    }

    private void Put(HeldLease held)
    {
        (PeerId, DhtKey) key = (held.Lease.Publisher, held.Lease.RunKey);
        if (_leases.TryGetValue(key, out HeldLease? before))
            Drop(before);
        _leases.Add(key, held);
        _publishers[held.Lease.Publisher] = _publishers.GetValueOrDefault(held.Lease.Publisher) + 1;
        Charge(held.Origin, held.Lease.Bytes);
    }

    private void Drop(HeldLease held)
    {
        _leases.Remove((held.Lease.Publisher, held.Lease.RunKey));
        if (--_publishers[held.Lease.Publisher] == 0)
            _publishers.Remove(held.Lease.Publisher);
        Charge(held.Origin, -held.Lease.Bytes);
    }

    private void Charge(LeaseOrigin origin, long bytes)
    {
        long now = _bytes.GetValueOrDefault(origin) + bytes;
        if (now == 0)
            _bytes.Remove(origin);
        else
            _bytes[origin] = now;
    }

    private void Remember((PeerId, DhtKey) key, ulong sequence, DateTimeOffset until)
    {
        if (_ended.Count >= MaxEnded)
            _ended.Remove(_ended.MinBy(static one => one.Value.Until).Key);
        _ended[key] = (sequence, until);
    }
}
