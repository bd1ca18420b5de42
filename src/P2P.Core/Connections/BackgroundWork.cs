namespace P2P.Core.Connections;

/// <summary>Tasks that nobody awaits one by one: each is kept until it ends, its failure is reported, and whoever stops waits for all of them. Thread-safe.</summary>
internal sealed class BackgroundWork(Action<Exception> onFailed)
{
    private readonly Lock _gate = new(); // guards the set
    private readonly HashSet<Task> _tasks = [];

    /// <summary>Starts work on the thread pool.</summary>
    public void Run(Func<Task> work) => Add(Task.Run(work));

    /// <summary>Keeps work that has started.</summary>
    public void Add(Task task)
    {
        lock (_gate)
        {
            _tasks.Add(task);
        }

        _ = task.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Waits until nothing runs, also for what is started meanwhile. Never fails for the work's sake.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task[] rest;
            lock (_gate)
            {
                rest = [.. _tasks];
            }

            if (rest.Length == 0)
            {
                return;
            }

            // Yields always: who began to wait while work was being added is told of its end before it is forgotten, on the thread that is to forget it.
            await Task.WhenAll(rest).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Forget(Task task)
    {
        if (task.Exception is { } error)
        {
            onFailed(error.InnerException!);
        }

        lock (_gate)
        {
            _tasks.Remove(task);
        }
    }
}
