namespace P2P.Core.Muxer;

/// <summary>What one stream has to send, and how far it has come. Guarded by its session's lock.</summary>
internal sealed class OutgoingState(YamuxStreamOutput output)
{
    /// <summary>The stream's writer, to be woken when there is room again.</summary>
    public YamuxStreamOutput Output { get; } = output;

    /// <summary>Published and not yet sent, in order. The one being sent is not in it.</summary>
    public Queue<SendSlab> Slabs { get; } = new();

    /// <summary>Taken up by the writer loop and not used up; goes on first.</summary>
    public SendSlab? Head { get; set; }

    /// <summary>Whether the writer loop is encrypting from <see cref="Head"/> right now, so that nobody else may recycle it.</summary>
    public bool IsHeadTaken { get; set; }

    /// <summary>Memory of all its slabs (bytes).</summary>
    public int BufferedBytes { get; set; }

    public SendWindow Window = new();

    /// <summary>Bytes that have been taken to be sent.</summary>
    public long SentBytes { get; set; }

    /// <summary>Credit to announce to the peer (bytes).</summary>
    public uint UpdateDelta { get; set; }

    /// <summary>SYN or ACK, to go with the next frame.</summary>
    public YamuxFlags OpeningFlags { get; set; }

    public bool IsFinRequested { get; set; }

    public bool IsFinSent { get; set; }

    public bool IsResetRequested { get; set; }

    /// <summary>Why nothing can be sent any more.</summary>
    public StreamResetException? Failure { get; set; }

    public bool IsInControlQueue { get; set; }

    /// <summary>Whether its writer is listed as waiting for other streams' bytes to go.</summary>
    public bool IsListedWaiter { get; set; }

    public bool IsInDataQueue { get; set; }

    /// <summary>Whether our SYN was acknowledged (streams that we opened).</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>Whether the peer's FIN has come.</summary>
    public bool IsFinReceived { get; set; }

    /// <summary>Whether the session's table still holds the stream.</summary>
    public bool IsListed { get; set; } = true;

    /// <summary>When the application was done with it; 0 before.</summary>
    public long DisposedAt { get; set; }

    /// <summary>Whether it still counts against the limit on the peer's streams.</summary>
    public bool IsCounted { get; set; }

    public bool HasData => Head is not null || Slabs.Count > 0;

    public bool CanSendData => HasData && Window.Credit > 0 && !IsHeadTaken && Failure is null;
}
