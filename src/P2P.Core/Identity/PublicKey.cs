using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using P2P.Core.Cryptography;

namespace P2P.Core.Identity;

/// <summary>A peer's public identity key, checked when it is made: whatever holds one may rely on its size and on its point being sound.</summary>
internal sealed class PublicKey : IEquatable<PublicKey>
{
    /// <summary>No key is longer: an RSA key of 8192 bits takes 1,066 bytes (bytes).</summary>
    internal const int MaxEncodedBytes = 1100;

    private readonly byte[] _data;

    private PublicKey(KeyType type, byte[] data)
    {
        Type = type;
        _data = data;
    }

    internal KeyType Type { get; }

    /// <summary>The key as its type lays it out: 32 bytes for Ed25519, 33 for secp256k1, SubjectPublicKeyInfo for RSA and ECDSA.</summary>
    internal ReadOnlyMemory<byte> Data => _data;

    internal static bool TryDecode(ReadOnlySpan<byte> protobuf, [NotNullWhen(true)] out PublicKey? key, [NotNullWhen(false)] out string? error)
    {
        key = null;
        if (protobuf.Length > MaxEncodedBytes || !KeyEncoding.TryDecode(protobuf, out KeyType type, out ReadOnlySpan<byte> data))
        {
            error = "the public key is not a libp2p key in its one valid form";
            return false;
        }

        error = type switch
        {
            KeyType.Ed25519 when !Ed25519.IsAcceptableIdentityKey(data) => "the Ed25519 key is not a canonical point of large order",
            KeyType.Secp256k1 when !Secp256k1.IsValidKey(data) => "the secp256k1 key is not a compressed point of the curve",
            KeyType.Ecdsa when !P256PublicKey.IsValid(data) => "the ECDSA key is not an uncompressed point of P-256",
            KeyType.Rsa when !RsaPublicKey.IsValid(data) => "the RSA key is malformed or has not 2048 to 8192 bits",
            _ => null,
        };
        if (error is not null)
            return false;
        key = new PublicKey(type, data.ToArray());
        return true;
    }

    /// <summary>Wraps an Ed25519 key that we derived ourselves.</summary>
    internal static PublicKey FromEd25519(ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length != Ed25519.PublicKeyBytes)
            throw new ArgumentException($"An Ed25519 public key has {Ed25519.PublicKeyBytes} bytes, not {publicKey.Length}.", nameof(publicKey));
        return new PublicKey(KeyType.Ed25519, publicKey.ToArray());
    }

    internal byte[] Encode() => KeyEncoding.Encode(Type, _data);

    internal bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => Type switch
    {
        KeyType.Ed25519 => Ed25519.Verify(_data, message, signature),
        KeyType.Secp256k1 => Secp256k1.VerifyDer(_data, message, signature),
        KeyType.Ecdsa => P256PublicKey.Verify(_data, message, signature),
        KeyType.Rsa => RsaPublicKey.Verify(_data, message, signature),
        _ => false,
    };

    /// <summary>The multihash of the encoded key: the key itself up to 42 bytes, otherwise its SHA-256.</summary>
    internal PeerId ToPeerId()
    {
        byte[] encoded = Encode();
        if (encoded.Length <= PeerId.MaxInlineKeyBytes)
            return PeerId.FromBytes([PeerId.IdentityCode, (byte)encoded.Length, .. encoded]);
        return PeerId.FromBytes([PeerId.Sha256Code, SHA256.HashSizeInBytes, .. SHA256.HashData(encoded)]);
    }

    public bool Equals(PublicKey? other) => other is not null && Type == other.Type && _data.AsSpan().SequenceEqual(other._data);

    public override bool Equals(object? obj) => Equals(obj as PublicKey);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Type);
        hash.AddBytes(_data);
        return hash.ToHashCode();
    }

    public override string ToString() => $"{Type} key of {ToPeerId().ToShortString()}";
}
