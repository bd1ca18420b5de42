using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using P2P.Core.Identity;

namespace P2P.Core.Protocols;

/// <summary>A peer's addresses as it signed them.</summary>
/// <param name="Peer">Whose they are.</param>
/// <param name="Sequence">Larger is newer; says nothing about time.</param>
/// <param name="Addresses">Where it listens, without peer ids.</param>
internal sealed record PeerRecord(PeerId Peer, ulong Sequence, IReadOnlyList<Multiaddress> Addresses)
{
    /// <summary>The domain that deployed Go and JavaScript nodes sign; the text of RFC 0003 names another.</summary>
    public const string Domain = "libp2p-peer-record";

    /// <summary>Addresses of a record that are read (count).</summary>
    public const int MaxAddresses = 64;

    /// <summary>The payload type that deployed nodes use: the multicodec number as two plain bytes, not as a varint.</summary>
    private static ReadOnlySpan<byte> PayloadType => [0x03, 0x01];

    /// <summary>Signs the record.</summary>
    public byte[] Seal(IdentityKey key)
    {
        PeerRecordMessage message = new() { PeerId = ByteString.CopyFrom(Peer.AsSpan()), Seq = Sequence };
        foreach (Multiaddress address in Addresses)
        {
            message.Addresses.Add(new PeerRecordMessage.Types.Address { Multiaddr = ByteString.CopyFrom(address.AsSpan()) });
        }

        return SignedEnvelope.Seal(key, Domain, PayloadType, message.ToByteArray());
    }

    /// <summary>Checks a signed record: false unless its signer is the peer that it is about. Addresses that are malformed or name another peer are left out.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> envelope, [NotNullWhen(true)] out PeerRecord? record)
    {
        record = null;
        if (!SignedEnvelope.TryOpen(envelope, Domain, PayloadType, out PublicKey? signer, out ReadOnlyMemory<byte> payload))
        {
            return false;
        }

        if (!ProtobufMessages.TryParse(PeerRecordMessage.Parser, PeerRecordMessage.Descriptor, payload.Span, out PeerRecordMessage? message))
            return false;

        if (!PeerId.TryFromBytes(message.PeerId.Span, out PeerId peer) || peer != signer.ToPeerId())
        {
            return false;
        }

        record = new PeerRecord(peer, message.Seq, IdentifyCodec.ReadAddresses(message.Addresses.Select(address => address.Multiaddr), peer, MaxAddresses));
        return true;
    }
}
