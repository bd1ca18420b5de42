using System.Diagnostics.CodeAnalysis;
using System.Text;
using P2P.Core.Identity;
using P2P.Core.Primitives;

namespace P2P.Core.SecureChannel;

/// <summary>
/// What libp2p puts into handshake messages 2 and 3: who we are, the proof that the static key of this handshake is ours, and the muxers we speak.
/// <code>
/// NoiseHandshakePayload { identity_key=1 bytes; identity_sig=2 bytes; extensions=4 { webtransport_certhashes=1; stream_muxers=2 repeated string } }
/// </code>
/// </summary>
/// <param name="IdentityKey">The PublicKey protobuf.</param>
/// <param name="Signature">By that key, over <see cref="SignedBytes"/>.</param>
/// <param name="Muxers">In order of preference; empty when the peer leaves the choice to multistream-select.</param>
internal sealed record NoisePayload(ReadOnlyMemory<byte> IdentityKey, ReadOnlyMemory<byte> Signature, IReadOnlyList<string> Muxers)
{
    /// <summary>Entries of the muxer list that are looked at (count); a peer has one or two.</summary>
    private const int MaxMuxers = 16;

    private const int IdentityKeyField = 1;
    private const int SignatureField = 2;
    private const int ExtensionsField = 4;
    private const int MuxersField = 2;

    /// <summary>What the identity key signs: a prefix and the static key.</summary>
    public static byte[] SignedBytes(ReadOnlySpan<byte> staticKey) => [.. "noise-libp2p-static-key:"u8, .. staticKey];

    /// <summary>Our own payload. It depends on nothing of the peer, so one serves all handshakes with the same static key.</summary>
    public static byte[] Create(IdentityKey identity, ReadOnlySpan<byte> staticKey, IReadOnlyList<string> muxers) =>
        new NoisePayload(identity.PublicKey.Encode(), identity.Sign(SignedBytes(staticKey)), muxers).Encode();

    public byte[] Encode()
    {
        int extensionsLength = 0;
        foreach (string muxer in Muxers)
            extensionsLength += ProtobufWriter.SizeOfBytesField(MuxersField, Encoding.UTF8.GetByteCount(muxer));
        int length = ProtobufWriter.SizeOfBytesField(IdentityKeyField, IdentityKey.Length) + ProtobufWriter.SizeOfBytesField(SignatureField, Signature.Length);
        if (extensionsLength > 0)
            length += ProtobufWriter.SizeOfBytesField(ExtensionsField, extensionsLength);
        var message = new byte[length];
        var writer = new ProtobufWriter(message);
        writer.WriteBytesField(IdentityKeyField, IdentityKey.Span);
        writer.WriteBytesField(SignatureField, Signature.Span);
        if (extensionsLength > 0)
        {
            writer.WriteBytesHeader(ExtensionsField, extensionsLength);
            foreach (string muxer in Muxers)
                writer.WriteBytesField(MuxersField, Encoding.UTF8.GetBytes(muxer));
        }
        return message;
    }

    /// <summary>Reads a whole payload (its frame gave the length). The result holds copies. Unknown fields are skipped.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> message, [NotNullWhen(true)] out NoisePayload? payload)
    {
        payload = null;
        byte[] identityKey = [];
        byte[] signature = [];
        var muxers = new List<string>();
        var reader = new ProtobufReader(message);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType type))
                return false;
            if (field is IdentityKeyField or SignatureField or ExtensionsField)
            {
                if (type != WireType.Bytes || !reader.TryReadBytes(out ReadOnlySpan<byte> value))
                    return false;
                if (field == IdentityKeyField)
                    identityKey = value.ToArray();
                else if (field == SignatureField)
                    signature = value.ToArray();
                else if (!TryDecodeMuxers(value, muxers))
                    return false;
            }
            else if (!reader.TrySkip(type))
            {
                return false;
            }
        }
        payload = new NoisePayload(identityKey, signature, muxers);
        return true;
    }

    private static bool TryDecodeMuxers(ReadOnlySpan<byte> extensions, List<string> muxers)
    {
        var reader = new ProtobufReader(extensions);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType type))
                return false;
            if (field != MuxersField)
            {
                if (!reader.TrySkip(type))
                    return false;
                continue;
            }
            if (type != WireType.Bytes || !reader.TryReadBytes(out ReadOnlySpan<byte> name))
                return false;
            if (muxers.Count < MaxMuxers)
                muxers.Add(Encoding.UTF8.GetString(name));
        }
        return true;
    }
}
