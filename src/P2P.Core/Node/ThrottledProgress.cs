namespace P2P.Core.Node;

/// <summary>
/// Hands on at most ten reports a second, the latest wins, and never on the reporter's own thread: a user's callback must not hold up a worker.
/// </summary>
internal sealed class ThrottledProgress<T>(IProgress<T> target, TimeProvider time) : IProgress<T>
    where T : struct
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new(); // guards the fields below
    private T? _due;
    private T? _heldBack;
    private long? _last;
    private bool _reporting;

    public void Report(T value)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            if (_last is { } last && time.GetElapsedTime(last, now) < Interval)
            {
                _heldBack = value;
                return;
            }

            _last = now;
        }

        ReportLast(value);
    }

    /// <summary>Hands on the last report if it came too soon after the one before: call it when no more will come.</summary>
    public void ReportHeldBack()
    {
        T? last;
        lock (_gate)
            last = _heldBack;
        if (last is { } value)
            ReportLast(value);
    }

    /// <summary>Hands the report on whatever the interval.</summary>
    public void ReportLast(T value)
    {
        lock (_gate)
        {
            _due = value;
            _heldBack = null;
            if (_reporting)
                return;
            _reporting = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static self => self.Drain(), this, preferLocal: false);
    }

    /// <summary>One drainer at a time, so that reports keep their order.</summary>
    private void Drain()
    {
        while (true)
        {
            T value;
            lock (_gate)
            {
                if (_due is not { } due)
                {
                    _reporting = false;
                    return;
                }

                value = due;
                _due = null;
            }

            target.Report(value);
        }
    }
}
