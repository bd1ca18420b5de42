using P2P.Core.Blocks;
using P2P.Core.Exchange;

namespace P2P.Core.Node;

/// <summary>
/// A session for readers, who wait for a block at a time and have nobody who watches over the whole: a wait ends when for too long nothing came, and
/// says meanwhile why nothing comes.
/// </summary>
/// <param name="session">Tells how it goes.</param>
/// <param name="source">Where blocks come from: the session, or what stands before it.</param>
/// <param name="time">The clock.</param>
/// <param name="options">How long, and who is told.</param>
internal sealed class PatientSource(BitswapSession session, IBlockSource source, TimeProvider time, ReadOptions options) : IBlockSource
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>A wait is told after, and again every.</summary>
    private static readonly TimeSpan WorthTelling = TimeSpan.FromSeconds(5);

    private long _lastTold;

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken) => WaitAsync(stopping => source.GetAsync(cid, stopping), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAheadAsync(Cid cid, int expectedBytes, CancellationToken cancellationToken) =>
        WaitAsync(stopping => source.GetAheadAsync(cid, expectedBytes, stopping), cancellationToken);

    /// <inheritdoc/>
    public bool WantsChildren => source.WantsChildren;

    /// <inheritdoc/>
    public void OnChildren(IReadOnlyList<BlockChild> children) => source.OnChildren(children);

    /// <inheritdoc/>
    public void Hurry(Cid cid) => source.Hurry(cid);

    private async ValueTask<BlockBuffer> WaitAsync(Func<CancellationToken, ValueTask<BlockBuffer>> begin, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<BlockBuffer> get = begin(stop.Token).AsTask();
        var watch = new StallWatch(time, options.StallTimeout, time.GetTimestamp());
        while (!get.IsCompleted)
        {
            await ((Task)get).WaitAsync(LookInterval, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            SessionStatistics statistics = session.Statistics;
            watch.Look(statistics.VerifiedBytes, time.GetTimestamp(), statistics.IsHeldBack);
            if (!get.IsCompleted && watch.Duration is { } still)
                Tell(still);
            if (!watch.IsOver || get.IsCompleted)
                continue;
            P2PException stalled = StallWatch.ToException(statistics, session.Unreached, session.Attempts, statistics.VerifiedBytes > 0, options.StallTimeout);
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)get).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!get.IsCompletedSuccessfully)
                throw stalled;
        }

        try
        {
            return await get.ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException && !cancellationToken.IsCancellationRequested)
        {
            throw new P2PException(P2PErrorCode.Unreachable, "The node was stopped while content was being read. Start it and open the content again.", ended);
        }
    }

    /// <inheritdoc/>
    public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken) =>
        source.RequestAsync(cid, expectedBytes, sink, tag, cancellationToken);

    /// <summary>Tells the reader, once for all blocks that wait.</summary>
    private void Tell(TimeSpan still)
    {
        if (options.Stalled is not { } stalled || still < WorthTelling)
            return;
        long last = Interlocked.Read(ref _lastTold), now = time.GetTimestamp();
        if ((last == 0 || time.GetElapsedTime(last, now) >= WorthTelling) && Interlocked.CompareExchange(ref _lastTold, now, last) == last)
            stalled.Report(new StallReason(still, session.Attempts));
    }
}
