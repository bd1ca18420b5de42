using System.Diagnostics.CodeAnalysis;
using System.Text;
using Google.Protobuf;
using P2P.Core.Identity;
using P2P.Core.Primitives;

namespace P2P.Core.Protocols;

/// <summary>A payload signed by an identity key for one purpose (RFC 0002). The domain keeps a signature from being used for another.</summary>
internal static class SignedEnvelope
{
    /// <summary>Signs the payload.</summary>
    public static byte[] Seal(IdentityKey key, string domain, ReadOnlySpan<byte> payloadType, ReadOnlySpan<byte> payload) => new EnvelopeMessage
    {
        PublicKey = ByteString.CopyFrom(key.PublicKey.Encode()),
        PayloadType = ByteString.CopyFrom(payloadType),
        Payload = ByteString.CopyFrom(payload),
        Signature = ByteString.CopyFrom(key.Sign(SignedBytes(domain, payloadType, payload))),
    }.ToByteArray();

    /// <summary>Checks an envelope; false when it is malformed, of another type, or its signature does not verify.</summary>
    public static bool TryOpen(
        ReadOnlySpan<byte> envelope, string domain, ReadOnlySpan<byte> payloadType, [NotNullWhen(true)] out PublicKey? signer, out ReadOnlyMemory<byte> payload)
    {
        signer = null;
        payload = default;
        if (!ProtobufMessages.TryParse(EnvelopeMessage.Parser, EnvelopeMessage.Descriptor, envelope, out EnvelopeMessage? message))
            return false;

        if (!message.PayloadType.Span.SequenceEqual(payloadType)
            || !PublicKey.TryDecode(message.PublicKey.Span, out PublicKey? key, out _)
            || !key.Verify(SignedBytes(domain, payloadType, message.Payload.Span), message.Signature.Span))
        {
            return false;
        }

        signer = key;
        payload = message.Payload.Memory;
        return true;
    }

    /// <summary>Reads the payload of an envelope whose signature was checked before; false when it is malformed or of another type.</summary>
    public static bool TryRead(ReadOnlySpan<byte> envelope, ReadOnlySpan<byte> payloadType, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        if (!ProtobufMessages.TryParse(EnvelopeMessage.Parser, EnvelopeMessage.Descriptor, envelope, out EnvelopeMessage? message) || !message.PayloadType.Span.SequenceEqual(payloadType))
            return false;
        payload = message.Payload.Memory;
        return true;
    }

    private static byte[] SignedBytes(string domain, ReadOnlySpan<byte> payloadType, ReadOnlySpan<byte> payload)
    {
        byte[] name = Encoding.UTF8.GetBytes(domain);
        int length = UVarint.SizeOf((ulong)name.Length) + name.Length
            + UVarint.SizeOf((ulong)payloadType.Length) + payloadType.Length
            + UVarint.SizeOf((ulong)payload.Length) + payload.Length;
        byte[] bytes = new byte[length];
        Span<byte> rest = bytes;
        Append(ref rest, name);
        Append(ref rest, payloadType);
        Append(ref rest, payload);
        return bytes;
    }

    private static void Append(ref Span<byte> rest, ReadOnlySpan<byte> part)
    {
        rest = rest[UVarint.Write(rest, (ulong)part.Length)..];
        part.CopyTo(rest);
        rest = rest[part.Length..];
    }
}
