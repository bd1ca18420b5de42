using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Diagnostics;
using P2P.Core.Store;

namespace P2P.Core.Exchange;

/// <summary>
/// Answers what peers want: fair between them, a bounded amount at a time, straight from the disk into the stream, and only what the asker may
/// have (D9). Answers travel on a stream that we open, never on the asker's.
/// </summary>
internal sealed class BitswapServer : IAsyncDisposable
{
    private readonly IExchangeNetwork _network;
    private readonly IExchangeBlocks _blocks;
    private readonly BlockBufferPool _buffers;
    private readonly ExchangeSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly P2PMetrics? _metrics;
    private readonly long _started;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _sweep;
    private readonly ConcurrentDictionary<Task, byte> _turns = [];

    // guarded by _gate: the peers, their ledgers and the queue
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerId, ServedPeer> _peers = [];
    private readonly ServeQueue _queue;

    public BitswapServer(
        IExchangeNetwork network, IExchangeBlocks blocks, BlockBufferPool buffers, ExchangeSettings settings, TimeProvider time, ILogger logger, P2PMetrics? metrics)
    {
        (_network, _blocks, _buffers, _settings, _time, _logger, _metrics) = (network, blocks, buffers, settings, time, logger, metrics);
        _queue = new ServeQueue(settings.MaxServingBytes);
        _started = time.GetTimestamp();
        _sweep = time.CreateTimer(static state => ((BitswapServer)state!).CloseIdleStreams(), this, BitswapProtocol.StreamIdleLimit, BitswapProtocol.StreamIdleLimit);
    }

    /// <summary>Bytes of blocks sent, by peer.</summary>
    public PeerBytes Sent { get; } = new();

    /// <summary>Peers whose wants are kept (count).</summary>
    public int PeerCount
    {
        get
        {
            lock (_gate)
                return _peers.Count;
        }
    }

    /// <summary>One line of a peer's wantlist. Answered once the list is complete.</summary>
    /// <remarks>What a peer sent just before it left is still read after <see cref="OnDisconnected"/>: a ledger begun then would stay for ever.</remarks>
    public void OnWant(PeerId peer, in WantEntry entry)
    {
        lock (_gate)
        {
            if (_peers.TryGetValue(peer, out ServedPeer? served))
                served.Ledger.Apply(entry);
            else if (!entry.Cancel && _network.IsConnected(peer))
                Add(peer).Ledger.Apply(entry);
        }
    }

    public void OnWantlistEnd(PeerId peer, bool full)
    {
        lock (_gate)
        {
            if (!_peers.TryGetValue(peer, out ServedPeer? served))
                return;
            served.Ledger.EndWantlist(full);
            if (served.Ledger.PendingCount == 0)
                return;
            _queue.OnWork(served);
        }

        BeginTurns();
    }

    /// <summary>A block is here now: who asked for it earlier gets it.</summary>
    public void OnBlockAvailable(in MultihashKey key)
    {
        bool wanted = false;
        lock (_gate)
        {
            foreach (ServedPeer served in _peers.Values)
            {
                if (served.Ledger.AbsentCount > 0 && served.Ledger.OnAvailable(key))
                {
                    _queue.OnWork(served);
                    wanted = true;
                }
            }
        }

        if (wanted)
            BeginTurns();
    }

    public void OnDisconnected(PeerId peer)
    {
        ServedPeer? served;
        lock (_gate)
        {
            if (!_peers.Remove(peer, out served))
                return;
            served.IsGone = true;
            served.Ledger.Clear();
            if (served.IsInProgress)
                return;
        }

        if (served.Stream is { } stream)
            Track(CloseAsync(stream));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sweep.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_turns.Keys).ConfigureAwait(false);
        List<ServedPeer> peers;
        lock (_gate)
        {
            peers = [.. _peers.Values];
            _peers.Clear();
        }

        foreach (ServedPeer peer in peers)
        {
            if (peer.Stream is { } stream)
                await CloseAsync(stream).ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private ServedPeer Add(PeerId peer)
    {
        var served = new ServedPeer(peer, _settings.MaxRememberedWantsPerPeer);
        _peers.Add(peer, served);
        return served;
    }

    private void BeginTurns()
    {
        while (!_stop.IsCancellationRequested)
        {
            ServeTurn? turn;
            lock (_gate)
            {
                if (!_queue.TryBegin(out turn))
                    return;
            }

            Track(Task.Run(() => RunTurnsAsync((ServedPeer)turn), CancellationToken.None));
        }
    }

    private void Track(Task task)
    {
        _turns.TryAdd(task, 0);
        _ = task.ContinueWith(static (ended, state) => ((ConcurrentDictionary<Task, byte>)state!).TryRemove(ended, out _), _turns, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Serves one peer after the other, as the queue says, until nobody waits.</summary>
    private async Task RunTurnsAsync(ServedPeer first)
    {
        ServedPeer? peer = first;
        while (peer is not null)
        {
            int sent = 0;
            try
            {
                sent = await ServeAsync(peer).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException or P2PException)
            {
                ExchangeLog.ServingFailed(_logger, peer.Peer, error.Message);
            }
            catch (Exception error)
            {
                // our own bug must not keep the turn's place in the queue for ever
                ExchangeLog.LoopFailed(_logger, error);
            }

            if (peer.IsGone && peer.Stream is { } stream)
            {
                peer.Stream = null;
                await CloseAsync(stream).ConfigureAwait(false);
            }

            lock (_gate)
            {
                _queue.End(peer, sent, peer.Ledger.PendingCount > 0);
                peer = !_stop.IsCancellationRequested && _queue.TryBegin(out ServeTurn? next) ? (ServedPeer)next : null;
            }

            if (peer is not null)
                BeginTurns();
        }
    }

    /// <summary>Sends one message to the peer. Returns the bytes of blocks in it.</summary>
    private async Task<int> ServeAsync(ServedPeer peer)
    {
        using var batch = new ServeBatch(_buffers);
        Fill(batch, peer);
        if (batch.IsEmpty)
            return 0;
        try
        {
            await SendAsync(batch, peer).ConfigureAwait(false);
        }
        catch (P2PException error)
        {
            // a file became shorter while it was sent: next time its blocks are hashed, found wrong and denied
            ExchangeLog.ServingFailed(_logger, peer.Peer, error.Message);
            peer.Stream?.Reset();
            GiveBack(peer, batch.Wants);
            return 0;
        }

        Sent.Add(peer.Peer, batch.BlockBytes);
        _metrics?.BlocksServed(batch.BlockCount);
        return batch.BlockBytes;
    }

    private async ValueTask SendAsync(ServeBatch batch, ServedPeer peer)
    {
        bool isOld = peer.Stream is { IsBroken: false, IsIdle: false };
        try
        {
            await batch.WriteAsync(await GetStreamAsync(peer).ConfigureAwait(false), _stop.Token).ConfigureAwait(false);
        }
        catch (IOException error) when (isOld && !peer.IsGone && error.InnerException is not TimeoutException)
        {
            // the peer may have closed the stream for its own reasons: once more on a new one
            ExchangeLog.ServingFailed(_logger, peer.Peer, error.Message);
            peer.Stream?.Reset();
            await batch.WriteAsync(await GetStreamAsync(peer).ConfigureAwait(false), _stop.Token).ConfigureAwait(false);
        }
        catch (IOException error) when (error.InnerException is TimeoutException)
        {
            // it asks and does not read: it is served again when it asks again
            lock (_gate)
                peer.Ledger.Clear();
            throw;
        }
    }

    private async ValueTask<OutboundStream> GetStreamAsync(ServedPeer peer)
    {
        if (peer.Stream is { } open && (open.IsIdle || open.IsBroken))
        {
            peer.Stream = null;
            await CloseAsync(open).ConfigureAwait(false);
        }

        return peer.Stream ??= new OutboundStream(
            await _network.OpenStreamAsync(peer.Peer, _stop.Token).ConfigureAwait(false),
            _time,
            error => ExchangeLog.ServingFailed(_logger, peer.Peer, error.Message));
    }

    /// <summary>Takes wants from the ledger, the most important first, until the message or the peer's credit is full.</summary>
    private void Fill(ServeBatch batch, ServedPeer peer)
    {
        while (!batch.IsFull)
        {
            LedgerWant? want;
            lock (_gate)
            {
                if (!peer.Ledger.TryTake(out want))
                    return;
            }

            if (!TryAnswer(batch, peer, want))
            {
                lock (_gate)
                    peer.Ledger.GiveBack(want);
                return;
            }
        }
    }

    /// <summary>Adds the answer to the batch, or remembers the want. False: it has to wait for the peer's next turn.</summary>
    private bool TryAnswer(ServeBatch batch, ServedPeer peer, LedgerWant want)
    {
        BlockAvailability found = _blocks.Look(want.Cid, peer.Peer);
        if (!found.IsHeld || !found.MayServe || found.Length > BlockVerification.MaxBlockBytes)
        {
            Deny(batch, peer, want);
            return true;
        }

        if (want.Kind == WantKind.Have && found.Length > BitswapProtocol.MaxBlockInsteadOfHaveBytes)
        {
            batch.AddPresence(want.Cid, have: true);
            return true;
        }

        if (batch.BlockBytes + found.Length > peer.CreditBytes)
            return false;
        IExchangeBlock? block = _blocks.Open(want.Cid, verify: peer.Sent.Note(want.Key, _time.GetElapsedTime(_started)));
        if (block is null)
        {
            Deny(batch, peer, want);
            return true;
        }

        try
        {
            batch.AddBlock(want, block);
        }
        catch (P2PException error)
        {
            ExchangeLog.BlockUnreadable(_logger, want.Cid, peer.Peer, error.Message);
            Deny(batch, peer, want);
        }

        return true;
    }

    /// <summary>What is not here and what this peer may not have look the same to it.</summary>
    private void Deny(ServeBatch batch, ServedPeer peer, LedgerWant want)
    {
        if (want.SendDontHave)
        {
            batch.AddPresence(want.Cid, have: false);
            return;
        }

        lock (_gate)
            peer.Ledger.Remember(want);
    }

    private void GiveBack(ServedPeer peer, IEnumerable<LedgerWant> wants)
    {
        const int maxFailures = 2;
        lock (_gate)
        {
            foreach (LedgerWant want in wants)
            {
                if (++want.Failures <= maxFailures && !peer.IsGone)
                    peer.Ledger.GiveBack(want);
            }
        }
    }

    private void CloseIdleStreams()
    {
        List<OutboundStream> idle = [];
        lock (_gate)
        {
            foreach (ServedPeer peer in _peers.Values)
            {
                if (!peer.IsInProgress && peer.Stream is { IsIdle: true } stream)
                {
                    peer.Stream = null;
                    idle.Add(stream);
                }
            }
        }

        foreach (OutboundStream stream in idle)
            Track(CloseAsync(stream));
    }

    private async Task CloseAsync(OutboundStream stream)
    {
        try
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            ExchangeLog.ServingFailed(_logger, default, error.Message);
        }
    }
}
