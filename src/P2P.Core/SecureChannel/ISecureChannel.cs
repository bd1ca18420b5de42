using P2P.Core.Identity;

namespace P2P.Core.SecureChannel;

/// <summary>An authenticated, encrypted byte stream to a known peer. One reader; one writer; both may run at once.</summary>
/// <remarks>Shaped for the hot path: decryption happens in the receive buffer and encryption goes from the muxer's buffer into the send buffer, so no byte is copied here.</remarks>
internal interface ISecureChannel : IAsyncDisposable
{
    /// <summary>Who is at the other end, proven.</summary>
    PeerId RemotePeer { get; }

    /// <summary>Its identity key.</summary>
    PublicKey RemoteKey { get; }

    /// <summary>The muxer agreed during the handshake, or null when it must be negotiated afterwards.</summary>
    string? Muxer { get; }

    /// <summary>Our end.</summary>
    Multiaddress LocalAddress { get; }

    /// <summary>The other end, without a peer id.</summary>
    Multiaddress RemoteAddress { get; }

    /// <summary>The most plaintext that one <see cref="Append"/> takes (bytes).</summary>
    int MaxAppendBytes { get; }

    /// <summary>The next plaintext, at least one byte, borrowed until the next call; empty when the other side has finished.</summary>
    /// <exception cref="Transport.PeerProtocolException">A frame failed its tag or its bounds; the channel is dead.</exception>
    ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Encrypts into the send buffer. Nothing leaves before <see cref="FlushAsync"/>.</summary>
    void Append(ReadOnlySpan<byte> plaintext);

    /// <summary>Bytes in the send buffer; the writer flushes before it grows past <see cref="SendBufferBytes"/>.</summary>
    int UnflushedBytes { get; }

    /// <summary>The size of the send buffer (bytes); an <see cref="Append"/> that does not fit throws.</summary>
    int SendBufferBytes { get; }

    /// <summary>
    /// Sends what was appended. When it returns the buffer may be filled again, while the bytes may still be on their way; a failure of that send
    /// shows at the next call. With nothing appended it waits until what was flushed before has been handed over.
    /// </summary>
    /// <remarks>Once it waits it can only be cut short by <see cref="Abort"/>: half a frame on the wire could not be taken back.</remarks>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Whether bytes of an earlier flush are still on their way; safe to read from any thread.</summary>
    bool IsSending { get; }

    /// <inheritdoc cref="Transport.ITransportConnection.IsSendHeldBack"/>
    bool IsSendHeldBack => false;

    /// <inheritdoc cref="Transport.ITransportConnection.IsReceiveHeldBack"/>
    bool IsReceiveHeldBack => false;

    /// <summary>Closes at once; pending calls fail. <see cref="IAsyncDisposable.DisposeAsync"/> follows when they have returned: it frees the buffers.</summary>
    void Abort();
}
