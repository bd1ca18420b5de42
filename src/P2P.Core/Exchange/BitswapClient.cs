using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Diagnostics;

namespace P2P.Core.Exchange;

/// <summary>
/// What all sessions share: the streams that carry wants, the workers that verify what comes, and the memory of what was wanted lately.
/// The loops that read streams only copy; hashing and writing to disk happen here, with as many blocks in memory as the queue holds.
/// </summary>
internal sealed class BitswapClient : IWantSenderOwner, IAsyncDisposable
{
    /// <summary>Blocks whose late arrival is nobody's fault (count).</summary>
    private const int RecentlyWanted = 8_192;

    /// <summary>Blocks of one peer, and of all, that may be half received (bytes). Above it they are read and forgotten.</summary>
    private const long MaxAssemblingBytesPerPeer = 8 << 20, MaxAssemblingBytes = 48 << 20;

    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly P2PMetrics? _metrics;
    private readonly Channel<ReceivedBlock> _received;
    private readonly Task[] _workers;
    private readonly ConcurrentDictionary<PeerId, WantSender> _senders = [];
    private readonly ConcurrentDictionary<PeerId, InboundPeer> _inbound = [];
    private readonly ConcurrentDictionary<Task, byte> _closing = [];
    private long _assembling;

    // guarded by _gate
    private readonly Lock _gate = new();
    private readonly RecentKeys _recent = new(RecentlyWanted);
    private BitswapSession[] _sessions = [];
    private bool _disposed;

    public BitswapClient(
        IExchangeNetwork network, IExchangeBlocks blocks, BlockBufferPool buffers, ExchangeSettings settings, TimeProvider time, ILogger logger, P2PMetrics? metrics)
    {
        (Network, Blocks, Buffers, Settings, _time, _logger, _metrics) = (network, blocks, buffers, settings, time, logger, metrics);
        _received = Channel.CreateBounded<ReceivedBlock>(new BoundedChannelOptions(settings.VerificationQueue) { FullMode = BoundedChannelFullMode.Wait });
        _workers = [.. Enumerable.Range(0, settings.VerificationWorkers).Select(_ => Task.Run(WorkAsync))];
    }

    public IExchangeNetwork Network { get; }

    public IExchangeBlocks Blocks { get; }

    public BlockBufferPool Buffers { get; }

    public ExchangeSettings Settings { get; }

    /// <summary>Verified bytes by peer, since start.</summary>
    public PeerBytes Received { get; } = new();

    /// <summary>The workers cannot keep up: nothing that is late is a peer's fault.</summary>
    public bool IsBacklogged => _received.Reader.Count >= Settings.VerificationQueue;

    public void Add(BitswapSession session)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _sessions = [.. _sessions, session];
        }
    }

    public void Remove(BitswapSession session)
    {
        lock (_gate)
            _sessions = [.. _sessions.Where(other => other != session)];
    }

    /// <summary>A block was wanted and is no longer: whoever still sends it does nothing wrong.</summary>
    public void OnNoLongerWanted(in MultihashKey key)
    {
        lock (_gate)
            _recent.Add(key);
    }

    /// <summary>Tells a peer what is wanted of it. Never waits.</summary>
    public void Send(PeerId peer, List<WantEntry> entries, long outstandingBytes)
    {
        if (_inbound.TryGetValue(peer, out InboundPeer? inbound))
            inbound.Grant(outstandingBytes);
        while (!Volatile.Read(ref _disposed))
        {
            WantSender sender;
            lock (_gate) // one sender, not one more that runs unseen: making it starts it
                sender = _senders.GetOrAdd(peer, static (id, client) => new WantSender(id, client.Network, client, client._time, client._logger), this);
            sender.Post(entries);
            // a sender that ended meanwhile has taken the lines with it
            if (_senders.TryGetValue(peer, out WantSender? current) && current == sender)
                return;
        }
    }

    /// <summary>Hands a local request to a worker; waits while they are busy.</summary>
    public async ValueTask ReadFromStoreAsync(BitswapSession session, WantRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await _received.Writer.WriteAsync(new ReceivedBlock(default, default, null, session, request), cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException error)
        {
            throw new ObjectDisposedException("The exchange has ended.", error);
        }
    }

    /// <summary>A peer opened a stream towards us.</summary>
    public InboundPeer OnStreamOpened(IExchangeStream stream)
    {
        InboundPeer inbound = _inbound.GetOrAdd(stream.Peer, static _ => new InboundPeer());
        inbound.Add(stream, Outstanding(stream.Peer));
        return inbound;
    }

    public void OnStreamClosed(IExchangeStream stream, InboundPeer inbound)
    {
        // a stream that was opened when its peer's end had already been told has entered the peer anew
        if (inbound.Remove(stream) && !Network.IsConnected(stream.Peer))
            _inbound.TryRemove(KeyValuePair.Create(stream.Peer, inbound));
    }

    /// <summary>A block begins to arrive. Null: it is not taken.</summary>
    public BlockBuffer? TryAccept(PeerId peer, InboundPeer inbound, int length)
    {
        if (length > BlockVerification.MaxBlockBytes || Outstanding(peer) == 0)
            return null;
        if (inbound.Assembling + length > MaxAssemblingBytesPerPeer || Interlocked.Read(ref _assembling) + length > MaxAssemblingBytes)
            return null;
        inbound.AddAssembling(length);
        Interlocked.Add(ref _assembling, length);
        return Buffers.Rent(length);
    }

    /// <summary>A block has arrived, or its stream has ended: it counts as half received no longer.</summary>
    public void OnAssembled(InboundPeer inbound, int length)
    {
        inbound.AddAssembling(-length);
        Interlocked.Add(ref _assembling, -length);
    }

    /// <summary>Hands a block to the workers; waits while they are busy, and with it the stream that it came on.</summary>
    public ValueTask VerifyAsync(PeerId peer, in BitswapPart block, CancellationToken cancellationToken) =>
        _received.Writer.WriteAsync(new ReceivedBlock(peer, block.Prefix, block.Buffer, null, default), cancellationToken);

    public void OnBytes(PeerId peer, long bytes)
    {
        foreach (BitswapSession session in _sessions)
            session.OnBytes(peer, bytes);
        if (_senders.TryGetValue(peer, out WantSender? sender))
            sender.OnProgress();
    }

    public void OnPresence(PeerId peer, in Cid cid, bool have)
    {
        MultihashKey key = cid.Key;
        foreach (BitswapSession session in _sessions)
            session.OnPresence(peer, key, have);
    }

    public void OnConnected(PeerId peer)
    {
        foreach (BitswapSession session in _sessions)
            session.OnConnected(peer);
    }

    public void OnIdentified(PeerId peer)
    {
        foreach (BitswapSession session in _sessions)
            session.AddCandidate(peer);
    }

    public void OnDisconnected(PeerId peer)
    {
        _inbound.TryRemove(peer, out _);
        foreach (BitswapSession session in _sessions)
            session.OnDisconnected(peer);
        Drop(peer);
    }

    WantEntry? IWantSenderOwner.FindAsked(PeerId peer, in MultihashKey key)
    {
        foreach (BitswapSession session in _sessions)
        {
            if (session.FindAsked(peer, key) is { } asked)
                return asked;
        }

        return null;
    }

    void IWantSenderOwner.OnWantsLost(PeerId peer)
    {
        foreach (BitswapSession session in _sessions)
            session.OnWantsLost(peer);
    }

    void IWantSenderOwner.OnDisconnected(PeerId peer)
    {
        OnDisconnected(peer);
        // connected again meanwhile, and those who were told of it then still counted on the old connection
        if (Network.IsConnected(peer))
            OnConnected(peer);
    }

    void IWantSenderOwner.OnUseless(PeerId peer, string reason)
    {
        ExchangeLog.PeerUseless(_logger, peer, reason);
        _senders.TryRemove(peer, out _);
        foreach (BitswapSession session in _sessions)
            session.OnUseless(peer);
    }

    /// <summary>A peer sent a block that nobody wants: it counts as an answer, a wrong one.</summary>
    public void OnWrongBlock(PeerId peer, int length)
    {
        ExchangeLog.WrongBlock(_logger, peer, length);
        _metrics?.BlockReceived(ReceivedBlockOutcome.Unwanted);
        foreach (BitswapSession session in _sessions)
            session.OnWrongBlock(peer, length);
    }

    public async ValueTask DisposeAsync()
    {
        BitswapSession[] sessions;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            sessions = _sessions;
        }

        foreach (BitswapSession session in sessions)
            await session.DisposeAsync().ConfigureAwait(false);
        foreach (PeerId peer in _senders.Keys)
            Drop(peer);
        _received.Writer.TryComplete();
        await Task.WhenAll(_workers).ConfigureAwait(false);
        await Task.WhenAll(_closing.Keys).ConfigureAwait(false);
    }

    private void Drop(PeerId peer)
    {
        if (!_senders.TryRemove(peer, out WantSender? sender))
            return;
        Task closing = sender.DisposeAsync().AsTask();
        _closing.TryAdd(closing, 0);
        _ = closing.ContinueWith(static (ended, state) => ((ConcurrentDictionary<Task, byte>)state!).TryRemove(ended, out _), _closing, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private long Outstanding(PeerId peer)
    {
        long bytes = 0;
        foreach (BitswapSession session in _sessions)
            bytes += session.OutstandingBytes(peer);
        return bytes;
    }

    private async Task WorkAsync()
    {
        await foreach (ReceivedBlock block in _received.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                if (block.Buffer is not null)
                    Verify(block.Peer, block.Prefix, block.Buffer);
                else
                    TakeFromStore(block.Session!, block.Request);
            }
            catch (Exception error)
            {
                // our own bug must not end the worker that all sessions share
                ExchangeLog.LoopFailed(_logger, error);
            }
        }
    }

    private void Verify(PeerId peer, in BlockPrefix prefix, BlockBuffer buffer)
    {
        using (buffer)
        {
            if (!prefix.TryHash(buffer.Span, out MultihashKey key))
            {
                OnWrongBlock(peer, buffer.Length);
                return;
            }

            bool isWanted = false;
            foreach (BitswapSession session in _sessions)
                isWanted |= session.TryDeliver(peer, key, buffer.Span);
            if (isWanted)
            {
                Received.Add(peer, buffer.Length);
                _metrics?.BlockReceived(ReceivedBlockOutcome.Verified);
                return;
            }

            bool isLate;
            lock (_gate)
                isLate = _recent.Contains(key);
            if (!isLate)
            {
                OnWrongBlock(peer, buffer.Length);
                return;
            }

            _metrics?.BlockReceived(ReceivedBlockOutcome.Duplicate);
            foreach (BitswapSession session in _sessions)
                session.OnDuplicate(peer, buffer.Length);
        }
    }

    private void TakeFromStore(BitswapSession session, in WantRequest request)
    {
        BlockBuffer? buffer = null;
        try
        {
            using IExchangeBlock? block = Blocks.Open(request.Cid, verify: true);
            if (block is not null)
            {
                buffer = Buffers.Rent(block.Length);
                for (int read = 0; read < block.Length;)
                {
                    int count = block.Read(buffer.Memory.Span[read..], read);
                    if (count == 0)
                        throw new P2PException(P2PErrorCode.Store, "A stored block ended before its length.");
                    read += count;
                }
            }

            if (buffer is not null && BlockVerification.Verify(request.Cid, buffer.Span))
                session.DeliverFromStore(request, buffer.Span);
            else
                session.RequestFromPeers(request);
        }
        catch (P2PException error)
        {
            ExchangeLog.LocalBlockUnusable(_logger, request.Cid, error.Message);
            session.RequestFromPeers(request);
        }
        catch (Exception error)
        {
            // our own bug, but whoever asked must not wait for ever
            ExchangeLog.LoopFailed(_logger, error);
            session.RequestFromPeers(request);
        }
        finally
        {
            buffer?.Dispose();
        }
    }
}
