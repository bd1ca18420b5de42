namespace P2P.Core.Connections;

/// <summary>Lets a burst through, then a steady rate. Owns no clock; not thread-safe.</summary>
internal sealed class TokenBucket(int burst, double perSecond, long timestampFrequency)
{
    private double _tokens = burst;
    private long? _last;

    /// <summary>Takes one token if there is one.</summary>
    /// <returns>Zero when taken, otherwise how long until there is one.</returns>
    public TimeSpan TryTake(long now)
    {
        if (_last is { } last)
        {
            _tokens = Math.Min(burst, _tokens + ((now - last) / (double)timestampFrequency * perSecond));
        }

        _last = now;
        if (_tokens >= 1)
        {
            _tokens--;
            return TimeSpan.Zero;
        }

        return TimeSpan.FromSeconds((1 - _tokens) / perSecond) + TimeSpan.FromTicks(1);
    }
}
