using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>What a holder keeps in a part of the keyspace: in short, to see whether two agree, and at length. Pure.</summary>
internal sealed class Inventory
{
    /// <summary>Items in one answer (count); of more only the number is told, and the asker asks for both halves.</summary>
    public const int MaxItems = 1000;

    private readonly List<InventoryItem> _items;

    /// <summary>Takes the part of what is held.</summary>
    public Inventory(IEnumerable<HeldLease> held, DhtPrefix part)
    {
        Part = part;
        _items = [.. held.Where(one => part.Contains(one.Lease.RunKey)).Select(InventoryItem.Of)];
        _items.Sort(Compare);
    }

    private Inventory(DhtPrefix part, List<InventoryItem> sorted) => (Part, _items) = (part, sorted);

    /// <summary>The part of the keyspace.</summary>
    public DhtPrefix Part { get; }

    /// <summary>Leases (count).</summary>
    public int Count => _items.Count;

    /// <summary>The leases, in the order of the fingerprint.</summary>
    public IReadOnlyList<InventoryItem> Items => _items;

    /// <summary>
    /// SHA-256 over multihash, lease digest and sequence of each, sorted: two holders with the same leases have the same, and nobody can make up a set with a
    /// given one, as could be done with a sum.
    /// </summary>
    public byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> sequence = stackalloc byte[sizeof(ulong)];
        foreach (InventoryItem item in _items)
        {
            hash.AppendData(item.Head.Span);
            hash.AppendData(item.LeaseDigest.Span);
            BinaryPrimitives.WriteUInt64BigEndian(sequence, item.Sequence);
            hash.AppendData(sequence);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>What of it lies in a smaller part.</summary>
    public Inventory Within(DhtPrefix part) => new(part, [.. _items.Where(item => part.Contains(item.RunKey))]);

    /// <summary>In short, to be sent.</summary>
    public ReplicaMessage.Types.Digest ToDigest(ReadOnlySpan<byte> epoch)
    {
        byte[] first = new byte[DhtKey.Bytes];
        Part.First.WriteBytes(first);
        return new ReplicaMessage.Types.Digest
        {
            Prefix = ByteString.CopyFrom(first.AsSpan(0, (Part.Length + 7) / 8)),
            Bits = (uint)Part.Length,
            Count = (uint)Count,
            Fingerprint = ByteString.CopyFrom(Fingerprint()),
            StoreEpoch = ByteString.CopyFrom(epoch),
        };
    }

    /// <summary>The part of the keyspace that a digest is about; null when it is not sound.</summary>
    public static DhtPrefix? PartOf(ReplicaMessage.Types.Digest digest)
    {
        if (digest.Bits > DhtKey.Bits || digest.Prefix.Length != (digest.Bits + 7) / 8 || digest.Fingerprint.Length is not (0 or SHA256.HashSizeInBytes))
            return null;
        byte[] first = new byte[DhtKey.Bytes];
        digest.Prefix.Span.CopyTo(first);
        return DhtPrefix.Of(DhtKey.FromBytes(first), (int)digest.Bits);
    }

    /// <summary>What to answer to somebody's digest of the same part.</summary>
    public ReplicaMessage.Types.Inventory AnswerTo(ReplicaMessage.Types.Digest digest, ReadOnlySpan<byte> epoch)
    {
        var answer = new ReplicaMessage.Types.Inventory { Count = (uint)Count, StoreEpoch = ByteString.CopyFrom(epoch) };
        answer.IsSame = Count > 0 && digest.Count == Count && digest.Fingerprint.Span.SequenceEqual(Fingerprint());
        if (answer.IsSame || Count > MaxItems)
            return answer;
        answer.Items.AddRange(_items.Select(static item => new ReplicaMessage.Types.Inventory.Types.Item
        {
            Head = ByteString.CopyFrom(item.Head.Span),
            Publisher = ByteString.CopyFrom(item.Publisher.AsSpan()),
            LeaseDigest = ByteString.CopyFrom(item.LeaseDigest.Span),
            Sequence = item.Sequence,
            Until = item.Until.ToUnixTimeSeconds(),
            Target = (uint)item.Target,
        }));
        return answer;
    }

    private static int Compare(InventoryItem left, InventoryItem right)
    {
        int order = left.Head.Span.SequenceCompareTo(right.Head.Span);
        if (order == 0)
            order = left.LeaseDigest.Span.SequenceCompareTo(right.LeaseDigest.Span);
        return order == 0 ? left.Sequence.CompareTo(right.Sequence) : order;
    }
}
