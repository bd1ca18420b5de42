using System.IO.Pipelines;

namespace P2P.Core.Exchange;

/// <summary>A stream that we opened, on which only we write. Watches for the peer's reset, and gives up when the peer does not read.</summary>
internal sealed class OutboundStream : IAsyncDisposable
{
    /// <summary>A write that makes no progress for so long ends the stream.</summary>
    private static readonly TimeSpan WriteStallLimit = TimeSpan.FromSeconds(10);

    /// <summary>Less than this in that time counts as none (bytes): a peer that reads slowly is served, one that only keeps its place is not.</summary>
    private const int MinProgressBytes = 8 * 1024;

    private readonly IExchangeStream _stream;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onBroken;
    private readonly Task _watch;
    private volatile bool _disposing;

    /// <param name="stream">The stream, which belongs to this from now on.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onBroken">Called at most once, when the peer resets the stream or does not speak the protocol.</param>
    public OutboundStream(IExchangeStream stream, TimeProvider time, Action<Exception> onBroken)
    {
        _stream = stream;
        _time = time;
        _onBroken = onBroken;
        LastUsed = time.GetTimestamp();
        _watch = WatchAsync();
    }

    public PipeWriter Output => _stream.Output;

    /// <summary>The peer reset it; what was written last may be lost.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Timestamp of the last flush.</summary>
    public long LastUsed { get; private set; }

    public bool IsIdle => _time.GetElapsedTime(LastUsed) > BitswapProtocol.StreamIdleLimit;

    /// <summary>Sends what was written, waiting for the peer as long as it goes on reading.</summary>
    /// <exception cref="IOException">The stream has ended, or the peer does not read.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        ValueTask<FlushResult> flush = _stream.Output.FlushAsync(cancellationToken);
        FlushResult result = flush.IsCompleted ? await flush.ConfigureAwait(false) : await WaitForReaderAsync(flush, cancellationToken).ConfigureAwait(false);
        LastUsed = _time.GetTimestamp();
        if (result.IsCompleted || result.IsCanceled)
            throw new IOException("the stream has ended");
    }

    public void Reset()
    {
        IsBroken = true;
        _stream.Reset();
    }

    /// <summary>Ends our side; what was flushed still arrives.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposing = true;
        _stream.Input.CancelPendingRead();
        await _watch.ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<FlushResult> WaitForReaderAsync(ValueTask<FlushResult> flush, CancellationToken cancellationToken)
    {
        Task<FlushResult> flushing = flush.AsTask();
        while (true)
        {
            long before = _stream.SentBytes;
            try
            {
                return await flushing.WaitAsync(WriteStallLimit, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException) when (_stream.HasSendCredit || _stream.SentBytes - before >= MinProgressBytes)
            {
                // a slow line, or a limit on it: the peer reads as fast as the bytes come
            }
            catch (TimeoutException error)
            {
                Reset();
                // the reset fails the flush, which nobody awaits any more
                _ = flushing.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                throw new IOException("the peer does not read what it asked for", error);
            }
        }
    }

    /// <summary>Nothing is ever said on this stream but whether the peer speaks the protocol; the end of its side means nothing.</summary>
    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                ReadResult read = await _stream.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                _stream.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                    return;
            }
        }
        catch (Exception error) when (error is IOException or InvalidOperationException or OperationCanceledException)
        {
            if (_disposing)
                return;
            IsBroken = true;
            _onBroken(error);
        }
    }
}
