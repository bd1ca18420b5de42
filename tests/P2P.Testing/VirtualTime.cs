namespace P2P.Testing;

/// <summary>A clock that moves only when told to. Timers fire in order while it moves, on the thread that moves it.</summary>
/// <remarks>Work that a timer starts on the thread pool takes real time: move the clock in steps and let it settle, see <see cref="AdvanceAsync"/>.</remarks>
public sealed class VirtualTime : TimeProvider
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly PriorityQueue<VirtualTimer, (long Due, long Order)> _timers = new();
    private readonly DateTimeOffset _start;
    private long _now; // ticks of 100 ns since the start
    private long _order;

    /// <summary>Creates a clock.</summary>
    /// <param name="start">The date it shows first; by default the first of January 2030.</param>
    public VirtualTime(DateTimeOffset? start = null) => _start = start ?? new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How far it was moved.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(GetTimestamp());

    /// <summary>Timers that wait for the clock, for example delays under way.</summary>
    public int PendingTimers
    {
        get
        {
            lock (_gate)
            {
                return _timers.UnorderedItems.Count(item => item.Element.IsDueAt(item.Priority.Due));
            }
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start + Elapsed;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        VirtualTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock, firing what falls due on the way, each at its own time.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        long target = GetTimestamp() + by.Ticks;
        while (true)
        {
            VirtualTimer? timer;
            lock (_gate)
            {
                if (!_timers.TryPeek(out timer, out (long Due, long Order) at) || at.Due > target)
                {
                    _now = Math.Max(_now, target);
                    return;
                }

                _timers.Dequeue();
                if (!timer.IsDueAt(at.Due))
                {
                    continue; // changed or disposed since
                }

                _now = Math.Max(_now, at.Due);
                timer.Rearm(at.Due);
            }

            timer.Fire();
        }
    }

    /// <summary>Moves the clock in steps and lets the thread pool settle after each.</summary>
    /// <param name="by">How far in all.</param>
    /// <param name="step">How far at once; by default a tenth of it.</param>
    public async Task AdvanceAsync(TimeSpan by, TimeSpan? step = null)
    {
        TimeSpan left = by;
        TimeSpan each = step ?? by / 10;
        while (left > TimeSpan.Zero)
        {
            TimeSpan now = left < each ? left : each;
            Advance(now);
            left -= now;
            await Task.Delay(5).ConfigureAwait(false);
        }
    }

    /// <summary>Moves the clock until something has become true.</summary>
    /// <param name="condition">Asked after each step.</param>
    /// <param name="step">How far at once.</param>
    /// <param name="limit">How far at most.</param>
    /// <exception cref="TimeoutException">It did not become true.</exception>
    public async Task AdvanceUntilAsync(Func<bool> condition, TimeSpan step, TimeSpan limit)
    {
        ArgumentNullException.ThrowIfNull(condition);
        for (TimeSpan moved = TimeSpan.Zero; !condition(); moved += step)
        {
            if (moved > limit)
            {
                throw new TimeoutException($"It did not become true within {limit} of virtual time.");
            }

            Advance(step);
            await Task.Delay(5).ConfigureAwait(false);
        }
    }

    private sealed class VirtualTimer(VirtualTime owner, TimerCallback callback, object? state) : ITimer
    {
        private TimerCallback? _callback = callback;
        private object? _state = state;
        private long _due = -1;
        private long _period = -1;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._gate)
            {
                _period = period > TimeSpan.Zero ? period.Ticks : -1;
                Arm(dueTime < TimeSpan.Zero ? -1 : owner._now + dueTime.Ticks);
            }

            return true;
        }

        /// <summary>Whether an entry of the queue is still meant; called under the lock.</summary>
        public bool IsDueAt(long due) => _due == due;

        /// <summary>Prepares the next tick, if any; called under the lock.</summary>
        public void Rearm(long firedAt) => Arm(_period < 0 ? -1 : firedAt + _period);

        public void Fire() => _callback?.Invoke(_state);

        public void Dispose() => Stop();

        public ValueTask DisposeAsync()
        {
            Stop();
            return ValueTask.CompletedTask;
        }

        private void Stop()
        {
            lock (owner._gate)
            {
                _due = _period = -1;
                (_callback, _state) = (null, null); // the queue keeps the timer until its time, which must not keep all that it belongs to
            }
        }

        private void Arm(long due)
        {
            _due = due;
            if (due >= 0)
            {
                owner._timers.Enqueue(this, (due, owner._order++));
            }
        }
    }
}
