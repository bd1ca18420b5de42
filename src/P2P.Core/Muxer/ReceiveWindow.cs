namespace P2P.Core.Muxer;

/// <summary>
/// What the peer may still send on one stream, and when to tell it that it may send more. Unread bytes count against the window, so the window is
/// also the bound on what a stream holds in memory.
/// </summary>
/// <remarks>
/// The window grows in two ways: it doubles when the reader empties half of it twice within four round trips, as go-yamux does, and it grows at once to
/// what a reader says it has asked for (<see cref="Grant"/>), so that a long fat link has no ramp.
/// </remarks>
internal sealed class ReceiveWindow(YamuxOptions options, ReceiveBudget budget)
{
    private long _available = YamuxOptions.InitialWindowBytes;
    private long _unread;
    private long _consumedInEpoch;
    private long _epochStart = -1;
    private bool _closed;

    /// <summary>The window aimed at (bytes).</summary>
    public int Target { get; private set; } = YamuxOptions.InitialWindowBytes;

    /// <summary>What the peer may still send (bytes).</summary>
    public long Available => _available;

    /// <summary>A data frame announces its length. False when it is more than was granted: the peer broke the protocol.</summary>
    public bool TryReceive(uint bytes)
    {
        if (bytes > _available)
            return false;
        _available -= bytes;
        _unread += bytes;
        return true;
    }

    /// <summary>The reader is done with these bytes.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="now">A timestamp of the clock.</param>
    /// <param name="fourRoundTrips">In the clock's units; 0 while the round trip is unknown, and the window keeps its size.</param>
    /// <returns>The credit to announce; 0 for none yet.</returns>
    public int OnConsumed(long bytes, long now, long fourRoundTrips)
    {
        _unread -= bytes;
        if (_closed)
            return 0;
        _consumedInEpoch += bytes;
        if (_consumedInEpoch >= Target / 2)
        {
            if (_epochStart >= 0 && now - _epochStart < fourRoundTrips)
                Grow(Target);
            _epochStart = now;
            _consumedInEpoch = 0;
        }
        return Target - _available - _unread >= Math.Min(Target / 2, options.WindowUpdateBytes) ? Announce() : 0;
    }

    /// <summary>Raises the window to what the reader expects, as far as the limits allow.</summary>
    /// <returns>The credit to announce.</returns>
    public int Grant(int bytes)
    {
        if (_closed || bytes <= Target)
            return 0;
        Grow(bytes - Target);
        return Announce();
    }

    /// <summary>No more credit; gives the budget back.</summary>
    public void Close()
    {
        if (_closed)
            return;
        _closed = true;
        budget.Return(Target - YamuxOptions.InitialWindowBytes);
    }

    private void Grow(int by) => Target += budget.Take(Math.Min(by, options.MaxWindowBytes - Target));

    private int Announce()
    {
        int delta = (int)Math.Max(0, Target - _available - _unread);
        _available += delta;
        return delta;
    }
}
