using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Google.Protobuf;
using P2P.Core.Dht;
using P2P.Core.Identity;
using P2P.Core.Protocols;

namespace P2P.Core.Replication;

/// <summary>A publisher's signed statement of what is to be kept until when. With an end in the past it is a release of what an earlier one asked for.</summary>
internal sealed record Lease
{
    /// <summary>What the signature is for.</summary>
    public const string Domain = "p2p-files-lease";

    /// <summary>The longest time ahead that a lease may last; longer ones are refused.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(30);

    /// <summary>How far ahead a publisher's clock may be.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(10);

    private static ReadOnlySpan<byte> PayloadType => "/p2p-files/lease/1"u8;

    /// <summary>The network that it is for: a lease of one is worth nothing in another.</summary>
    public required string Network { get; init; }

    /// <summary>Who signed it.</summary>
    public required PeerId Publisher { get; init; }

    /// <summary>Where its run lies in the keyspace.</summary>
    public required DhtKey RunKey { get; init; }

    /// <summary>See <see cref="ReplicaEntry.Digest"/>.</summary>
    public required ReadOnlyMemory<byte> EntriesDigest { get; init; }

    /// <summary>Blocks of the run.</summary>
    public required int Count { get; init; }

    /// <summary>Their bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was signed, by the publisher's clock, in whole seconds.</summary>
    public required DateTimeOffset Issued { get; init; }

    /// <summary>When it ends, in whole seconds.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Copies below which it is repaired at once.</summary>
    public required int Min { get; init; }

    /// <summary>Copies wanted.</summary>
    public required int Target { get; init; }

    /// <summary>Copies above which the farthest may go.</summary>
    public required int Max { get; init; }

    /// <summary>Larger is newer, of one publisher and run.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>What a receipt names a lease by: the SHA-256 of its envelope.</summary>
    public static byte[] DigestOf(ReadOnlySpan<byte> envelope) => SHA256.HashData(envelope);

    /// <summary>Signs it.</summary>
    public byte[] Seal(IdentityKey key)
    {
        byte[] runKey = new byte[DhtKey.Bytes];
        RunKey.WriteBytes(runKey);
        return SignedEnvelope.Seal(key, Domain, PayloadType, new LeaseMessage
        {
            Network = Network,
            Publisher = ByteString.CopyFrom(Publisher.AsSpan()),
            RunKey = ByteString.CopyFrom(runKey),
            EntriesDigest = ByteString.CopyFrom(EntriesDigest.Span),
            Count = (uint)Count,
            Bytes = (ulong)Bytes,
            Issued = Issued.ToUnixTimeSeconds(),
            Until = Until.ToUnixTimeSeconds(),
            Min = (uint)Min,
            Target = (uint)Target,
            Max = (uint)Max,
            Sequence = Sequence,
        }.ToByteArray());
    }

    /// <summary>Reads a lease whose signature is that of the publisher that it names; false otherwise.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> envelope, [NotNullWhen(true)] out Lease? lease)
    {
        lease = null;
        if (!SignedEnvelope.TryOpen(envelope, Domain, PayloadType, out PublicKey? signer, out ReadOnlyMemory<byte> payload))
            return false;
        if (!ProtobufMessages.TryParse(LeaseMessage.Parser, LeaseMessage.Descriptor, payload.Span, out LeaseMessage? message))
            return false;

        if (!PeerId.TryFromBytes(message.Publisher.Span, out PeerId publisher) || publisher != signer.ToPeerId()
            || message.RunKey.Length != DhtKey.Bytes || message.EntriesDigest.Length != SHA256.HashSizeInBytes
            || message.Count > int.MaxValue || message.Bytes > long.MaxValue || message.Max > byte.MaxValue || message.Min > message.Target || message.Target > message.Max
            || !StatementTime.TryRead(message.Issued, out DateTimeOffset issued) || !StatementTime.TryRead(message.Until, out DateTimeOffset until))
            return false;
        lease = new Lease
        {
            Network = message.Network,
            Publisher = publisher,
            RunKey = DhtKey.FromBytes(message.RunKey.Span),
            EntriesDigest = message.EntriesDigest.ToByteArray(),
            Count = (int)message.Count,
            Bytes = (long)message.Bytes,
            Issued = issued,
            Until = until,
            Min = (int)message.Min,
            Target = (int)message.Target,
            Max = (int)message.Max,
            Sequence = message.Sequence,
        };
        return true;
    }

    /// <summary>Whether these are the blocks that it was signed for.</summary>
    public bool Covers(IReadOnlyCollection<ReplicaEntry> entries) =>
        entries.Count == Count && entries.Sum(static entry => (long)entry.Size) == Bytes && ReplicaEntry.Digest(entries).AsSpan().SequenceEqual(EntriesDigest.Span);
}
