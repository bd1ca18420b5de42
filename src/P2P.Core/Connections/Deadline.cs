namespace P2P.Core.Connections;

/// <summary>A token that ends with another one or after a time, whichever comes first.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly TimeSpan _after;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _linked;
    private readonly CancellationToken _outer;

    public Deadline(TimeSpan after, TimeProvider time, CancellationToken cancellationToken)
    {
        _after = after;
        _outer = cancellationToken;
        _timer = new CancellationTokenSource(after, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancellationToken);
    }

    public CancellationToken Token => _linked.Token;

    /// <summary>Whether it ended because the time is up, and not because the other token ended.</summary>
    public bool IsOver => _timer.IsCancellationRequested && !_outer.IsCancellationRequested;

    /// <summary>Begins anew, with the whole time, unless it is over.</summary>
    public void Restart() => _timer.CancelAfter(_after);

    /// <summary>Lets no time pass until <see cref="Restart"/>.</summary>
    public void Pause() => _timer.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _linked.Dispose();
        _timer.Dispose();
    }
}
