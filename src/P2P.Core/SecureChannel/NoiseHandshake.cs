using System.Security.Cryptography;

namespace P2P.Core.SecureChannel;

/// <summary>
/// Noise_XX_25519_ChaChaPoly_SHA256 as a state machine: three messages, written and read in turn. It does no I/O and knows nothing of payloads.
/// </summary>
/// <remarks>Owns the ephemeral key but not the static one. After a false return it must only be disposed.</remarks>
internal sealed class NoiseHandshake(bool isInitiator, ReadOnlySpan<byte> prologue, NoiseKeyPair staticKey, NoiseKeyPair ephemeralKey) : IDisposable
{
    /// <summary>What a message adds to its payload at most: e (32), encrypted s (48), tag of the payload (16).</summary>
    public const int MaxOverheadBytes = 96;

    private const int MessageCount = 3;
    private const int KeyBytes = NoiseKeyPair.KeyBytes;
    private const int EncryptedKeyBytes = KeyBytes + NoiseSymmetricState.TagBytes;

    private readonly NoiseSymmetricState _state = new("Noise_XX_25519_ChaChaPoly_SHA256"u8, prologue);
    private readonly byte[] _remoteStatic = new byte[KeyBytes];
    private readonly byte[] _remoteEphemeral = new byte[KeyBytes];
    private int _message;

    public bool IsFinished => _message == MessageCount;

    /// <summary>The peer's static key; meaningful once it was received (message 2 or 3).</summary>
    public ReadOnlySpan<byte> RemoteStatic => _remoteStatic;

    public ReadOnlySpan<byte> HandshakeHash => _state.HandshakeHash;

    /// <summary>Whether the next message is the first, whose payload is in the clear.</summary>
    public bool IsAtStart => _message == 0;

    private bool IsOurTurn => (_message & 1) == 0 == isInitiator;

    /// <summary>Writes our next message; false when the peer's key makes it impossible.</summary>
    public bool TryWriteMessage(ReadOnlySpan<byte> payload, Span<byte> destination, out int written)
    {
        if (IsFinished || !IsOurTurn)
            throw new InvalidOperationException("It is not our turn to write a handshake message.");
        written = 0;
        switch (_message)
        {
            case 0: // -> e
                WriteEphemeral(destination, ref written);
                break;
            case 1: // <- e, ee, s, es
                WriteEphemeral(destination, ref written);
                if (!TryMix(ephemeralKey, _remoteEphemeral))
                    return false;
                WriteStatic(destination, ref written);
                if (!TryMix(staticKey, _remoteEphemeral))
                    return false;
                break;
            default: // -> s, se
                WriteStatic(destination, ref written);
                if (!TryMix(staticKey, _remoteEphemeral))
                    return false;
                break;
        }
        written += _state.EncryptAndHash(payload, destination[written..]);
        _message++;
        return true;
    }

    /// <summary>Reads the peer's next message; false when it is too short, a tag is wrong or a key is of small order.</summary>
    public bool TryReadMessage(ReadOnlySpan<byte> message, Span<byte> payload, out int payloadLength)
    {
        if (IsFinished || IsOurTurn)
            throw new InvalidOperationException("It is not our turn to read a handshake message.");
        payloadLength = 0;
        switch (_message)
        {
            case 0:
                if (!TryReadEphemeral(ref message))
                    return false;
                break;
            case 1:
                if (!TryReadEphemeral(ref message)
                    || !TryMix(ephemeralKey, _remoteEphemeral)
                    || !TryReadStatic(ref message)
                    || !TryMix(ephemeralKey, _remoteStatic))
                    return false;
                break;
            default:
                if (!TryReadStatic(ref message) || !TryMix(ephemeralKey, _remoteStatic))
                    return false;
                break;
        }
        if (!_state.TryDecryptAndHash(message, payload, out payloadLength))
            return false;
        _message++;
        return true;
    }

    /// <summary>The ciphers of the finished handshake, ours to send with first. The caller disposes them.</summary>
    public (NoiseCipher Send, NoiseCipher Receive) Split()
    {
        if (!IsFinished)
            throw new InvalidOperationException("The handshake is not finished.");
        (NoiseCipher initiator, NoiseCipher responder) = _state.Split();
        return isInitiator ? (initiator, responder) : (responder, initiator);
    }

    public void Dispose()
    {
        ephemeralKey.Dispose();
        _state.Dispose();
    }

    private void WriteEphemeral(Span<byte> destination, ref int written)
    {
        ephemeralKey.PublicKey.CopyTo(destination[written..]);
        _state.MixHash(ephemeralKey.PublicKey);
        written += KeyBytes;
    }

    private void WriteStatic(Span<byte> destination, ref int written) => written += _state.EncryptAndHash(staticKey.PublicKey, destination[written..]);

    private bool TryReadEphemeral(ref ReadOnlySpan<byte> message)
    {
        if (message.Length < KeyBytes)
            return false;
        message[..KeyBytes].CopyTo(_remoteEphemeral);
        _state.MixHash(_remoteEphemeral);
        message = message[KeyBytes..];
        return true;
    }

    private bool TryReadStatic(ref ReadOnlySpan<byte> message)
    {
        if (message.Length < EncryptedKeyBytes || !_state.TryDecryptAndHash(message[..EncryptedKeyBytes], _remoteStatic, out _))
            return false;
        message = message[EncryptedKeyBytes..];
        return true;
    }

    private bool TryMix(NoiseKeyPair own, ReadOnlySpan<byte> remote)
    {
        Span<byte> shared = stackalloc byte[KeyBytes];
        bool agreed = own.TryAgree(remote, shared);
        if (agreed)
            _state.MixKey(shared);
        CryptographicOperations.ZeroMemory(shared);
        return agreed;
    }
}
