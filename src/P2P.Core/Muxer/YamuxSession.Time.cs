namespace P2P.Core.Muxer;

/// <summary>What the session does by the clock: pings, the round trip, and ending what is stuck.</summary>
internal sealed partial class YamuxSession
{
    private ITimer? _timer;
    private long _lastHeldBack; // only the timer looks at it

    // Guarded by Gate.
    private TaskCompletionSource<TimeSpan>? _ping;
    private uint _pingValue;
    private long _pingSentAt = -1; // not sent yet
    private long _pingWantedAt;

    private long _roundTrip = -1;

    /// <summary>As measured by the last ping; null before the first answer.</summary>
    public TimeSpan? RoundTripTime => Volatile.Read(ref _roundTrip) is >= 0 and var ticks ? _time.GetElapsedTime(0, ticks) : null;

    /// <summary>Now and four round trips, in the clock's units, for the receive windows.</summary>
    internal (long Now, long FourRoundTrips) WindowClock => (_time.GetTimestamp(), Math.Max(0, 4 * Volatile.Read(ref _roundTrip)));

    /// <summary>Measures the round trip. Concurrent calls share one ping.</summary>
    /// <exception cref="IOException">The session ended before the answer came.</exception>
    public Task<TimeSpan> PingAsync(CancellationToken cancellationToken)
    {
        Task<TimeSpan> answer;
        lock (Gate)
        {
            if (_endReason is not null)
                return Task.FromException<TimeSpan>(new IOException($"the connection ended: {_endReason}"));
            StartPing();
            answer = _ping!.Task;
        }
        _writeSignal.Set();
        return answer.WaitAsync(cancellationToken);
    }

    /// <summary>Gate is held.</summary>
    private void StartPing()
    {
        if (_ping is not null)
            return;
        _ping = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pingWantedAt = _time.GetTimestamp();
        _pingSentAt = -1;
        Scheduler.AddPing(++_pingValue);
    }

    private void OnPong(uint value)
    {
        TaskCompletionSource<TimeSpan>? ping;
        TimeSpan roundTrip;
        lock (Gate)
        {
            // Answers that nobody asked for are ignored.
            if (_ping is null || value != _pingValue || _pingSentAt < 0)
                return;
            long elapsed = _time.GetTimestamp() - _pingSentAt;
            Volatile.Write(ref _roundTrip, elapsed);
            roundTrip = _time.GetElapsedTime(0, elapsed);
            ping = _ping;
            _ping = null;
        }
        ping.TrySetResult(roundTrip);
    }

    private void FailPing(string reason)
    {
        TaskCompletionSource<TimeSpan>? ping;
        lock (Gate)
        {
            ping = _ping;
            _ping = null;
        }
        if (ping is null)
            return;
        ping.TrySetException(new IOException($"the connection ended: {reason}"));
        GC.KeepAlive(ping.Task.Exception); // observed: the keep-alive's own pings have nobody waiting
    }

    /// <summary>A quarter of the shortest time watched, so that nothing is found more than a quarter late.</summary>
    private void StartTimer()
    {
        TimeSpan period = Min(Min(Options.WriteStallTimeout, Options.StreamLinger), Options.KeepAliveInterval) / 4;
        _timer = _time.CreateTimer(static session => ((YamuxSession)session!).OnTick(), this, period, period);
    }

    private void StopTimer() => _timer?.Dispose();

    private void OnTick()
    {
        long now = _time.GetTimestamp();
        if (_channel.IsSendHeldBack)
            Volatile.Write(ref _lastWriteProgress, now); // by our own limit: the peer is not to blame
        else if ((_isFlushing || _channel.IsSending) && HasPassed(Volatile.Read(ref _lastWriteProgress), Options.WriteStallTimeout, now))
        {
            Abort($"a send made no progress for {Options.WriteStallTimeout.TotalSeconds:0.#} s");
            return;
        }
        if (_channel.IsSendHeldBack || _channel.IsReceiveHeldBack)
            _lastHeldBack = now; // a ping may not have left yet, or its answer not have been read
        bool isDead = false;
        bool isPingDue = _channel.IsReceiveHeldBack;
        List<YamuxStream>? left = null;
        lock (Gate)
        {
            if (_endReason is not null)
                return;
            if (isPingDue)
                Scheduler.AddPing(_pingValue); // the last one again: the peer's own waits here unread, and a word of ours is its answer too
            if (_ping is null)
            {
                if (HasPassed(_pingWantedAt, Options.KeepAliveInterval, now))
                {
                    StartPing();
                    isPingDue = true;
                }
            }
            else if (_pingSentAt >= 0)
            {
                // Other bytes that keep coming are a sign of life too: on a full link the answer queues behind them.
                isDead = HasPassed(Math.Max(_lastHeldBack, Math.Max(_pingSentAt, Volatile.Read(ref _lastReceived))), Options.WriteStallTimeout, now);
            }
            foreach (YamuxStream stream in _streams.Values)
            {
                if (stream.Outgoing.DisposedAt != 0 && HasPassed(stream.Outgoing.DisposedAt, Options.StreamLinger, now))
                    (left ??= []).Add(stream);
            }
        }
        if (isDead)
        {
            Abort($"no sign of life for {Options.WriteStallTimeout.TotalSeconds:0.#} s");
            return;
        }
        foreach (YamuxStream stream in left ?? [])
            Reset(stream, new StreamResetException("the stream was left"), tellPeer: true);
        if (isPingDue)
            _writeSignal.Set();
    }

    private bool HasPassed(long since, TimeSpan time, long now) => _time.GetElapsedTime(since, now) >= time;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
