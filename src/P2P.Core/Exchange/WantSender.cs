using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Muxer;

namespace P2P.Core.Exchange;

/// <summary>
/// Tells one peer what we want of it, on one stream that stays open while there is something to say. While a message is on its way the next one
/// collects: no timer, and no hundreds of messages with one line each (others queue ten and drop the rest).
/// </summary>
internal sealed class WantSender : IAsyncDisposable
{
    /// <summary>Lines in one message: 24 KB.</summary>
    private const int MaxEntriesPerMessage = 512;

    /// <summary>So many streams broken in a row without a byte received and the peer is of no use.</summary>
    private const int MaxFailures = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.1);

    private readonly PeerId _peer;
    private readonly IExchangeNetwork _network;
    private readonly IWantSenderOwner _owner;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly AsyncSignal _signal = new();
    private readonly Task _run;

    // guarded by _gate: what is to be said; the last line about a block wins
    private readonly Lock _gate = new();
    private Dictionary<MultihashKey, WantEntry> _pending = [];
    private Dictionary<MultihashKey, WantEntry> _spare = [];

    private OutboundStream? _stream;
    private volatile Exception? _broken;
    private int _failures;

    public WantSender(PeerId peer, IExchangeNetwork network, IWantSenderOwner owner, TimeProvider time, ILogger logger)
    {
        (_peer, _network, _owner, _time, _logger) = (peer, network, owner, time, logger);
        _run = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Queues lines; never waits. Bounded by what the sessions may want of one peer.</summary>
    public void Post(List<WantEntry> entries)
    {
        lock (_gate)
        {
            foreach (WantEntry entry in entries)
                _pending[entry.Cid.Key] = entry;
        }

        _signal.Set();
    }

    /// <summary>The peer delivers, so its streams are fine.</summary>
    public void OnProgress() => Volatile.Write(ref _failures, 0);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await WaitForWorkAsync().ConfigureAwait(false);
                try
                {
                    await SendPendingAsync().ConfigureAwait(false);
                }
                catch (Exception error) when (error is IOException or InvalidOperationException)
                {
                    // the second is what a writer says whose stream ended while a message was being written to it
                    _broken ??= error;
                }

                if (_broken is { } broken && !await RecoverAsync(broken).ConfigureAwait(false))
                    return;
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            ExchangeLog.WantSenderStopped(_logger, _peer);
        }
        catch (Exception error)
        {
            // our own bug: nobody tells this peer anything more, so the sessions must not count on it
            ExchangeLog.LoopFailed(_logger, error);
            _owner.OnUseless(_peer, error.Message);
        }
        finally
        {
            await CloseStreamAsync(reset: false).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for something to say; closes the stream when there was nothing for a while.</summary>
    private async Task WaitForWorkAsync()
    {
        Task signalled = _signal.WaitAsync().AsTask();
        if (_stream is not null && !signalled.IsCompleted)
        {
            try
            {
                await signalled.WaitAsync(BitswapProtocol.StreamIdleLimit, _time, _stop.Token).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                await CloseStreamAsync(reset: false).ConfigureAwait(false);
            }
        }

        await signalled.WaitAsync(_stop.Token).ConfigureAwait(false);
    }

    private async Task SendPendingAsync()
    {
        while (_broken is null)
        {
            Dictionary<MultihashKey, WantEntry> batch;
            lock (_gate)
            {
                if (_pending.Count == 0)
                    return;
                batch = _pending;
                (_pending, _spare) = (_spare, batch);
            }

            WantEntry[] entries = [.. batch.Values.Select(WithoutHarm)];
            batch.Clear();
            OutboundStream stream = await GetStreamAsync().ConfigureAwait(false);
            for (int start = 0; start < entries.Length; start += MaxEntriesPerMessage)
            {
                BitswapWriter.WriteWantlist(stream.Output, entries.AsSpan(start, Math.Min(MaxEntriesPerMessage, entries.Length - start)), full: false);
                await stream.FlushAsync(_stop.Token).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A line that takes back what only one of several sessions no longer wants becomes the want of the others.</summary>
    private WantEntry WithoutHarm(WantEntry entry) => entry.Cancel && _owner.FindAsked(_peer, entry.Cid.Key) is { } asked ? asked : entry;

    private async ValueTask<OutboundStream> GetStreamAsync()
    {
        if (_stream is { } open && (open.IsIdle || open.IsBroken))
            await CloseStreamAsync(reset: false).ConfigureAwait(false);
        if (_stream is null)
        {
            IExchangeStream stream = await _network.OpenStreamAsync(_peer, _stop.Token).ConfigureAwait(false);
            _stream = new OutboundStream(stream, _time, OnBroken);
        }

        return _stream;
    }

    private void OnBroken(Exception error)
    {
        _broken = error;
        _signal.Set();
    }

    /// <summary>The stream broke: what was said on it may be lost, so everything is said again. False: the peer is of no use.</summary>
    private async Task<bool> RecoverAsync(Exception error)
    {
        await CloseStreamAsync(reset: true).ConfigureAwait(false);
        _broken = null;
        ExchangeLog.WantStreamBroken(_logger, _peer, error.Message);
        int failures = Interlocked.Increment(ref _failures);
        if (!_network.IsConnected(_peer))
        {
            _owner.OnDisconnected(_peer);
            return false;
        }

        if (error is ProtocolNotSupportedException || failures >= MaxFailures)
        {
            _owner.OnUseless(_peer, error.Message);
            return false;
        }

        // the first break is taken for what it mostly is, a stream that the peer closed for being idle
        if (failures > 1)
            await Task.Delay(FirstPause * (1 << (failures - 2)), _time, _stop.Token).ConfigureAwait(false);
        _owner.OnWantsLost(_peer);
        return true;
    }

    private async ValueTask CloseStreamAsync(bool reset)
    {
        if (_stream is not { } stream)
            return;
        _stream = null;
        if (reset)
            stream.Reset();
        await stream.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>Told what became of the streams that carry wants.</summary>
internal interface IWantSenderOwner
{
    /// <summary>What any session has asked the peer for that block, and still waits for.</summary>
    WantEntry? FindAsked(PeerId peer, in MultihashKey key);

    /// <summary>What was wanted of the peer may not have reached it: say it again.</summary>
    void OnWantsLost(PeerId peer);

    /// <summary>The connection is gone; this may be known here before the network tells of it.</summary>
    void OnDisconnected(PeerId peer);

    /// <summary>The peer cannot be told what we want: it does not speak bitswap, or resets every stream.</summary>
    void OnUseless(PeerId peer, string reason);
}
