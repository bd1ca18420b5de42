namespace P2P.Core.Replication;

/// <summary>Room that was promised for a pull. Disposing gives it back; so does the lease that takes its place.</summary>
internal sealed class HeldRoom(HeldLeases owner, LeaseOrigin origin, long bytes) : IDisposable
{
    private int _isOver;

    /// <summary>How much it is.</summary>
    public long Bytes => bytes;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
            owner.GiveBack(origin, bytes);
    }
}
