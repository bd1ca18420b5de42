namespace P2P.Cli.Commands;

/// <summary>
/// Gives memory back to the system when a node has nothing to do. The collector runs when much has been allocated, which on an idle node takes hours;
/// until then what a transfer or a start needed stays.
/// </summary>
internal sealed class IdleMemory(TimeProvider time)
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(1), s_again = TimeSpan.FromMinutes(5);

    private long _moved = -1; // bytes
    private long _since;
    private TimeSpan _next;

    /// <summary>Takes note of how much has been moved so far; called every few seconds.</summary>
    /// <returns>Whether it collected now.</returns>
    public bool Look(long movedBytes)
    {
        if (movedBytes != _moved)
        {
            (_moved, _since, _next) = (movedBytes, time.GetTimestamp(), s_quiet);
            return false;
        }

        if (time.GetElapsedTime(_since) < _next)
            return false;
        _next += s_again;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return true;
    }
}
