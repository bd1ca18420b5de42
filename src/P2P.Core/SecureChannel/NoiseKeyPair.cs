using System.Security.Cryptography;
using P2P.Core.Cryptography;

namespace P2P.Core.SecureChannel;

/// <summary>An X25519 key pair of the handshake. The private half lives in pinned memory and is zeroed on dispose.</summary>
internal sealed class NoiseKeyPair : IDisposable
{
    public const int KeyBytes = 32;

    private readonly byte[] _privateKey = GC.AllocateUninitializedArray<byte>(KeyBytes, pinned: true);
    private readonly byte[] _publicKey = new byte[KeyBytes];

    private NoiseKeyPair()
    {
    }

    public ReadOnlySpan<byte> PublicKey => _publicKey;

    public static NoiseKeyPair Generate()
    {
        var pair = new NoiseKeyPair();
        RandomNumberGenerator.Fill(pair._privateKey);
        X25519.DerivePublicKey(pair._privateKey, pair._publicKey);
        return pair;
    }

    /// <summary>For test vectors, which prescribe the keys.</summary>
    public static NoiseKeyPair FromPrivateKey(ReadOnlySpan<byte> privateKey)
    {
        var pair = new NoiseKeyPair();
        privateKey.CopyTo(pair._privateKey);
        X25519.DerivePublicKey(pair._privateKey, pair._publicKey);
        return pair;
    }

    /// <summary>False when the result is all zero: the peer's key is a point of small order.</summary>
    public bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret) => X25519.TryAgree(_privateKey, peerPublicKey, sharedSecret);

    public void Dispose() => CryptographicOperations.ZeroMemory(_privateKey);
}
