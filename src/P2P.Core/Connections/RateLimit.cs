namespace P2P.Core.Connections;

/// <summary>
/// One direction of the line, shared by all connections that are limited: bytes a second, handed out in turns, first come first served.
/// A turn is paid for when it is used up, so that a connection that was silent gets its first bytes through at once, however long the queue is.
/// </summary>
/// <remarks>
/// A bucket of tokens that may go into debt by what one turn takes. A turn is an amount that takes the line a 64th of a second: with 256 connections
/// waiting each gets one every 4 s, well within the times after which peers take a silent connection for dead.
/// </remarks>
internal sealed class RateLimit : IDisposable
{
    /// <summary>What crosses at once after a pause (bytes), when a quarter of a second brings less.</summary>
    public const int MinBurstBytes = 64 * 1024;

    /// <summary>The bounds of a turn (bytes): below, headers and system calls outweigh what they carry; above, one turn is felt by the others.</summary>
    private const int MinTurnBytes = 1024, MaxTurnBytes = 64 * 1024;

    /// <summary>Timers of the system count milliseconds; what is due sooner waits for the next.</summary>
    private static readonly TimeSpan MinPause = TimeSpan.FromMilliseconds(1);

    private readonly TimeProvider _time;
    private readonly double _bytesPerTick;
    private readonly double _burst;
    private readonly ITimer _timer;
    private readonly LinkedList<RateTurn> _waiting = []; // guarded by Gate, like the fields below
    private double _balance;
    private long _countedAt;
    private bool _isArmed;

    /// <param name="bytesPerSecond">The rate, at least 1.</param>
    /// <param name="time">The clock.</param>
    public RateLimit(long bytesPerSecond, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, 1);
        _time = time;
        _bytesPerTick = bytesPerSecond / (double)time.TimestampFrequency;
        _balance = _burst = Math.Max(bytesPerSecond / 4.0, MinBurstBytes);
        _countedAt = time.GetTimestamp();
        TurnBytes = (int)Math.Clamp(bytesPerSecond / 64, MinTurnBytes, MaxTurnBytes);
        _timer = time.CreateTimer(static limit => ((RateLimit)limit!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The most that a connection sends or receives in one turn (bytes).</summary>
    public int TurnBytes { get; }

    /// <summary>Guards this and the state of every turn.</summary>
    public Lock Gate { get; } = new();

    public void Dispose() => _timer.Dispose();

    /// <summary>Gate is held. Pays, or queues the turn until it can.</summary>
    /// <returns>Whether it is paid.</returns>
    internal bool TryPay(RateTurn turn, int bytes)
    {
        Count();
        if (_waiting.Count == 0 && _balance > 0)
        {
            _balance -= bytes;
            return true;
        }

        _waiting.AddLast(turn.Place);
        Arm();
        return false;
    }

    /// <summary>Gate is held. Pays without a turn.</summary>
    internal void Pay(int bytes) => _balance -= bytes;

    /// <summary>Gate is held. Takes a turn out of the queue.</summary>
    internal void Leave(RateTurn turn) => _waiting.Remove(turn.Place);

    private void OnTimer()
    {
        lock (Gate)
        {
            _isArmed = false;
            Count();
            while (_balance > 0 && _waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                _balance -= first.Value.OnServed();
            }

            if (_waiting.Count > 0)
            {
                Arm();
            }
        }
    }

    private void Count()
    {
        long now = _time.GetTimestamp();
        _balance = Math.Min(_burst, _balance + ((now - _countedAt) * _bytesPerTick));
        _countedAt = now;
    }

    private void Arm()
    {
        if (_isArmed)
        {
            return;
        }

        _isArmed = true;
        double milliseconds = (1 - Math.Min(_balance, 0)) / _bytesPerTick / _time.TimestampFrequency * 1000;
        TimeSpan pause = TimeSpan.FromMilliseconds(Math.Ceiling(milliseconds));
        _timer.Change(pause > MinPause ? pause : MinPause, Timeout.InfiniteTimeSpan);
    }
}
