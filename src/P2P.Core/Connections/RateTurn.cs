using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace P2P.Core.Connections;

/// <summary>The place of one direction of one connection at a <see cref="RateLimit"/>. One user at a time; it allocates nothing after it was made.</summary>
internal sealed class RateTurn : IValueTaskSource
{
    private readonly RateLimit _limit;
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;

    // Guarded by the limit's Gate.
    private ManualResetValueTaskSourceCore<bool> _served = new() { RunContinuationsAsynchronously = true };
    private int _used; // of the turn that it has
    private bool _isQueued;
    private volatile bool _isAwaited;
    private bool _hasEnded;

    public RateTurn(RateLimit limit)
    {
        _limit = limit;
        Place = new LinkedListNode<RateTurn>(this);
    }

    /// <summary>Whether somebody waits for it right now; safe to read from any thread.</summary>
    public bool IsAwaited => _isAwaited;

    /// <summary>What is left of the turn that it has (bytes).</summary>
    public int LeftBytes => _limit.TurnBytes - _used;

    /// <summary>Its place in the queue.</summary>
    internal LinkedListNode<RateTurn> Place { get; }

    /// <summary>So much has crossed. When the turn is used up it is paid for at once, or in the queue, where the next <see cref="WaitAsync"/> waits for it.</summary>
    public void Use(int bytes)
    {
        lock (_limit.Gate)
        {
            Debug.Assert(!_isQueued && bytes <= LeftBytes, "a turn is used once it is there, and no more than it is");
            _used += bytes;
            if (_hasEnded)
            {
                _limit.Pay(bytes);
            }
            else if (LeftBytes == 0)
            {
                _isQueued = !_limit.TryPay(this, _used);
                _used = _isQueued ? _used : 0;
            }
        }
    }

    /// <summary>Until there is a turn, which means that the last one is paid for.</summary>
    /// <exception cref="IOException">The connection was closed.</exception>
    /// <remarks>Safe to cancel: it stays in the queue for the next call.</remarks>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        ValueTask wait;
        lock (_limit.Gate)
        {
            if (_hasEnded)
            {
                return ValueTask.FromException(Closed());
            }

            if (!_isQueued)
            {
                return ValueTask.CompletedTask;
            }

            _served.Reset();
            _isAwaited = true;
            _token = cancellationToken;
            wait = new ValueTask(this, _served.Version);
        }

        _registration = cancellationToken.UnsafeRegister(static turn => ((RateTurn)turn!).OnCancelled(), this);
        return wait;
    }

    /// <summary>The connection is closed: nobody waits any more. Idempotent.</summary>
    public void End()
    {
        lock (_limit.Gate)
        {
            if (_hasEnded)
            {
                return;
            }

            _hasEnded = true;
            if (_isQueued)
            {
                _isQueued = false;
                _limit.Leave(this);
            }

            _limit.Pay(_used); // it has crossed all the same
            if (_isAwaited)
            {
                _isAwaited = false;
                _served.SetException(Closed());
            }
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        _served.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _served.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _served.OnCompleted(continuation, state, token, flags);

    /// <summary>Gate is held. Its turn has come, and it is no longer in the queue.</summary>
    /// <returns>What it pays.</returns>
    internal int OnServed()
    {
        int paid = _used;
        _used = 0;
        _isQueued = false;
        if (_isAwaited)
        {
            _isAwaited = false;
            _served.SetResult(true);
        }

        return paid;
    }

    private static IOException Closed() => new("connection closed");

    private void OnCancelled()
    {
        lock (_limit.Gate)
        {
            if (_isAwaited)
            {
                _isAwaited = false;
                _served.SetException(new OperationCanceledException(_token));
            }
        }
    }
}
