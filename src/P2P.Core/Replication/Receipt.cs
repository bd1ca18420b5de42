using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Google.Protobuf;
using P2P.Core.Identity;
using P2P.Core.Protocols;

namespace P2P.Core.Replication;

/// <summary>A holder's signed statement that it keeps what a lease asks for, made when the blocks are flushed to its disk.</summary>
internal sealed record Receipt
{
    /// <summary>What the signature is for.</summary>
    public const string Domain = "p2p-files-receipt";

    /// <summary>Length of an offer's nonce (bytes).</summary>
    public const int NonceBytes = 16;

    /// <summary>Length of a store's epoch (bytes).</summary>
    public const int EpochBytes = 16;

    private static ReadOnlySpan<byte> PayloadType => "/p2p-files/receipt/1"u8;

    /// <summary>The network that it is for.</summary>
    public required string Network { get; init; }

    /// <summary>Who signed it.</summary>
    public required PeerId Holder { get; init; }

    /// <summary>Which life of the holder's store: a wiped one has another, and what was said before is void.</summary>
    public required ReadOnlyMemory<byte> StoreEpoch { get; init; }

    /// <summary>Whose lease it is.</summary>
    public required PeerId Publisher { get; init; }

    /// <summary>See <see cref="Lease.DigestOf"/>.</summary>
    public required ReadOnlyMemory<byte> LeaseDigest { get; init; }

    /// <summary>The lease's.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>That of the offer that it answers: an old receipt answers no new offer.</summary>
    public required ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>See <see cref="ReplicaEntry.Digest"/>, of what is kept.</summary>
    public required ReadOnlyMemory<byte> AcceptedDigest { get; init; }

    /// <summary>Blocks kept.</summary>
    public required int Count { get; init; }

    /// <summary>Their bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was signed, by the holder's clock.</summary>
    public required DateTimeOffset Issued { get; init; }

    /// <summary>Until when they are kept.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Signs it.</summary>
    public byte[] Seal(IdentityKey key) => SignedEnvelope.Seal(key, Domain, PayloadType, new ReceiptMessage
    {
        Network = Network,
        Holder = ByteString.CopyFrom(Holder.AsSpan()),
        StoreEpoch = ByteString.CopyFrom(StoreEpoch.Span),
        Publisher = ByteString.CopyFrom(Publisher.AsSpan()),
        LeaseDigest = ByteString.CopyFrom(LeaseDigest.Span),
        Sequence = Sequence,
        Nonce = ByteString.CopyFrom(Nonce.Span),
        AcceptedDigest = ByteString.CopyFrom(AcceptedDigest.Span),
        Count = (uint)Count,
        Bytes = (ulong)Bytes,
        Issued = Issued.ToUnixTimeSeconds(),
        Until = Until.ToUnixTimeSeconds(),
    }.ToByteArray());

    /// <summary>Until when something is kept by a receipt that was checked before; null when it is none.</summary>
    public static DateTimeOffset? UntilOf(ReadOnlySpan<byte> envelope) =>
        SignedEnvelope.TryRead(envelope, PayloadType, out ReadOnlyMemory<byte> payload)
        && ProtobufMessages.TryParse(ReceiptMessage.Parser, ReceiptMessage.Descriptor, payload.Span, out ReceiptMessage? message)
        && StatementTime.TryRead(message.Until, out DateTimeOffset until) ? until : null;

    /// <summary>Reads a receipt whose signature is that of the holder that it names; false otherwise.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> envelope, [NotNullWhen(true)] out Receipt? receipt)
    {
        receipt = null;
        if (!SignedEnvelope.TryOpen(envelope, Domain, PayloadType, out PublicKey? signer, out ReadOnlyMemory<byte> payload))
            return false;
        if (!ProtobufMessages.TryParse(ReceiptMessage.Parser, ReceiptMessage.Descriptor, payload.Span, out ReceiptMessage? message))
            return false;

        if (!PeerId.TryFromBytes(message.Holder.Span, out PeerId holder) || holder != signer.ToPeerId()
            || !PeerId.TryFromBytes(message.Publisher.Span, out PeerId publisher)
            || message.StoreEpoch.Length != EpochBytes || message.Nonce.Length != NonceBytes
            || message.LeaseDigest.Length != SHA256.HashSizeInBytes || message.AcceptedDigest.Length != SHA256.HashSizeInBytes
            || message.Count > int.MaxValue || message.Bytes > long.MaxValue
            || !StatementTime.TryRead(message.Issued, out DateTimeOffset issued) || !StatementTime.TryRead(message.Until, out DateTimeOffset until))
            return false;
        receipt = new Receipt
        {
            Network = message.Network,
            Holder = holder,
            StoreEpoch = message.StoreEpoch.ToByteArray(),
            Publisher = publisher,
            LeaseDigest = message.LeaseDigest.ToByteArray(),
            Sequence = message.Sequence,
            Nonce = message.Nonce.ToByteArray(),
            AcceptedDigest = message.AcceptedDigest.ToByteArray(),
            Count = (int)message.Count,
            Bytes = (long)message.Bytes,
            Issued = issued,
            Until = until,
        };
        return true;
    }
}
