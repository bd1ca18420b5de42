using System.Security.Cryptography;

namespace P2P.Core.SecureChannel;

/// <summary>One direction of a channel: the key is fixed, the nonce counts frames.</summary>
internal sealed class NoiseCipher(ReadOnlySpan<byte> key) : IDisposable
{
    public const int TagBytes = NoiseSymmetricState.TagBytes;

    /// <summary>libp2p has no rekeying: a direction ends after this many frames, far below where the nonce would wrap.</summary>
    public const ulong MaxFrames = 1UL << 48;

    private readonly ChaCha20Poly1305 _cipher = new(key);

    /// <summary>Frames so far; settable for the test of the limit.</summary>
    public ulong Frames { get; set; }

    /// <exception cref="IOException">The direction has used up its nonces.</exception>
    public void Encrypt(ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[12];
        NoiseSymmetricState.WriteNonce(nonce, NextFrame());
        _cipher.Encrypt(nonce, plaintext, ciphertext, tag);
    }

    /// <summary>Decrypts in place; false when the tag is wrong.</summary>
    /// <exception cref="IOException">The direction has used up its nonces.</exception>
    public bool TryDecrypt(Span<byte> text, ReadOnlySpan<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[12];
        NoiseSymmetricState.WriteNonce(nonce, NextFrame());
        try
        {
            _cipher.Decrypt(nonce, text, tag, text);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _cipher.Dispose();

    private ulong NextFrame() => Frames < MaxFrames ? Frames++ : throw new IOException("the channel has used up its frame numbers");
}
