using P2P.Core.Dht;
using P2P.Core.Identity;

namespace P2P.Core.Replication;

/// <summary>Signs the leases of this node, each newer than the one before. Thread-safe.</summary>
internal sealed class LeaseWriter(IdentityKey identity, ReplicationSettings settings, string network, TimeProvider time)
{
    private ulong _sequence;

    /// <summary>Asks for copies of a run, from now on for the duration of a lease.</summary>
    public byte[] Ask(Run run, int target) =>
        Write(run.Key, ReplicaEntry.Digest(run.Entries), run.Entries.Count, run.Bytes, target, StatementTime.Truncate(time.GetUtcNow() + settings.LeaseDuration));

    /// <summary>Says that what a receipt is about need not be kept any more.</summary>
    public byte[] Release(DhtKey run, Receipt receipt) =>
        Write(run, receipt.AcceptedDigest, receipt.Count, receipt.Bytes, target: 1, StatementTime.Truncate(time.GetUtcNow()).AddSeconds(-1));

    private byte[] Write(DhtKey run, ReadOnlyMemory<byte> digest, int count, long bytes, int target, DateTimeOffset until)
    {
        DateTimeOffset utcNow = time.GetUtcNow();
        return new Lease
        {
            Network = network,
            Publisher = identity.PeerId,
            RunKey = run,
            EntriesDigest = digest,
            Count = count,
            Bytes = bytes,
            Issued = StatementTime.Truncate(utcNow),
            Until = until,
            Min = ReplicationSettings.MinOf(target),
            Target = target,
            Max = ReplicationSettings.MaxOf(target),
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
