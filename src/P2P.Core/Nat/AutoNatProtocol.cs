using Google.Protobuf;
using P2P.Core.Connections;
using P2P.Core.Protocols;
using P2P.Core.Transport;

namespace P2P.Core.Nat;

/// <summary>Names, numbers and framing of AutoNAT v2 (libp2p: autonat/autonat-v2.md).</summary>
internal static class AutoNatProtocol
{
    /// <summary>By which a peer is asked to dial us back, and by which it does.</summary>
    public const string DialRequestId = "/libp2p/autonat/2/dial-request", DialBackId = "/libp2p/autonat/2/dial-back";

    /// <summary>The status of a request.</summary>
    public const uint RequestRejected = 100, DialRefused = 101, Ok = 200;

    /// <summary>The status of a dial that was made; also <see cref="Ok"/>.</summary>
    public const uint DialError = 100, DialBackError = 101;

    /// <summary>What a server may ask for before it dials an address that is not the one it sees (bytes): a reflected attack must cost the attacker more than its victim.</summary>
    public const int LeastData = 30_000, MostData = 100_000;

    /// <summary>Data of one message, and the longest message (bytes).</summary>
    public const int MaxDataBytes = 4096, MaxMessageBytes = 8192;

    /// <summary>The longest message of a dial back (bytes).</summary>
    public const int MaxDialBackBytes = 64;

    /// <summary>Addresses of one request that are looked at (count).</summary>
    public const int MaxAddresses = 50;

    /// <summary>Reads one message.</summary>
    /// <exception cref="PeerProtocolException">It is malformed, or the peer has finished.</exception>
    public static async ValueTask<AutoNatMessage> ReadAsync(PeerStream stream, CancellationToken cancellationToken) =>
        await LengthPrefixed.ReadAsync(stream.Input, MaxMessageBytes, cancellationToken).ConfigureAwait(false) is { } bytes && TryRead(bytes, out AutoNatMessage? message)
            ? message!
            : throw new PeerProtocolException("sent no sound message of AutoNAT");

    /// <summary>Reads a message; false: it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out AutoNatMessage? message) =>
        ProtobufMessages.TryParse(AutoNatMessage.Parser, AutoNatMessage.Descriptor, bytes, out message);

    /// <summary>Writes one message and sends it.</summary>
    public static async ValueTask WriteAsync(PeerStream stream, IMessage message, CancellationToken cancellationToken)
    {
        LengthPrefixed.Write(stream.Output, message.ToByteArray());
        if ((await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false)).IsCompleted)
            throw new PeerProtocolException("closed the stream");
    }
}
