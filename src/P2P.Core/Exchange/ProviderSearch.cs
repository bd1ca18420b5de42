using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>Keeps a session supplied with providers: looks for them at once, again with growing pauses while there is nobody to ask, and gets lost ones back.</summary>
internal sealed class ProviderSearch : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.25);
    private static readonly TimeSpan MaxReconnectPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstSearchPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxSearchPause = TimeSpan.FromSeconds(30);

    /// <summary>So many attempts to reach a lost provider and nobody counts on it any more; it is still dialed.</summary>
    private const int AttemptsUntilGone = 3;

    /// <summary>Blocks looked for at once, and that wait for it (count).</summary>
    private const int Lookers = 4, MaxMissing = 64;

    private readonly BitswapSession _session;
    private readonly IProviderSource _source;
    private readonly IExchangeNetwork _network;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // guards _reconnecting
    private readonly Dictionary<PeerId, Task> _reconnecting = [];
    private readonly Channel<Cid> _missing = Channel.CreateBounded<Cid>(new BoundedChannelOptions(MaxMissing) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task _run;
    private readonly Task[] _lookers;
    private volatile bool _isSearching = true;

    public ProviderSearch(BitswapSession session, IProviderSource source, IExchangeNetwork network, TimeProvider time, Random random, ILogger logger)
    {
        (_session, _source, _network, _time, _random, _logger) = (session, source, network, time, random, logger);
        _run = Task.Run(SearchAsync, CancellationToken.None);
        _lookers = source.LooksForBlocks ? [.. Enumerable.Range(0, Lookers).Select(_ => Task.Run(LookAsync, CancellationToken.None))] : [];
    }

    /// <summary>Whether single blocks are looked for.</summary>
    public bool LooksForBlocks => _source.LooksForBlocks;

    /// <summary>An inner node was read.</summary>
    public void OnChildren(IReadOnlyList<BlockChild> children) => _source.OnChildren(children);

    /// <summary>Nobody has this block: it is looked for by itself. Dropped when too many are; it is asked for again.</summary>
    public void LookFor(Cid block) => _missing.Writer.TryWrite(block);

    /// <summary>A search is under way.</summary>
    public bool IsSearching => _isSearching;

    public IReadOnlyList<DialAttempt> Attempts => _source.Attempts;

    /// <summary>Who was named as having the content.</summary>
    public IReadOnlyCollection<PeerId> Named => _source.Named;

    /// <summary>Dials a lost provider until it is there again.</summary>
    public void Reconnect(PeerId peer)
    {
        lock (_gate)
        {
            if (!_stop.IsCancellationRequested && !_reconnecting.ContainsKey(peer))
                _reconnecting.Add(peer, Task.Run(() => ReconnectAsync(peer), CancellationToken.None));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        await Task.WhenAll(_lookers).ConfigureAwait(false);
        Task[] reconnecting;
        lock (_gate)
            reconnecting = [.. _reconnecting.Values];
        await Task.WhenAll(reconnecting).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SearchAsync()
    {
        try
        {
            TimeSpan pause = FirstSearchPause;
            while (true)
            {
                await SearchOnceAsync().ConfigureAwait(false);
                bool isNeeded = false;
                while (!isNeeded)
                {
                    await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(false);
                    isNeeded = _session.NeedsProviders;
                    pause = isNeeded ? Min(2 * pause, MaxSearchPause) : FirstSearchPause;
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        finally
        {
            _isSearching = false;
        }
    }

    private async Task SearchOnceAsync()
    {
        _isSearching = true;
        try
        {
            await foreach (PeerId peer in _source.FindAsync(_session.Root, _stop.Token).ConfigureAwait(false))
                _session.AddProvider(peer);
        }
        catch (Exception error) when (error is P2PException or IOException)
        {
            ExchangeLog.SearchFailed(_logger, _session.Root, error.Message);
        }
        finally
        {
            _isSearching = false;
        }
    }

    private async Task LookAsync()
    {
        try
        {
            await foreach (Cid block in _missing.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                try
                {
                    await foreach ((PeerId peer, IReadOnlyCollection<MultihashKey> blocks) in _source.FindForAsync(block, _stop.Token).ConfigureAwait(false))
                        _session.AddProviderOfPart(peer, blocks);
                }
                catch (Exception error) when (error is P2PException or IOException)
                {
                    ExchangeLog.SearchFailed(_logger, block, error.Message);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task ReconnectAsync(PeerId peer)
    {
        try
        {
            TimeSpan pause = FirstPause;
            for (int attempt = 1; !_network.IsConnected(peer); attempt++)
            {
                if (await TryReconnectAsync(peer).ConfigureAwait(false) && _network.IsConnected(peer))
                    break;
                if (attempt == AttemptsUntilGone)
                    _session.OnGone(peer);
                // somewhat at random, so that a restarted sharer is not met by everyone at once
                await Task.Delay(pause * (0.75 + (0.5 * Next())), _time, _stop.Token).ConfigureAwait(false);
                pause = Min(2 * pause, MaxReconnectPause);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        finally
        {
            lock (_gate)
                _reconnecting.Remove(peer);
        }

        // when it is gone again already, this dials anew
        _session.AddProvider(peer);
    }

    private async Task<bool> TryReconnectAsync(PeerId peer)
    {
        try
        {
            return await _source.ReconnectAsync(peer, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is P2PException or IOException)
        {
            ExchangeLog.SearchFailed(_logger, _session.Root, error.Message);
            return false;
        }
    }

    private double Next()
    {
        lock (_random)
            return _random.NextDouble();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
