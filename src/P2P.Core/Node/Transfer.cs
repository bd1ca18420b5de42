using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace P2P.Core;

/// <summary>A fetch that is under way. Watch it, await it, cancel it; disposing it cancels it too.</summary>
public sealed class Transfer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // guards _progress, _watchers and _hasEnded
    private readonly List<Channel<TransferProgress>> _watchers = [];
    private TransferProgress _progress;
    private bool _hasEnded; // reports that are still on their way say nothing new then

    internal Transfer(Func<IProgress<TransferProgress>, CancellationToken, Task<FetchResult>> run) => Completion = RunAsync(run);

    /// <summary>The outcome: what was fetched, a <see cref="P2PException"/>, or cancellation (what is verified stays, the same fetch resumes).</summary>
    public Task<FetchResult> Completion { get; }

    /// <summary>How far it is now.</summary>
    public TransferProgress Progress
    {
        get
        {
            lock (_gate)
                return _progress;
        }
    }

    /// <summary>How far it is now and then each change, at most 10 a second, only the latest kept. Ends with the transfer, without throwing for its outcome.</summary>
    /// <param name="cancellationToken">Ends the watching, not the transfer.</param>
    public async IAsyncEnumerable<TransferProgress> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var latest = Channel.CreateBounded<TransferProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            latest.Writer.TryWrite(_progress);
            if (Completion is { IsCompleted: true })
                latest.Writer.Complete();
            else
                _watchers.Add(latest);
        }

        try
        {
            await foreach (TransferProgress progress in latest.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return progress;
        }
        finally
        {
            lock (_gate)
                _watchers.Remove(latest);
        }
    }

    /// <summary>Ends the transfer at a block boundary; what is verified stays and the same fetch resumes from it. Returns when it has ended.</summary>
    public async Task CancelAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await ((Task)Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CancelAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task<FetchResult> RunAsync(Func<IProgress<TransferProgress>, CancellationToken, Task<FetchResult>> run)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the caller gets the transfer before any work starts
        try
        {
            FetchResult result = await run(new Reporter(this), _stop.Token).ConfigureAwait(false);
            Report(Progress with { VerifiedBytes = result.Bytes, TotalBytes = result.Bytes, Remaining = null, Stall = null });
            return result;
        }
        finally
        {
            lock (_gate)
            {
                _hasEnded = true;
                foreach (Channel<TransferProgress> watcher in _watchers)
                    watcher.Writer.TryComplete();
            }
        }
    }

    private void Report(in TransferProgress value)
    {
        lock (_gate)
        {
            if (_hasEnded || value.VerifiedBytes < _progress.VerifiedBytes)
                return;
            _progress = value;
            foreach (Channel<TransferProgress> watcher in _watchers)
                watcher.Writer.TryWrite(value);
        }
    }

    private sealed class Reporter(Transfer transfer) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => transfer.Report(in value);
    }
}
