using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using P2P.Core.Connections;
using P2P.Core.Identity;

namespace P2P.Core.Protocols;

/// <summary>What a node says about itself.</summary>
internal sealed record OwnInfo
{
    public required IdentityKey Identity { get; init; }

    public required string AgentVersion { get; init; }

    public required IReadOnlyCollection<string> Protocols { get; init; }

    public required IReadOnlyList<Multiaddress> ListenAddresses { get; init; }

    /// <summary>The other side's address as we see it.</summary>
    public required Multiaddress ObservedAddress { get; init; }

    /// <summary>Of the signed record; larger than any before.</summary>
    public required ulong Sequence { get; init; }
}

/// <summary>Makes and reads identify messages. Reads no more than it must and believes only what the connection has proved.</summary>
internal static class IdentifyCodec
{
    /// <summary>The longest message accepted (bytes).</summary>
    public const int MaxReceivedMessageBytes = 8 * 1024;

    /// <summary>Messages that one identification may be split into (count).</summary>
    public const int MaxMessages = 10;

    /// <summary>The longest message sent (bytes): the least that any implementation accepts.</summary>
    public const int MaxSentMessageBytes = 4 * 1024;

    /// <summary>Above this the signed record gets a message of its own (bytes), as in Go.</summary>
    public const int MaxUnsplitBytes = 2 * 1024;

    /// <summary>Protocols of a peer that are kept (count).</summary>
    public const int MaxProtocols = 1024;

    /// <summary>The family of protocols spoken; informative, and the same that Go and JavaScript nodes say.</summary>
    public const string ProtocolVersion = "ipfs/0.1.0";

    private const int MaxAddresses = 64;
    private const int MaxTextChars = 128;

    /// <summary>The messages to send, in order.</summary>
    public static IReadOnlyList<byte[]> Encode(OwnInfo own)
    {
        List<Multiaddress> addresses = [.. own.ListenAddresses.Take(MaxAddresses)];
        while (true)
        {
            IdentifyMessage main = new()
            {
                PublicKey = ByteString.CopyFrom(own.Identity.PublicKey.Encode()),
                ObservedAddr = ByteString.CopyFrom(own.ObservedAddress.AsSpan()),
                ProtocolVersion = ProtocolVersion,
                AgentVersion = own.AgentVersion,
            };
            main.ListenAddrs.AddRange(addresses.Select(address => ByteString.CopyFrom(address.AsSpan())));
            main.Protocols.AddRange(own.Protocols);
            IdentifyMessage record = new()
            {
                SignedPeerRecord = ByteString.CopyFrom(new PeerRecord(own.Identity.PeerId, own.Sequence, addresses).Seal(own.Identity)),
            };
            byte[] first = main.ToByteArray();
            byte[] second = record.ToByteArray();
            if (first.Length <= MaxSentMessageBytes && second.Length <= MaxSentMessageBytes)
            {
                // protobuf messages merge by being joined, so the unsplit form is simply both
                return first.Length + second.Length <= MaxUnsplitBytes ? [[.. first, .. second]] : [first, second];
            }

            if (addresses.Count == 0)
            {
                throw new InvalidOperationException("The protocols served do not fit into one identify message.");
            }

            addresses.RemoveRange(addresses.Count / 2, addresses.Count - (addresses.Count / 2));
        }
    }

    /// <summary>Reads the messages of one identification, merged in their order.</summary>
    /// <param name="messages">As received, without lengths.</param>
    /// <param name="peer">Who sent them, proven by the connection.</param>
    /// <param name="info">What they say.</param>
    /// <returns>False when they are malformed or speak for another peer.</returns>
    public static bool TryDecode(IReadOnlyList<byte[]> messages, PeerId peer, [NotNullWhen(true)] out RemoteInfo? info)
    {
        info = null;
        IdentifyMessage merged = new();
        try
        {
            foreach (byte[] message in messages)
            {
                merged.MergeFrom(message);
            }
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }

        if (merged.HasPublicKey && (!PublicKey.TryDecode(merged.PublicKey.Span, out PublicKey? key, out _) || key.ToPeerId() != peer))
        {
            return false;
        }

        bool isSigned = false;
        IReadOnlyList<Multiaddress> addresses;
        if (merged.HasSignedPeerRecord && PeerRecord.TryOpen(merged.SignedPeerRecord.Span, out PeerRecord? record) && record.Peer == peer)
        {
            isSigned = true;
            addresses = record.Addresses;
        }
        else
        {
            addresses = ReadAddresses(merged.ListenAddrs, peer, MaxAddresses);
        }

        info = new RemoteInfo
        {
            AgentVersion = Shorten(merged.AgentVersion),
            ProtocolVersion = Shorten(merged.ProtocolVersion),
            Protocols = merged.Protocols
                .Where(protocol => protocol.Length is > 0 and < MultistreamCodec.MaxMessageBytes)
                .Take(MaxProtocols)
                .ToHashSet(StringComparer.Ordinal),
            ListenAddresses = addresses,
            ObservedAddress = Multiaddress.TryFromBytes(merged.ObservedAddr.Span, out Multiaddress? observed) ? observed : null,
            IsSigned = isSigned,
        };
        return true;
    }

    /// <summary>The addresses that are well-formed and do not name another peer, each once, without peer ids.</summary>
    public static IReadOnlyList<Multiaddress> ReadAddresses(IEnumerable<ByteString> encoded, PeerId peer, int max)
    {
        HashSet<Multiaddress> addresses = [];
        foreach (ByteString bytes in encoded.Take(max))
        {
            if (Multiaddress.TryFromBytes(bytes.Span, out Multiaddress? address) && (address.PeerId is not { } named || named == peer))
            {
                addresses.Add(address.WithoutPeerId());
            }
        }

        return [.. addresses];
    }

    private static string Shorten(string text) => text.Length <= MaxTextChars ? text : text[..MaxTextChars];
}
