using System.Security.Cryptography;
using P2P.Core.Identity;

namespace P2P.Core.Blocks;

/// <summary>
/// Wraps the keys of private shares for the index, so that a copy of the index without the identity tells none of them: docs/protocol.md, "Private shares".
/// The same key is always wrapped the same, which is how the index finds it again. Thread-safe.
/// </summary>
internal sealed class ShareKeyWrap : IDisposable
{
    /// <summary>The length of a wrapped key (bytes): the seal, the key, the tag.</summary>
    public const int WrappedBytes = SealBytes + BlockSealer.KeyBytes + TagBytes;

    private const int SealBytes = HMACSHA256.HashSizeInBytes;
    private const int TagBytes = 16;
    private const int NonceBytes = 12;
    private const int KeyBytes = 32;

    private readonly byte[] _keys = GC.AllocateArray<byte>(2 * KeyBytes, pinned: true);

    /// <summary>Derives its keys from the identity.</summary>
    public ShareKeyWrap(IdentityKey identity) => identity.DeriveSecret(Context, _keys);

    private static ReadOnlySpan<byte> Context => "p2p-files/store-wrap/1"u8;

    private ReadOnlySpan<byte> SealKey => _keys.AsSpan(0, KeyBytes);

    private ReadOnlySpan<byte> CipherKey => _keys.AsSpan(KeyBytes);

    /// <summary>Wraps a share's key.</summary>
    public byte[] Wrap(ReadOnlySpan<byte> shareKey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(shareKey.Length, BlockSealer.KeyBytes);
        byte[] wrapped = new byte[WrappedBytes];
        Span<byte> seal = wrapped.AsSpan(0, SealBytes);
        HMACSHA256.HashData(SealKey, shareKey, seal);
        Span<byte> key = stackalloc byte[KeyBytes];
        HMACSHA256.HashData(CipherKey, seal, key);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        nonce.Clear();
        using (var cipher = new ChaCha20Poly1305(key))
            cipher.Encrypt(nonce, shareKey, wrapped.AsSpan(SealBytes, BlockSealer.KeyBytes), wrapped.AsSpan(SealBytes + BlockSealer.KeyBytes), Context);
        CryptographicOperations.ZeroMemory(key);
        return wrapped;
    }

    /// <summary>Unwraps a share's key; the caller wipes it. False: it was damaged, or wrapped under another identity.</summary>
    public bool TryUnwrap(ReadOnlySpan<byte> wrapped, Span<byte> shareKey)
    {
        if (wrapped.Length != WrappedBytes)
            return false;
        ReadOnlySpan<byte> seal = wrapped[..SealBytes];
        Span<byte> key = stackalloc byte[KeyBytes];
        HMACSHA256.HashData(CipherKey, seal, key);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        nonce.Clear();
        try
        {
            using var cipher = new ChaCha20Poly1305(key);
            cipher.Decrypt(nonce, wrapped[SealBytes..^TagBytes], wrapped[^TagBytes..], shareKey, Context);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }

        Span<byte> again = stackalloc byte[SealBytes];
        HMACSHA256.HashData(SealKey, shareKey, again);
        if (CryptographicOperations.FixedTimeEquals(again, seal))
            return true;
        CryptographicOperations.ZeroMemory(shareKey);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(_keys);
}
