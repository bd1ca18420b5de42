using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.SecureChannel;

namespace P2P.Core.Muxer;

/// <summary>
/// Many streams over one secure channel, by yamux. Two loops do all the work: one decrypts and hands out what comes (YamuxSession.Read.cs), one encrypts and
/// sends what goes (YamuxSession.Write.cs). A coarse timer keeps the session alive and ends it when it is stuck (YamuxSession.Time.cs).
/// </summary>
internal sealed partial class YamuxSession : IAsyncDisposable
{
    private readonly ISecureChannel _channel;
    private readonly bool _isDialer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ReceiveBudget _budget;
    private readonly AsyncSignal _writeSignal = new();
    private readonly Channel<YamuxStream> _accepted;
    private readonly SemaphoreSlim _unacknowledged;
    private readonly CancellationTokenSource _ended = new(); // not disposed: it holds no timer, and late callers may still look at it
    private readonly TaskCompletionSource<string> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guarded by Gate, as is everything of the scheduler and of each stream's OutgoingState.
    private readonly Dictionary<uint, YamuxStream> _streams = [];
    private uint _nextId;
    private int _inboundStreams;
    private string? _endReason;
    private YamuxGoAway? _farewell;
    private bool _isClosing;
    private bool _isStarted;

    private Task _reading = Task.CompletedTask;
    private Task _writing = Task.CompletedTask;
    private Task _supervising = Task.CompletedTask;
    private long _lastActivity;
    private long _bytesReceived;
    private long _bytesSent;

    /// <param name="channel">Belongs to the session from here on.</param>
    /// <param name="isDialer">Whether we dialed: our streams then have odd ids.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">For the session's end and for refusals.</param>
    /// <param name="alreadyReceived">Plaintext that the muxer's negotiation read beyond its own end; copied.</param>
    public YamuxSession(
        ISecureChannel channel, bool isDialer, YamuxOptions options, TimeProvider time, ILogger logger, ReadOnlyMemory<byte> alreadyReceived = default)
    {
        _channel = channel;
        _batchBytes = Math.Min(FirstBatchBytes, options.MaxBatchBytes);
        _isDialer = isDialer;
        Options = options;
        _time = time;
        _logger = logger;
        _budget = new ReceiveBudget(options.ReceiveBudgetBytes);
        _accepted = Channel.CreateBounded<YamuxStream>(new BoundedChannelOptions(options.AckBacklog) { SingleWriter = true });
        _unacknowledged = new SemaphoreSlim(options.AckBacklog);
        _nextId = isDialer ? 1u : 2u;
        _alreadyReceived = alreadyReceived.ToArray();
        _lastActivity = _lastReceived = time.GetTimestamp();
        Scheduler = new SendScheduler(options);
    }

    /// <summary>Ends, with the reason, when both loops have ended and the channel is closed. Never fails.</summary>
    public Task<string> Completion => _completion.Task;

    /// <summary>Open streams, both sides' (count).</summary>
    public int StreamCount
    {
        get
        {
            lock (Gate)
                return _streams.Count;
        }
    }

    /// <summary>When a stream last carried data or was opened: a timestamp of the clock.</summary>
    public long LastActivity => Volatile.Read(ref _lastActivity);

    /// <summary>Whether what the peer sends waits for our own limit right now.</summary>
    public bool IsReceiveHeldBack => _channel.IsReceiveHeldBack;

    /// <summary>Plaintext received, with headers (bytes).</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>Plaintext sent, with headers (bytes).</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    internal YamuxOptions Options { get; }

    /// <summary>Guards the session's tables, the scheduler and each stream's sending half. Short, innermost: nothing is called out of it that takes another lock.</summary>
    internal Lock Gate { get; } = new();

    internal SendScheduler Scheduler { get; }

    /// <summary>Begins to read and write.</summary>
    public void Start()
    {
        lock (Gate)
        {
            if (_isStarted || _endReason is not null)
                throw new InvalidOperationException("The session was started or ended before.");
            _isStarted = true;
            StartPing();
        }
        _reading = Task.Run(ReadLoopAsync, CancellationToken.None);
        _writing = Task.Run(WriteLoopAsync, CancellationToken.None);
        StartTimer();
        _supervising = Task.Run(SuperviseAsync, CancellationToken.None);
    }

    /// <summary>Opens a stream. Returns without waiting for the peer, unless too many of ours are not acknowledged yet.</summary>
    /// <exception cref="IOException">The session has ended.</exception>
    public async ValueTask<YamuxStream> OpenStreamAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_unacknowledged.Wait(0, CancellationToken.None))
            await WaitForAcknowledgementAsync(cancellationToken).ConfigureAwait(false);
        YamuxStream stream;
        lock (Gate)
        {
            if (_endReason is not null || _isClosing || _nextId > uint.MaxValue - 2)
            {
                _unacknowledged.Release();
                throw new IOException($"no stream can be opened: {_endReason ?? (_isClosing ? "the session is closing" : "the session has used up its stream ids")}");
            }
            stream = NewStream(_nextId, isOutbound: true);
            _nextId += 2;
            stream.Outgoing.OpeningFlags = YamuxFlags.Syn;
            Scheduler.ScheduleControl(stream);
        }
        Touch();
        _writeSignal.Set();
        return stream;
    }

    /// <summary>The next stream that the peer opened, or null when the session has ended. The caller disposes it.</summary>
    public async ValueTask<YamuxStream?> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            while (_accepted.Reader.TryRead(out YamuxStream? stream))
            {
                bool isAlive;
                lock (Gate)
                {
                    isAlive = stream.Outgoing.Failure is null;
                    if (isAlive)
                    {
                        stream.Outgoing.OpeningFlags |= YamuxFlags.Ack;
                        Scheduler.ScheduleControl(stream);
                    }
                }
                if (isAlive)
                {
                    _writeSignal.Set();
                    return stream;
                }
                // Opened and reset before anyone looked.
                await stream.DisposeAsync().ConfigureAwait(false);
            }
        }
        return null;
    }

    /// <summary>Sends what is ready, says goodbye and waits for the end. Streams still open fail.</summary>
    /// <remarks>Cancelling it closes at once.</remarks>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        bool started;
        lock (Gate)
        {
            _isClosing = true;
            started = _isStarted;
        }
        if (!started)
        {
            await DisposeAsync().ConfigureAwait(false);
            return;
        }
        _writeSignal.Set();
        await using (cancellationToken.UnsafeRegister(static session => ((YamuxSession)session!).Abort("closed in haste"), this).ConfigureAwait(false))
            await _supervising.ConfigureAwait(false);
    }

    /// <summary>Ends the session at once, without a word to the peer.</summary>
    public void Abort(string reason)
    {
        End(reason, farewell: null);
        _channel.Abort();
    }

    public async ValueTask DisposeAsync()
    {
        bool started;
        lock (Gate)
        {
            started = _isStarted;
            _isStarted = true;
        }
        Abort("closed by this side");
        if (!started)
            await FinishAsync().ConfigureAwait(false);
        await _supervising.ConfigureAwait(false);
    }

    internal void Publish(YamuxStream stream, SendSlab slab)
    {
        lock (Gate)
        {
            if (stream.Outgoing.Failure is not null)
            {
                SlabPool.Shared.Return(slab);
                return;
            }
            Scheduler.AddSlab(stream, slab);
        }
        Touch();
        _writeSignal.Set();
    }

    internal void AnnounceCredit(YamuxStream stream, int delta)
    {
        lock (Gate)
        {
            if (!stream.Outgoing.IsListed || stream.Outgoing.IsFinReceived)
                return;
            stream.Outgoing.UpdateDelta += (uint)delta;
            Scheduler.ScheduleControl(stream);
        }
        _writeSignal.Set();
    }

    /// <summary>Our direction of the stream ends after what was published.</summary>
    internal void Finish(YamuxStream stream)
    {
        lock (Gate)
        {
            OutgoingState outgoing = stream.Outgoing;
            if (outgoing.Failure is not null || outgoing.IsFinRequested)
                return;
            outgoing.IsFinRequested = true;
            if (outgoing.HasData)
                return;
            Scheduler.ScheduleControl(stream);
        }
        _writeSignal.Set();
    }

    /// <summary>Ends both directions of a stream, whoever wants it.</summary>
    internal void Reset(YamuxStream stream, StreamResetException failure, bool tellPeer)
    {
        bool told = false;
        lock (Gate)
        {
            OutgoingState outgoing = stream.Outgoing;
            if (outgoing.Failure is not null)
                return;
            outgoing.Failure = failure;
            Scheduler.Discard(stream, failure);
            if (tellPeer && outgoing.IsListed && _endReason is null)
            {
                outgoing.IsResetRequested = told = true;
                Scheduler.ScheduleControl(stream);
            }
            Unlist(stream);
        }
        if (told)
        {
            AllowDrain(stream.OutstandingCredit);
            _writeSignal.Set();
        }
        stream.EndReceiving(failure);
    }

    /// <summary>The application is done with a stream.</summary>
    internal void OnDisposed(YamuxStream stream)
    {
        lock (Gate)
        {
            if (stream.Outgoing.DisposedAt == 0)
                stream.Outgoing.DisposedAt = Math.Max(1, _time.GetTimestamp());
            Uncount(stream.Outgoing);
        }
    }

    private async ValueTask WaitForAcknowledgementAsync(CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        try
        {
            await _unacknowledged.WaitAsync(linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"no stream can be opened: {_endReason}", exception);
        }
    }

    /// <summary>Gate is held.</summary>
    private YamuxStream NewStream(uint id, bool isOutbound)
    {
        var stream = new YamuxStream(this, id, isOutbound, new ReceiveWindow(Options, _budget));
        _streams.Add(id, stream);
        return stream;
    }

    /// <summary>Gate is held. The peer may not speak of this stream any more.</summary>
    private void Unlist(YamuxStream stream)
    {
        OutgoingState outgoing = stream.Outgoing;
        if (!outgoing.IsListed)
            return;
        outgoing.IsListed = false;
        _streams.Remove(stream.Id);
        Acknowledge(stream);
        Uncount(outgoing);
    }

    /// <summary>Gate is held.</summary>
    private void Acknowledge(YamuxStream stream)
    {
        if (!stream.IsOutbound || stream.Outgoing.IsAcknowledged)
            return;
        stream.Outgoing.IsAcknowledged = true;
        _unacknowledged.Release();
    }

    /// <summary>
    /// Gate is held. A stream of the peer counts until it is gone from the table and its handler has finished: opening and resetting streams in
    /// quick succession buys no more of our work than keeping them open.
    /// </summary>
    private void Uncount(OutgoingState outgoing)
    {
        if (!outgoing.IsCounted || outgoing.IsListed || outgoing.DisposedAt == 0)
            return;
        outgoing.IsCounted = false;
        _inboundStreams--;
    }

    /// <summary>Gate is held.</summary>
    private void RetireIfDone(YamuxStream stream)
    {
        if (stream.Outgoing is { IsFinSent: true, IsFinReceived: true })
            Unlist(stream);
    }

    /// <summary>The first reason counts. Fails all streams; the writer loop then says goodbye, if that is wanted, and ends.</summary>
    private void End(string reason, YamuxGoAway? farewell)
    {
        YamuxStream[] streams;
        lock (Gate)
        {
            if (_endReason is not null)
                return;
            _endReason = reason;
            _farewell = farewell;
            streams = [.. _streams.Values];
        }
        _accepted.Writer.TryComplete();
        foreach (YamuxStream stream in streams)
            Reset(stream, new StreamResetException($"the connection ended: {reason}"), tellPeer: false);
        FailPing(reason);
        _ended.Cancel();
        _writeSignal.Set();
    }

    /// <summary>Waits for the loops, and a moment for the peer, then closes the channel.</summary>
    private async Task SuperviseAsync()
    {
        await _writing.ConfigureAwait(false);
        bool said;
        lock (Gate)
            said = _farewell is not null;
        try
        {
            await _reading.WaitAsync(said ? Options.CloseGrace : TimeSpan.Zero, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _channel.Abort();
            await _reading.ConfigureAwait(false);
        }
        await FinishAsync().ConfigureAwait(false);
    }

    private async Task FinishAsync()
    {
        StopTimer();
        await _channel.DisposeAsync().ConfigureAwait(false);
        string reason = _endReason!;
        MuxerLog.Ended(_logger, _channel.RemotePeer, reason);
        _completion.TrySetResult(reason);
    }

    private void Touch() => Volatile.Write(ref _lastActivity, _time.GetTimestamp());
}
