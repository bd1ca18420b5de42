namespace P2P.Cli.Output;

/// <summary>The rate of the last seconds of a growing number of bytes.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(3);
    private readonly Queue<(long At, long Bytes)> _samples = new();

    /// <summary>Takes the total so far and returns bytes a second over the last three seconds.</summary>
    public double Add(long totalBytes)
    {
        long now = time.GetTimestamp();
        while (_samples.Count > 1 && time.GetElapsedTime(_samples.Peek().At, now) > s_window)
            _samples.Dequeue();
        _samples.Enqueue((now, totalBytes));
        (long at, long bytes) = _samples.Peek();
        double seconds = time.GetElapsedTime(at, now).TotalSeconds;
        return seconds < 0.05 ? 0 : (totalBytes - bytes) / seconds;
    }
}
