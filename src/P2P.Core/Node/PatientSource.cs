using P2P.Core.Blocks;
using P2P.Core.Exchange;

namespace P2P.Core.Node;

/// <summary>A session for readers, who wait for a block at a time and have nobody who watches over the whole: a wait ends when for too long nothing came.</summary>
/// <param name="session">Where blocks come from.</param>
/// <param name="time">The clock.</param>
/// <param name="limit">The longest time without one new verified byte.</param>
internal sealed class PatientSource(BitswapSession session, TimeProvider time, TimeSpan limit) : IBlockSource
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<BlockBuffer> get = session.GetAsync(cid, stop.Token).AsTask();
        var watch = new StallWatch(time, limit, time.GetTimestamp());
        while (!get.IsCompleted)
        {
            await ((Task)get).WaitAsync(LookInterval, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            SessionStatistics statistics = session.Statistics;
            watch.Look(statistics.VerifiedBytes, time.GetTimestamp());
            if (!watch.IsOver || get.IsCompleted)
                continue;
            P2PException stalled = StallWatch.ToException(statistics, session.Attempts, statistics.VerifiedBytes > 0, limit);
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)get).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!get.IsCompletedSuccessfully)
                throw stalled;
        }

        return await get.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken) =>
        session.RequestAsync(cid, expectedBytes, sink, tag, cancellationToken);
}
