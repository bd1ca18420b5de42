namespace P2P.Core.Exchange;

/// <summary>The back-pressure of a session: callers wait while it holds as many requests as it will. Used under the session's lock.</summary>
internal sealed class RequestGate(WantScheduler scheduler, ExchangeSettings settings)
{
    /// <summary>Callers that may wait for the same block (count), as when a file of zeros asks for it a million times.</summary>
    private const int MaxDuplicateRequests = 65_536;

    private readonly List<TaskCompletionSource> _waiting = [];

    /// <summary>Requests that are open (count); several may be for one block.</summary>
    public int Requests { get; set; }

    /// <summary>Whether a request may come in.</summary>
    /// <param name="isKnown">Its block is wanted already, so that it costs next to nothing.</param>
    public bool HasRoom(bool isKnown) => isKnown
        ? Requests < MaxDuplicateRequests
        : scheduler.OpenCount < settings.MaxRequests && scheduler.OpenBytes < settings.MaxRequestedBytes;

    /// <summary>Ends when it is worth trying again.</summary>
    public Task WaitAsync()
    {
        var room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add(room);
        return room.Task;
    }

    /// <summary>Lets waiting callers go on, once a quarter is free: so they come back with many requests, which travel in one message.</summary>
    public void Release()
    {
        if (_waiting.Count > 0
            && scheduler.OpenCount <= settings.MaxRequests / 4 * 3
            && scheduler.OpenBytes <= settings.MaxRequestedBytes / 4 * 3
            && Requests <= MaxDuplicateRequests / 4 * 3)
        {
            ReleaseAll();
        }
    }

    public void ReleaseAll()
    {
        foreach (TaskCompletionSource room in _waiting)
            room.TrySetResult();
        _waiting.Clear();
    }
}
