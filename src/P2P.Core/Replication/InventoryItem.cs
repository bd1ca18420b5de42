using P2P.Core.Dht;
using P2P.Core.Primitives;

namespace P2P.Core.Replication;

/// <summary>A lease that a holder says it keeps.</summary>
/// <param name="Head">The multihash of the run's first block; its hash is the run's key.</param>
/// <param name="Publisher">Whose lease.</param>
/// <param name="LeaseDigest">See <see cref="Lease.DigestOf"/>.</param>
/// <param name="Sequence">The lease's.</param>
/// <param name="Until">When it ends.</param>
/// <param name="Target">Copies that it asks for.</param>
internal sealed record InventoryItem(ReadOnlyMemory<byte> Head, PeerId Publisher, ReadOnlyMemory<byte> LeaseDigest, ulong Sequence, DateTimeOffset Until, int Target)
{
    /// <summary>Where the run lies.</summary>
    public DhtKey RunKey { get; } = DhtKey.Of(Head.Span);

    /// <summary>What a lease that is held here looks like from outside.</summary>
    public static InventoryItem Of(HeldLease held) => new(held.Head.MultihashSpan.ToArray(), held.Lease.Publisher, held.Digest, held.Lease.Sequence, held.Lease.Until, held.Lease.Target);

    /// <summary>Reads one; null when it is not sound.</summary>
    public static InventoryItem? TryRead(ReplicaMessage.Types.Inventory.Types.Item item) =>
        Multihash.TryParse(item.Head.Span, out _, out _, out int length) && length == item.Head.Length
        && PeerId.TryFromBytes(item.Publisher.Span, out PeerId publisher)
        && item.LeaseDigest.Length == System.Security.Cryptography.SHA256.HashSizeInBytes
        && StatementTime.TryRead(item.Until, out DateTimeOffset until)
            ? new InventoryItem(item.Head.ToByteArray(), publisher, item.LeaseDigest.ToByteArray(), item.Sequence, until, (int)Math.Min(item.Target, byte.MaxValue))
            : null;
}
