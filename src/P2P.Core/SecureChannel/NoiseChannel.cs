using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using P2P.Core.Identity;
using P2P.Core.Transport;

namespace P2P.Core.SecureChannel;

/// <summary>
/// The encrypted stream after the handshake: frames of a 2-byte big-endian length and that many bytes, the last 16 of them the tag.
/// Frames are decrypted where they were received. They are encrypted into one of two send buffers, so that one is filled while the other is sent.
/// </summary>
internal sealed class NoiseChannel : ISecureChannel
{
    private const int LengthBytes = 2;
    private const int MaxFrameBytes = ushort.MaxValue;
    private const int MaxPlaintextBytes = MaxFrameBytes - NoiseCipher.TagBytes;

    /// <summary>Bytes of one send (bytes): large enough to hide the cost of a system call, small enough to stay in the second-level cache.</summary>
    private const int SendBytes = 512 * 1024;

    private static readonly PinnedBufferPool SendBuffers = new(SendBytes, retainedMax: 8);

    private readonly ITransportConnection _connection;
    private readonly NoiseCipher _sendCipher;
    private readonly NoiseCipher _receiveCipher;
    private readonly NoiseReceiveBuffer _received;

    private byte[]? _sendBuffer;
    private ValueTask _sending;
    private volatile bool _isSending;
    private bool _isBroken;
    private bool _disposed;

    public NoiseChannel(
        ITransportConnection connection,
        NoiseCipher sendCipher,
        NoiseCipher receiveCipher,
        NoiseReceiveBuffer received,
        PublicKey remoteKey,
        PeerId remotePeer,
        string? muxer)
    {
        _connection = connection;
        _sendCipher = sendCipher;
        _receiveCipher = receiveCipher;
        _received = received;
        _received.MayGrow = true;
        RemoteKey = remoteKey;
        RemotePeer = remotePeer;
        Muxer = muxer;
    }

    public PeerId RemotePeer { get; }

    public PublicKey RemoteKey { get; }

    public string? Muxer { get; }

    public Multiaddress LocalAddress => _connection.LocalAddress;

    public Multiaddress RemoteAddress => _connection.RemoteAddress;

    public int MaxAppendBytes => MaxPlaintextBytes;

    public int UnflushedBytes { get; private set; }

    public int SendBufferBytes => SendBytes;

    public bool IsSending => _isSending;

    public bool IsSendHeldBack => _connection.IsSendHeldBack;

    public bool IsReceiveHeldBack => _connection.IsReceiveHeldBack;

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken) =>
        TryDecryptNext(out ReadOnlyMemory<byte> plaintext) ? new(plaintext) : ReceiveAsync(cancellationToken);

    public void Append(ReadOnlySpan<byte> plaintext)
    {
        int frame = LengthBytes + plaintext.Length + NoiseCipher.TagBytes;
        if (plaintext.Length > MaxPlaintextBytes || UnflushedBytes + frame > SendBytes)
            throw new ArgumentException($"{plaintext.Length} bytes do not fit.", nameof(plaintext));
        _sendBuffer ??= SendBuffers.Rent();
        Span<byte> target = _sendBuffer.AsSpan(UnflushedBytes, frame);
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)(frame - LengthBytes));
        _sendCipher.Encrypt(plaintext, target.Slice(LengthBytes, plaintext.Length), target[^NoiseCipher.TagBytes..]);
        UnflushedBytes += frame;
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_sending.IsCompleted)
            return FlushAfterAsync();
        FinishSending();
        StartSending();
        return ValueTask.CompletedTask;
    }

    public void Abort() => _connection.Abort();

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _connection.DisposeAsync().ConfigureAwait(false);
        try
        {
            await _sending.ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The connection is gone, and with it whoever wanted these bytes.
        }
        _sending = default;
        if (_sendBuffer is not null)
            SendBuffers.Return(_sendBuffer);
        _sendBuffer = null;
        _received.Release();
        _sendCipher.Dispose();
        _receiveCipher.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> plaintext;
        do
        {
            int got = await _connection.ReceiveAsync(_received.MakeRoom(NextFrameBytes()), cancellationToken).ConfigureAwait(false);
            if (got == 0)
            {
                return _received.Pending.IsEmpty
                    ? ReadOnlyMemory<byte>.Empty
                    : throw Break("the connection ended within a frame");
            }
            _received.Added(got);
        }
        while (!TryDecryptNext(out plaintext));
        return plaintext;
    }

    /// <summary>Skips empty frames: they are legal and mean nothing.</summary>
    private bool TryDecryptNext(out ReadOnlyMemory<byte> plaintext)
    {
        if (_isBroken)
            throw new PeerProtocolException("the channel is broken");
        plaintext = default;
        while (true)
        {
            Span<byte> pending = _received.Pending;
            if (pending.Length < LengthBytes)
                return false;
            int length = BinaryPrimitives.ReadUInt16BigEndian(pending);
            if (length < NoiseCipher.TagBytes)
                throw Break("a frame is too short for its tag");
            if (pending.Length < LengthBytes + length)
                return false;
            int textLength = length - NoiseCipher.TagBytes;
            if (!_receiveCipher.TryDecrypt(pending.Slice(LengthBytes, textLength), pending.Slice(LengthBytes + textLength, NoiseCipher.TagBytes)))
                throw Break("a frame does not verify");
            plaintext = _received.Slice(LengthBytes, textLength);
            _received.Consume(LengthBytes + length);
            if (textLength > 0)
                return true;
        }
    }

    private int NextFrameBytes()
    {
        Span<byte> pending = _received.Pending;
        return pending.Length < LengthBytes ? LengthBytes : LengthBytes + BinaryPrimitives.ReadUInt16BigEndian(pending);
    }

    private PeerProtocolException Break(string reason)
    {
        _isBroken = true;
        _connection.Abort();
        return new PeerProtocolException(reason);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FlushAfterAsync()
    {
        ValueTask sending = _sending;
        _sending = default;
        await sending.ConfigureAwait(false);
        StartSending();
    }

    private void FinishSending()
    {
        ValueTask sending = _sending;
        _sending = default; // a ValueTask is awaited once, whatever comes of it
        sending.GetAwaiter().GetResult();
    }

    private void StartSending()
    {
        if (_sendBuffer is not { } buffer)
            return;
        int count = UnflushedBytes;
        _sendBuffer = null;
        UnflushedBytes = 0;
#pragma warning disable CA2012 // kept in one field, awaited once by the flush or the disposal that takes it out
        _sending = SendAndReturnAsync(buffer, count);
#pragma warning restore CA2012
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendAndReturnAsync(byte[] buffer, int count)
    {
        Debug.Assert(!_isSending, "one send at a time");
        _isSending = true;
        try
        {
            await _connection.SendAsync(buffer.AsMemory(0, count), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _isSending = false;
            SendBuffers.Return(buffer);
        }
    }
}
