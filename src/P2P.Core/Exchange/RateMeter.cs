namespace P2P.Core.Exchange;

/// <summary>The rate of the last seconds, as a person wants to see it: smoothed, and zero soon after nothing comes any more.</summary>
internal sealed class RateMeter
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    /// <summary>The inner nodes that come first say nothing about how fast data comes (bytes).</summary>
    private const long Meaningful = 512 * 1024;

    private TimeSpan _start;
    private long _bytes;
    private bool _isMeasured;

    public double BytesPerSecond { get; private set; }

    /// <summary>Takes note of how many bytes there are by now.</summary>
    public void Measure(long totalBytes, TimeSpan now)
    {
        TimeSpan elapsed = now - _start;
        if (elapsed < Interval)
            return;
        double sample = (totalBytes - _bytes) / elapsed.TotalSeconds;
        BytesPerSecond = _isMeasured ? (0.6 * BytesPerSecond) + (0.4 * sample) : sample;
        _isMeasured |= totalBytes > Meaningful;
        (_start, _bytes) = (now, totalBytes);
    }
}
