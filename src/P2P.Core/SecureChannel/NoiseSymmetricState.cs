using System.Buffers.Binary;
using System.Security.Cryptography;

namespace P2P.Core.SecureChannel;

/// <summary>The SymmetricState of the Noise Protocol Framework (revision 34, section 5.2) for SHA-256 and ChaCha20-Poly1305.</summary>
internal sealed class NoiseSymmetricState : IDisposable
{
    public const int HashBytes = 32;
    public const int TagBytes = 16;
    private const int NonceBytes = 12;

    // One pinned block, so that one call zeroes all of it: chaining key, handshake hash, cipher key.
    private readonly byte[] _secrets = GC.AllocateArray<byte>(3 * HashBytes, pinned: true);
    private ulong _nonce;

    /// <param name="protocolName">Exactly 32 bytes or less; longer names would have to be hashed, and ours is not longer.</param>
    /// <param name="prologue">Mixed into the hash; empty in libp2p.</param>
    public NoiseSymmetricState(ReadOnlySpan<byte> protocolName, ReadOnlySpan<byte> prologue)
    {
        protocolName.CopyTo(Hash);
        Hash.CopyTo(ChainingKey);
        MixHash(prologue);
    }

    /// <summary>h: the transcript so far; at the end it names the session.</summary>
    public ReadOnlySpan<byte> HandshakeHash => Hash;

    /// <summary>Whether a key was mixed in: from then on payloads and static keys are encrypted.</summary>
    private bool HasKey { get; set; }

    private Span<byte> ChainingKey => _secrets.AsSpan(0, HashBytes);

    private Span<byte> Hash => _secrets.AsSpan(HashBytes, HashBytes);

    private Span<byte> Key => _secrets.AsSpan(2 * HashBytes, HashBytes);

    public void MixHash(ReadOnlySpan<byte> data)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(Hash);
        sha.AppendData(data);
        sha.GetHashAndReset(Hash);
    }

    public void MixKey(ReadOnlySpan<byte> sharedSecret)
    {
        Derive(ChainingKey, sharedSecret, ChainingKey, Key);
        _nonce = 0;
        HasKey = true;
    }

    /// <summary>Writes the ciphertext and its tag, or the plaintext while there is no key, and mixes what was written into the hash.</summary>
    /// <returns>The bytes written.</returns>
    public int EncryptAndHash(ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        int written = plaintext.Length;
        if (HasKey)
        {
            written += TagBytes;
            using var cipher = new ChaCha20Poly1305(Key);
            Span<byte> nonce = stackalloc byte[NonceBytes];
            WriteNonce(nonce, _nonce++);
            cipher.Encrypt(nonce, plaintext, destination[..plaintext.Length], destination.Slice(plaintext.Length, TagBytes), Hash);
        }
        else
        {
            plaintext.CopyTo(destination);
        }
        MixHash(destination[..written]);
        return written;
    }

    /// <summary>The reverse; false when the tag is wrong or missing.</summary>
    public bool TryDecryptAndHash(ReadOnlySpan<byte> message, Span<byte> plaintext, out int length)
    {
        length = message.Length;
        if (HasKey)
        {
            length -= TagBytes;
            if (length < 0)
                return false;
            using var cipher = new ChaCha20Poly1305(Key);
            Span<byte> nonce = stackalloc byte[NonceBytes];
            WriteNonce(nonce, _nonce++);
            try
            {
                cipher.Decrypt(nonce, message[..length], message[length..], plaintext[..length], Hash);
            }
            catch (AuthenticationTagMismatchException)
            {
                return false;
            }
        }
        else
        {
            message.CopyTo(plaintext);
        }
        MixHash(message);
        return true;
    }

    /// <summary>The two transport ciphers: the initiator sends with the first.</summary>
    public (NoiseCipher Initiator, NoiseCipher Responder) Split()
    {
        Span<byte> keys = stackalloc byte[2 * HashBytes];
        Derive(ChainingKey, [], keys[..HashBytes], keys[HashBytes..]);
        var ciphers = (new NoiseCipher(keys[..HashBytes]), new NoiseCipher(keys[HashBytes..]));
        CryptographicOperations.ZeroMemory(keys);
        return ciphers;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_secrets);

    /// <summary>The nonce of the BCL's cipher: 4 zero bytes, then the counter little endian (revision 34, section 12.3).</summary>
    public static void WriteNonce(Span<byte> nonce, ulong counter)
    {
        nonce[..4].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce[4..], counter);
    }

    /// <summary>HKDF with two outputs (section 4.3).</summary>
    private static void Derive(ReadOnlySpan<byte> chainingKey, ReadOnlySpan<byte> input, Span<byte> first, Span<byte> second)
    {
        Span<byte> temporary = stackalloc byte[HashBytes];
        HMACSHA256.HashData(chainingKey, input, temporary);
        Span<byte> message = stackalloc byte[HashBytes + 1];
        message[0] = 1;
        HMACSHA256.HashData(temporary, message[..1], first);
        first.CopyTo(message);
        message[HashBytes] = 2;
        HMACSHA256.HashData(temporary, message, second);
        CryptographicOperations.ZeroMemory(temporary);
        CryptographicOperations.ZeroMemory(message);
    }
}
