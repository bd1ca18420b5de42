using System.Diagnostics.CodeAnalysis;


namespace P2P.Core.Connections;

/// <summary>One dial of one peer, shared by all who ask for that peer meanwhile. It is canceled when the last of them has gone.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Neither source has a timer or a handle, and waiters may cancel them after the dial has ended.")]
internal sealed class DialJob(PeerId peer, DialPurpose purpose)
{
    private readonly TaskCompletionSource<Connection> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _unwanted = new();
    private readonly CancellationTokenSource _satisfied = new();
    private readonly Lock _gate = new(); // guards everything below
    private readonly List<KnownAddress> _offered = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiters;
    private DialPurpose _purpose = purpose;

    /// <summary>The peer to reach.</summary>
    public PeerId Peer => peer;

    /// <summary>Awaited as soon as one who asks is.</summary>
    public DialPurpose Purpose
    {
        get
        {
            lock (_gate)
            {
                return _purpose;
            }
        }
    }

    /// <summary>The connection, dialed or come in meanwhile.</summary>
    public Task<Connection> Result => _result.Task;

    /// <summary>Canceled when nobody waits any more.</summary>
    public CancellationToken Unwanted => _unwanted.Token;

    /// <summary>Canceled when the peer is connected in another way: start nothing more, but finish a handshake under way, for the peer may count on it.</summary>
    public CancellationToken Satisfied => _satisfied.Token;

    /// <summary>Ends when addresses were offered.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>One more waits; false when the job is being given up.</summary>
    public bool TryJoin(IEnumerable<KnownAddress> addresses, DialPurpose purpose)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (_waiters < 0)
            {
                return false;
            }

            _waiters++;
            _offered.AddRange(addresses);
            _purpose = purpose == DialPurpose.Awaited ? purpose : _purpose;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.TrySetResult();
        return true;
    }

    /// <summary>Waits for the result; the last to be canceled ends the dial.</summary>
    public async Task<Connection> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            bool last;
            lock (_gate)
            {
                last = --_waiters == 0;
                if (last)
                {
                    _waiters = -1;
                }
            }

            if (last && !_result.Task.IsCompleted)
            {
                await _unwanted.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Takes the addresses offered since the last call.</summary>
    public IReadOnlyList<KnownAddress> TakeOffered()
    {
        lock (_gate)
        {
            KnownAddress[] taken = [.. _offered];
            _offered.Clear();
            return taken;
        }
    }

    /// <summary>The peer is connected: all who wait get the connection.</summary>
    public void Complete(Connection connection)
    {
        if (_result.TrySetResult(connection))
        {
            _satisfied.Cancel();
        }
    }

    /// <summary>Ends the dial whoever waits: the node stops.</summary>
    public void Abandon() => _unwanted.Cancel();

    /// <summary>The dial failed.</summary>
    public void Fail(Exception error)
    {
        if (_result.TrySetException(error))
        {
            _ = _result.Task.Exception; // observed: those who waited may be gone
        }
    }
}
