namespace P2P.Core.Muxer;

/// <summary>The credit that a session may grant beyond the initial windows. Streams draw on it as their windows grow and give it back when they end.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class ReceiveBudget(long bytes)
{
    private long _left = bytes;

    public long Left => Volatile.Read(ref _left);

    /// <summary>Takes up to <paramref name="wanted"/> bytes and says how many.</summary>
    public int Take(int wanted)
    {
        while (true)
        {
            long left = Volatile.Read(ref _left);
            int taken = (int)Math.Min(left, wanted);
            if (taken <= 0)
                return 0;
            if (Interlocked.CompareExchange(ref _left, left - taken, left) == left)
                return taken;
        }
    }

    public void Return(int bytes) => Interlocked.Add(ref _left, bytes);
}
