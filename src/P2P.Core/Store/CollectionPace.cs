namespace P2P.Core.Store;

/// <summary>Keeps a collection out of the way: while somebody else is at work, it rests after each slice for as long as two slices take.</summary>
/// <param name="isBusy">Whether somebody is; null: the collection is what is waited for.</param>
/// <param name="time">The clock.</param>
internal sealed class CollectionPace(Func<bool>? isBusy, TimeProvider time)
{
    /// <summary>With this a fetch on two cores kept at least 70 % of its speed, and a collection took at most three times as long (a factor).</summary>
    private const int RestsForEachSlice = 2;

    /// <summary>No slice takes so long but when the system did something else meanwhile.</summary>
    private static readonly TimeSpan MaxRest = TimeSpan.FromMilliseconds(500);

    /// <summary>Runs a slice, then rests.</summary>
    public async Task RunAsync(Func<Task> slice, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        await slice().ConfigureAwait(false);
        if (isBusy?.Invoke() != true)
            return;
        TimeSpan rest = time.GetElapsedTime(began) * RestsForEachSlice;
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest < MaxRest ? rest : MaxRest, time, cancellationToken).ConfigureAwait(false);
    }
}
