namespace P2P.Core.Muxer;

/// <summary>Limits of one yamux session.</summary>
internal sealed record YamuxOptions
{
    /// <summary>The window that both sides of every stream begin with (bytes). Fixed by the protocol.</summary>
    public const int InitialWindowBytes = 256 * 1024;

    /// <summary>The largest receive window of a stream (bytes). Default 16 MiB: a gigabit at 130 ms. Larger holds more unread data of one peer.</summary>
    public int MaxWindowBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Receive credit beyond the initial windows, all streams of the session together (bytes). Default 32 MiB; it bounds the memory that one peer can fill.</summary>
    public long ReceiveBudgetBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>
    /// Bytes of the peer that may lie unread in all streams of the session together. Default 40 MiB: the receive budget and 32 initial windows. A stream whose
    /// data would go beyond is reset: without this, 256 streams that nobody reads yet could hold 64 MiB.
    /// </summary>
    public long MaxUnreadBytes { get; init; } = 40 * 1024 * 1024;

    /// <summary>
    /// Credit is announced after so much was read even when it is less than half the window (bytes). Default 1 MiB: it costs 12 bytes and keeps the
    /// sender's window nearly full.
    /// </summary>
    public int WindowUpdateBytes { get; init; } = 1024 * 1024;

    /// <summary>Streams that the peer may have open (count), counting those whose handler has not finished. Default 256; more are refused.</summary>
    public int MaxInboundStreams { get; init; } = 256;

    /// <summary>Streams opened and not yet acknowledged: ours wait, the peer's are refused (count). Default 256, which go allows too.</summary>
    public int AckBacklog { get; init; } = 256;

    /// <summary>A ping this often finds dead connections and measures the round trip. Default 30 s, as go and js do.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A send without progress, or a ping without answer or any other sign of life, ends the session after this. Default 10 s.</summary>
    public TimeSpan WriteStallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a stream that we finished with waits for the peer's own end before it is reset. Default 10 s.</summary>
    public TimeSpan StreamLinger { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the end of a session waits for the peer to hang up, so that our last words arrive. Default 1 s.</summary>
    public TimeSpan CloseGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What is gathered to be sent at once, and the longest frame (bytes). Default 512 KiB; frames then are as long as the channel allows. Less keeps
    /// what is urgent from waiting on a slow line.
    /// </summary>
    public int MaxBatchBytes { get; init; } = 512 * 1024;

    /// <summary>Outgoing data that a stream may have waiting before its writer must wait (bytes). Default 512 KiB.</summary>
    public int StreamSendBufferBytes { get; init; } = 512 * 1024;

    /// <summary>The same for the session (bytes). Default 1 MiB. A stream with nothing waiting may always add one slab, so that none starves another.</summary>
    public int SessionSendBufferBytes { get; init; } = 1024 * 1024;
}
