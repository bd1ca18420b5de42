using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using P2P.Core.Cryptography;

namespace P2P.Core.Identity;

/// <summary>
/// Our own identity, always Ed25519. Holds only the seed, pinned so that the collector leaves no copies behind, and wipes it when disposed.
/// </summary>
internal sealed class IdentityKey : IDisposable
{
    /// <summary>The longest private form we read: type, length and 96 bytes of data (bytes).</summary>
    internal const int MaxEncodedBytes = 4 + (Ed25519.SeedBytes + (2 * Ed25519.PublicKeyBytes));

    private readonly byte[] _seed;
    private bool _disposed;

    private IdentityKey(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != Ed25519.SeedBytes)
            throw new ArgumentException($"An Ed25519 seed has {Ed25519.SeedBytes} bytes, not {seed.Length}.", nameof(seed));
        _seed = GC.AllocateArray<byte>(Ed25519.SeedBytes, pinned: true);
        seed.CopyTo(_seed);
        Span<byte> publicKey = stackalloc byte[Ed25519.PublicKeyBytes];
        Ed25519.DerivePublicKey(_seed, publicKey);
        PublicKey = PublicKey.FromEd25519(publicKey);
        PeerId = PublicKey.ToPeerId();
    }

    internal PublicKey PublicKey { get; }

    internal PeerId PeerId { get; }

    internal static IdentityKey Generate()
    {
        Span<byte> seed = stackalloc byte[Ed25519.SeedBytes];
        RandomNumberGenerator.Fill(seed);
        IdentityKey key = new(seed);
        CryptographicOperations.ZeroMemory(seed);
        return key;
    }

    internal static IdentityKey FromSeed(ReadOnlySpan<byte> seed) => new(seed);

    /// <summary>Reads the protobuf private key: seed and public key, or the older form with the public key twice. A wrong public key is refused.</summary>
    internal static bool TryDecodePrivateKey(ReadOnlySpan<byte> protobuf, [NotNullWhen(true)] out IdentityKey? key, [NotNullWhen(false)] out string? error)
    {
        key = null;
        if (protobuf.Length > MaxEncodedBytes || !KeyEncoding.TryDecode(protobuf, out KeyType type, out ReadOnlySpan<byte> data))
        {
            error = "it is not a libp2p private key";
            return false;
        }

        if (type != KeyType.Ed25519)
        {
            error = $"it holds a key of type {type}; only Ed25519 can be an own identity";
            return false;
        }

        if (data.Length is not (64 or 96))
        {
            error = "its Ed25519 key has neither 64 nor 96 bytes";
            return false;
        }

        IdentityKey candidate = new(data[..Ed25519.SeedBytes]);
        ReadOnlySpan<byte> derived = candidate.PublicKey.Data.Span;
        if (!data.Slice(32, 32).SequenceEqual(derived) || (data.Length == 96 && !data[64..].SequenceEqual(derived)))
        {
            candidate.Dispose();
            error = "its public key does not belong to its private key";
            return false;
        }

        key = candidate;
        error = null;
        return true;
    }

    internal byte[] Sign(ReadOnlySpan<byte> message)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        byte[] signature = new byte[Ed25519.SignatureBytes];
        Ed25519.Sign(_seed, message, signature);
        return signature;
    }

    /// <summary>Derives a secret of its own for one purpose: HKDF-SHA256 of the seed, without salt. The caller wipes it after use.</summary>
    internal void DeriveSecret(ReadOnlySpan<byte> purpose, Span<byte> secret)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _seed, secret, [], purpose);
    }

    /// <summary>Writes the protobuf private key (68 bytes). The caller wipes it after use.</summary>
    internal byte[] EncodePrivateKey()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Span<byte> data = stackalloc byte[Ed25519.SeedBytes + Ed25519.PublicKeyBytes];
        _seed.CopyTo(data);
        PublicKey.Data.Span.CopyTo(data[Ed25519.SeedBytes..]);
        byte[] encoded = KeyEncoding.Encode(KeyType.Ed25519, data);
        CryptographicOperations.ZeroMemory(data);
        return encoded;
    }

    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_seed);
    }

    public override string ToString() => $"identity of {PeerId.ToShortString()}";
}
