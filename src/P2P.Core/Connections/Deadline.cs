namespace P2P.Core.Connections;

/// <summary>A token that ends with another one or after a time, whichever comes first.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _linked;
    private readonly CancellationToken _outer;

    public Deadline(TimeSpan after, TimeProvider time, CancellationToken cancellationToken)
    {
        _outer = cancellationToken;
        _timer = new CancellationTokenSource(after, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancellationToken);
    }

    public CancellationToken Token => _linked.Token;

    /// <summary>Whether it ended because the time is up, and not because the other token ended.</summary>
    public bool IsOver => _timer.IsCancellationRequested && !_outer.IsCancellationRequested;

    public void Dispose()
    {
        _linked.Dispose();
        _timer.Dispose();
    }
}
