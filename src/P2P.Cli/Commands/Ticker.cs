namespace P2P.Cli.Commands;

/// <summary>Looks after something four times a second while a task runs.</summary>
internal static class Ticker
{
    /// <summary>The pace of progress lines, bars and events.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    /// <summary>Calls <paramref name="look"/> until the task has ended or the token is cancelled; never throws for either.</summary>
    public static async Task WatchAsync(Task task, Action look, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Pace, time);
        while (!task.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            using var tick = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task next = timer.WaitForNextTickAsync(tick.Token).AsTask();
            await Task.WhenAny(task, next);
            if (task.IsCompleted)
            {
                await tick.CancelAsync();
                await next.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            if (!cancellationToken.IsCancellationRequested)
                look();
        }
    }
}
