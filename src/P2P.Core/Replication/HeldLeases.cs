using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>
/// The leases under which blocks are held here. Each is a pin of the store that carries the signed lease, so what is held and why outlives a crash together.
/// Thread-safe.
/// </summary>
internal sealed class HeldLeases(BlockStore store, Func<Lease, bool> isStranger)
{
    private readonly Lock _gate = new(); // guards all below
    private readonly Dictionary<(PeerId Publisher, DhtKey Run), HeldLease> _leases = [];
    private long _reserved, _reservedForStrangers;

    /// <summary>Reads what earlier runs held.</summary>
    /// <returns>Pins of leases that a newer one has replaced, left by a crash between the two: to be removed.</returns>
    public IReadOnlyList<PinId> Load()
    {
        List<PinId> older = [];
        foreach (Pin pin in store.GetPins().Where(static pin => pin.Kind == PinKind.Held))
        {
            if (Lease.TryOpen(pin.Hints.Span, out Lease? lease) && Set(new HeldLease(lease, pin.Hints, pin.Id, pin.Root)) is { } replaced)
                older.Add(replaced);
        }

        return older;
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
            return _leases.Keys.Any(key => key.Publisher == publisher);
    }

    /// <summary>What is held and promised now, without the lease that a new one would replace.</summary>
    public HeldBytes BytesWithout(PeerId publisher, DhtKey run)
    {
        lock (_gate)
        {
            long total = _reserved, strangers = _reservedForStrangers;
            foreach (HeldLease held in _leases.Values)
            {
                if (held.Lease.Publisher == publisher && held.Lease.RunKey == run)
                    continue;
                total += held.Lease.Bytes;
                strangers += isStranger(held.Lease) ? held.Lease.Bytes : 0;
            }

            return new HeldBytes(total, strangers);
        }
    }

    /// <summary>Takes room for what is being pulled; disposing gives it back.</summary>
    /// <param name="lease">For what.</param>
    /// <param name="judge">Decides with the room that is taken now.</param>
    /// <param name="reason">What was decided.</param>
    /// <returns>The room; null when it was refused.</returns>
    public IDisposable? TryReserve(Lease lease, Func<HeldBytes, RefusalReason> judge, out RefusalReason reason)
    {
        lock (_gate)
        {
            reason = judge(BytesWithout(lease.Publisher, lease.RunKey));
            if (reason != RefusalReason.None)
                return null;
            bool stranger = isStranger(lease);
            _reserved += lease.Bytes;
            _reservedForStrangers += stranger ? lease.Bytes : 0;
            return new Room(this, lease.Bytes, stranger ? lease.Bytes : 0);
        }
    }

    /// <summary>Puts a lease in place of the one before, unless that is the newer one.</summary>
    /// <returns>The pin of the older of the two; null when there was none.</returns>
    public PinId? Set(HeldLease held)
    {
        lock (_gate)
        {
            if (!_leases.TryGetValue((held.Lease.Publisher, held.Lease.RunKey), out HeldLease? before))
            {
                _leases.Add((held.Lease.Publisher, held.Lease.RunKey), held);
                return null;
            }

            if (before.Lease.Sequence > held.Lease.Sequence)
                return held.Pin;
            _leases[(held.Lease.Publisher, held.Lease.RunKey)] = held;
            return before.Pin;
        }
    }

    /// <summary>Ends a lease; its blocks go when room is needed.</summary>
    public async Task<bool> RemoveAsync(HeldLease held, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_leases.TryGetValue((held.Lease.Publisher, held.Lease.RunKey), out HeldLease? now) || now.Pin != held.Pin)
                return false;
            _leases.Remove((held.Lease.Publisher, held.Lease.RunKey));
        }

        return await store.RemovePinAsync(held.Pin, cancellationToken).ConfigureAwait(false);
    }

    private void Release(long bytes, long strangers)
    {
        lock (_gate)
        {
            _reserved -= bytes;
            _reservedForStrangers -= strangers;
        }
    }

    private sealed class Room(HeldLeases owner, long bytes, long strangers) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                owner.Release(bytes, strangers);
        }
    }
}

/// <summary>A lease under which blocks are held.</summary>
/// <param name="Lease">What it says.</param>
/// <param name="Envelope">As it was signed.</param>
/// <param name="Pin">What keeps the blocks.</param>
/// <param name="Head">The first block of the run.</param>
internal sealed record HeldLease(Lease Lease, ReadOnlyMemory<byte> Envelope, PinId Pin, Cid Head);
