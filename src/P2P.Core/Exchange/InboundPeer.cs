namespace P2P.Core.Exchange;

/// <summary>The streams that one peer has open towards us, and how much it may send on them at once.</summary>
internal sealed class InboundPeer
{
    /// <summary>The most that one grant opens a window to (bytes): the muxer's own limit.</summary>
    private const int MaxGrantBytes = 16 << 20;

    /// <summary>Grants grow in such steps (bytes), so that not every want sends one.</summary>
    private const int GrantStepBytes = 4 << 20;

    // guarded by _gate
    private readonly Lock _gate = new();
    private readonly List<IExchangeStream> _streams = [];
    private int _granted;
    private long _assembling;

    /// <summary>Bytes of its blocks that are half received.</summary>
    public long Assembling => Interlocked.Read(ref _assembling);

    public void AddAssembling(int bytes) => Interlocked.Add(ref _assembling, bytes);

    public void Add(IExchangeStream stream, long outstandingBytes)
    {
        int grant;
        lock (_gate)
        {
            _streams.Add(stream);
            grant = _granted = Math.Max(_granted, Round(outstandingBytes));
        }

        if (grant > 0 && outstandingBytes > 0)
            stream.GrantReceiveWindow(grant);
    }

    /// <summary>Removes a stream. True: it was the last.</summary>
    public bool Remove(IExchangeStream stream)
    {
        lock (_gate)
        {
            _streams.Remove(stream);
            return _streams.Count == 0;
        }
    }

    /// <summary>So much is wanted of the peer now: its streams may bring that much at once.</summary>
    public void Grant(long outstandingBytes)
    {
        IExchangeStream[] streams;
        int grant = Round(outstandingBytes);
        lock (_gate)
        {
            if (grant <= _granted)
                return;
            _granted = grant;
            streams = [.. _streams];
        }

        foreach (IExchangeStream stream in streams)
            stream.GrantReceiveWindow(grant);
    }

    private static int Round(long bytes) => bytes == 0 ? 0 : (int)Math.Min((bytes + GrantStepBytes - 1) / GrantStepBytes * GrantStepBytes, MaxGrantBytes);
}
