using System.IO.Pipelines;

namespace P2P.Core.Muxer;

/// <summary>One stream of a session: bytes in order, both ways, each way ended on its own.</summary>
/// <remarks>
/// Whoever opened or accepted a stream disposes it. A reset shows as <see cref="StreamResetException"/> from <see cref="Input"/> and <see cref="Output"/>.
/// Two states live here: what goes out belongs to the session's scheduler and its lock, what comes in is guarded by the stream's own.
/// </remarks>
internal sealed class YamuxStream : IAsyncDisposable
{
    private readonly YamuxSession _session;
    private readonly YamuxStreamInput _input;
    private readonly YamuxStreamOutput _output;
    private readonly Pipe _pipe;
    private readonly Lock _receiveGate = new(); // guards the writing end of _pipe, _window and the four fields below
    private readonly ReceiveWindow _window;
    private long _unread;
    private int _segmentLeft;
    private bool _receiveEnded;
    private bool _readerGone;

    public YamuxStream(YamuxSession session, uint id, bool isOutbound, ReceiveWindow window)
    {
        _session = session;
        _window = window;
        Id = id;
        IsOutbound = isOutbound;
        // The receive window is the bound, so the pipe has none of its own. Readers resume on the pool, never on the session's loop.
        _pipe = new Pipe(new PipeOptions(
            SlabPool.Shared, PipeScheduler.ThreadPool, PipeScheduler.ThreadPool, pauseWriterThreshold: 0, resumeWriterThreshold: 0, SendSlab.SmallBytes, useSynchronizationContext: false));
        _input = new YamuxStreamInput(this, _pipe.Reader);
        _output = new YamuxStreamOutput(session, this);
        Outgoing = new OutgoingState(_output);
    }

    public uint Id { get; }

    /// <summary>Whether we opened it.</summary>
    public bool IsOutbound { get; }

    /// <summary>What the peer sends. Reading makes room for more.</summary>
    public PipeReader Input => _input;

    /// <summary>What we send. Memory taken from it is the frame that goes out; flushing waits while too much is unsent; completing it ends our direction.</summary>
    public PipeWriter Output => _output;

    /// <summary>Bytes that have been taken to be sent.</summary>
    public long SentBytes
    {
        get
        {
            lock (_session.Gate)
                return Outgoing.SentBytes;
        }
    }

    /// <summary>Whether the peer takes more: what waits then waits for the line, whose stalls the session watches.</summary>
    public bool HasSendCredit
    {
        get
        {
            lock (_session.Gate)
                return Outgoing.Window.Credit > 0;
        }
    }

    /// <summary>The sending half, for the session's scheduler.</summary>
    public OutgoingState Outgoing { get; }

    /// <summary>Cuts the stream off in both directions; what is not sent yet is dropped.</summary>
    public void Reset() => _session.Reset(this, new StreamResetException("the stream was reset by this side"), tellPeer: true);

    /// <summary>
    /// Lets the peer send this much before we read any of it, at once instead of after a ramp; sized by what was asked of the peer and cut to the
    /// session's limits.
    /// </summary>
    public void GrantReceiveWindow(int bytes)
    {
        int delta;
        lock (_receiveGate)
            delta = _receiveEnded ? 0 : _window.Grant(bytes);
        if (delta > 0)
            _session.AnnounceCredit(this, delta);
    }

    /// <summary>
    /// Ends our direction after what was flushed, unless that was done. A peer that has not finished gets a reset if it goes on sending or stays silent for
    /// long: a reset at once could overtake, at its end, our last words.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await _output.CompleteAsync().ConfigureAwait(false);
        await _input.CompleteAsync().ConfigureAwait(false);
        _session.OnDisposed(this);
    }

    /// <summary>A data frame begins. False when it exceeds the window.</summary>
    internal bool TryReceive(uint length)
    {
        lock (_receiveGate)
            return _window.TryReceive(length);
    }

    /// <summary>Takes over a piece of a data frame, or says why not.</summary>
    internal Delivery Deliver(ReadOnlySpan<byte> payload)
    {
        lock (_receiveGate)
        {
            if (_receiveEnded || _readerGone)
                return Delivery.Unwanted;
            if (!_session.TryHoldUnread(payload.Length))
                return Delivery.TooMuch;
            _unread += payload.Length;
            PipeWriter writer = _pipe.Writer;
            while (!payload.IsEmpty)
            {
                // A new segment is as large as what there is to put into it, so that streams of short messages stay small.
                Memory<byte> memory = writer.GetMemory(_segmentLeft > 0 ? 0 : Math.Min(payload.Length, SlabPool.Shared.MaxBufferSize));
                int count = Math.Min(memory.Length, payload.Length);
                payload[..count].CopyTo(memory.Span);
                writer.Advance(count);
                _segmentLeft = memory.Length - count;
                payload = payload[count..];
            }
            Publish(writer);
            return Delivery.Done;
        }
    }

    /// <summary>The peer has finished, or (with an exception) everything has.</summary>
    internal void EndReceiving(Exception? exception)
    {
        lock (_receiveGate)
        {
            if (_receiveEnded)
                return;
            _receiveEnded = true;
            _window.Close();
            _pipe.Writer.Complete(exception);
        }
    }

    /// <summary>What is still granted to the peer, which may be on its way.</summary>
    internal long OutstandingCredit
    {
        get
        {
            lock (_receiveGate)
                return _window.Available;
        }
    }

    internal void OnConsumed(long bytes)
    {
        if (bytes == 0)
            return;
        (long now, long fourRoundTrips) = _session.WindowClock;
        int delta;
        lock (_receiveGate)
        {
            delta = _window.OnConsumed(bytes, now, fourRoundTrips);
            _unread -= bytes;
            _session.ReleaseUnread(bytes);
            if (_receiveEnded || _readerGone)
                return;
        }
        if (delta > 0)
            _session.AnnounceCredit(this, delta);
    }

    internal void OnReaderCompleted()
    {
        lock (_receiveGate)
        {
            _readerGone = true;
            _session.ReleaseUnread(_unread);
            _unread = 0;
            // both ends completed is what gives the pipe's memory back: a stream that was left may linger, what it holds must not
            _pipe.Writer.Complete();
        }
    }

    /// <summary>What became of a piece of data.</summary>
    internal enum Delivery
    {
        /// <summary>It waits for the reader.</summary>
        Done,

        /// <summary>Nobody will read it.</summary>
        Unwanted,

        /// <summary>The session holds too much that was not read.</summary>
        TooMuch,
    }

    private static void Publish(PipeWriter writer)
    {
        // Without a pause threshold it completes at once; a reader that is gone shows in _readerGone.
        ValueTask<FlushResult> flush = writer.FlushAsync(CancellationToken.None);
        if (!flush.IsCompletedSuccessfully)
            throw new System.Diagnostics.UnreachableException();
        _ = flush.GetAwaiter().GetResult();
    }
}
