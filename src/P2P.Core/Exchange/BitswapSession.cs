using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Exchange;

/// <summary>The wants of one fetch and the providers that serve them. Thread-safe.</summary>
/// <remarks>A shell around <see cref="WantScheduler"/>: it adds the lock, the clock, the streams, the back-pressure and the search for providers.</remarks>
internal sealed class BitswapSession : IBlockSource, IAsyncDisposable
{
    /// <summary>Nodes larger than this are leaves of older profiles (bytes): nobody waits for their children.</summary>
    private const int MaxCriticalBytes = 128 << 10;

    /// <summary>Connected peers that are asked whether they have the root, besides the providers (count).</summary>
    private const int MaxCandidates = 32;

    /// <summary>What nobody has is looked for again after.</summary>
    private static readonly TimeSpan StarvedInterval = TimeSpan.FromSeconds(1);

    /// <summary>Blocks looked for in one tick (count).</summary>
    private const int MaxStarvedAtOnce = 16;

    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(0.04);
    private static readonly TimeSpan StallNoticed = TimeSpan.FromSeconds(0.5);

    private readonly BitswapClient _client;
    private readonly bool _askStore;
    private long _storeBytes;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _started;
    private readonly CancellationTokenSource _stop = new();
    private readonly ProviderSearch? _search;
    private readonly Task _ticking;

    // guarded by _gate: the scheduler and all that follows
    private readonly Lock _gate = new();
    private readonly WantScheduler _scheduler;
    private readonly RequestGate _requests;
    private readonly RateMeter _rate = new();
    private readonly Dictionary<PeerId, long> _bytesByPeer = [];
    private long _verifiedBytes;
    private TimeSpan _lastProgress;
    private bool _disposed;

    internal BitswapSession(BitswapClient client, Cid root, IProviderSource? source, bool askStore, TimeProvider time, Random random, ILogger logger)
    {
        (_client, Root, _askStore, _time, _logger) = (client, root, askStore, time, logger);
        _started = time.GetTimestamp();
        _scheduler = new WantScheduler(root, client.Settings);
        _requests = new RequestGate(_scheduler, client.Settings);
        client.Add(this);
        foreach (PeerId peer in client.Network.ConnectedPeers)
            AddCandidate(peer);
        _search = source is null ? null : new ProviderSearch(this, source, client.Network, time, random, logger);
        _ticking = TickAsync();
    }

    /// <summary>The content that this session is about; peers that are no providers yet are asked whether they have this block.</summary>
    public Cid Root { get; }

    /// <summary>Everything about how it goes, at this moment. Cheap: a few times a second is fine.</summary>
    public SessionStatistics Statistics
    {
        get
        {
            bool isSearching = _search?.IsSearching ?? false;
            lock (_gate)
            {
                return new SessionStatistics
                {
                    VerifiedBytes = _verifiedBytes,
                    StoreBytes = Interlocked.Read(ref _storeBytes),
                    DuplicateBytes = _scheduler.DuplicateBytes,
                    BytesPerSecond = _rate.BytesPerSecond,
                    Peers = _scheduler.Providers.Count(static provider => provider is { IsAvailable: true, LacksRoot: false }),
                    LastProgress = _started + (long)(_lastProgress.TotalSeconds * _time.TimestampFrequency),
                    OpenWants = _scheduler.OpenCount,
                    Stall = FindStall(),
                    IsSearching = isSearching,
                    IsHeldBack = _scheduler.IsHeldBack,
                };
            }
        }
    }

    /// <summary>Verified bytes by the peer that sent them.</summary>
    public IReadOnlyDictionary<PeerId, long> BytesByPeer
    {
        get
        {
            lock (_gate)
                return new Dictionary<PeerId, long>(_bytesByPeer);
        }
    }

    /// <summary>The providers that are connected now.</summary>
    public IReadOnlyList<PeerId> Providers
    {
        get
        {
            lock (_gate)
                return [.. _scheduler.Providers.Where(static provider => provider.IsAvailable).Select(static provider => provider.Peer)];
        }
    }

    /// <summary>What was tried and failed: dials and lookups of the provider source, and what providers answered.</summary>
    public IReadOnlyList<DialAttempt> Attempts
    {
        get
        {
            List<DialAttempt> attempts = [.. _search?.Attempts ?? []];
            lock (_gate)
            {
                foreach (Provider provider in _scheduler.Providers)
                {
                    if (Describe(provider) is { } what)
                        attempts.Add(new DialAttempt($"{provider.Peer}", what));
                }
            }

            return attempts;
        }
    }

    /// <summary>The peers that were named as having the content and are not connected now.</summary>
    public IReadOnlyList<PeerId> Unreached => [.. (_search?.Named ?? []).Where(peer => !_client.Network.IsConnected(peer))];

    /// <summary>Adds a connected peer that is likely to have the content. At any time, any number of times.</summary>
    public void AddProvider(PeerId peer) => Add(peer, isCandidate: false);

    /// <summary>A connected peer is likely to have these blocks, and hardly any others.</summary>
    internal void AddProviderOfPart(PeerId peer, IReadOnlyCollection<MultihashKey> blocks)
    {
        if (!_client.Network.IsConnected(peer))
            return;
        TimeSpan? roundTrip = _client.Network.RoundTripTime(peer);
        Change(now => _scheduler.AddProviderOfPart(peer, blocks, roundTrip, now));
        ExchangeLog.ProviderJoined(_logger, peer, Root);
        if (!_client.Network.IsConnected(peer))
            OnDisconnected(peer); // it went before it was added
    }

    /// <inheritdoc/>
    public bool WantsChildren => _search?.LooksForBlocks ?? false;

    /// <inheritdoc/>
    public void OnChildren(IReadOnlyList<BlockChild> children) => _search?.OnChildren(children);

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken) => GetAsync(cid, 0, isCritical: true, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAheadAsync(Cid cid, int expectedBytes, CancellationToken cancellationToken) =>
        GetAsync(cid, expectedBytes, isCritical: cid.Codec == Cid.DagPbCodec, cancellationToken);

    /// <inheritdoc/>
    public void Hurry(Cid cid) => Change(now =>
    {
        if (_scheduler.TryGetWant(cid.Key, out Want? want))
            _scheduler.MakeCritical(want, now);
    });

    private async ValueTask<BlockBuffer> GetAsync(Cid cid, int expectedBytes, bool isCritical, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckAccepted(cid);
        var completion = new BlockCompletion(_client.Buffers);
        var request = new WantRequest(cid, completion, 0);
        if (TryAnswerFromCid(request))
            return await completion.Task.ConfigureAwait(false);
        if (_askStore && _client.Blocks.Has(cid))
            await _client.ReadFromStoreAsync(this, request, cancellationToken).ConfigureAwait(false);
        else
            AddRequest(request, expectedBytes, isCritical);
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                (BitswapSession session, WantRequest request) = ((BitswapSession, WantRequest))state!;
                if (((BlockCompletion)request.Sink).TrySetCanceled(token))
                    session.Abandon(request);
            },
            (this, request));
        await using (registration.ConfigureAwait(false))
            return await completion.Task.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <remarks>Must not be awaited inside a sink: the sinks' workers are what makes room.</remarks>
    public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken)
    {
        CheckAccepted(cid);
        var request = new WantRequest(cid, sink, tag);
        if (TryAnswerFromCid(request))
            return ValueTask.CompletedTask;
        if (_askStore && _client.Blocks.Has(cid))
            return _client.ReadFromStoreAsync(this, request, cancellationToken);
        bool isCritical = cid.Codec == Cid.DagPbCodec && expectedBytes <= MaxCriticalBytes;
        return TryAddRequest(request, expectedBytes, isCritical, out Task? room)
            ? ValueTask.CompletedTask
            : WaitForRoomAsync(room, request, expectedBytes, isCritical, cancellationToken);
    }

    /// <summary>Cancels what is still wanted; requests that are open fail with <see cref="OperationCanceledException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        List<WantRequest> open = [];
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            TimeSpan now = Now;
            foreach (Want want in _scheduler.Wants.ToList())
            {
                open.AddRange(want.Requests);
                _client.OnNoLongerWanted(want.Key);
                _scheduler.Cancel(want, now);
            }

            _requests.ReleaseAll();
            SendOutboxes();
        }

        _client.Remove(this);
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_search is not null)
            await _search.DisposeAsync().ConfigureAwait(false);
        await _ticking.ConfigureAwait(false);
        Fail(open, static _ => new OperationCanceledException("The session has ended."));
        _stop.Dispose();
    }

    internal long OutstandingBytes(PeerId peer)
    {
        lock (_gate)
            return _scheduler.Find(peer)?.OutstandingBytes ?? 0;
    }

    /// <summary>What this session has asked a peer for that block and still waits for.</summary>
    internal WantEntry? FindAsked(PeerId peer, in MultihashKey key)
    {
        lock (_gate)
            return _scheduler.FindAsked(peer, key);
    }

    /// <summary>A worker verified a block. True: this session wanted it.</summary>
    internal bool TryDeliver(PeerId peer, in MultihashKey key, ReadOnlySpan<byte> data)
    {
        Want? want;
        lock (_gate)
        {
            TimeSpan now = Now;
            want = _scheduler.OnBlock(peer, key, data.Length, now);
            if (want is null)
                return false;
            _client.OnNoLongerWanted(key);
            _verifiedBytes += data.Length;
            _lastProgress = now;
            CollectionsMarshal.GetValueRefOrAddDefault(_bytesByPeer, peer, out _) += data.Length;
            _requests.Requests -= want.Requests.Count;
            _requests.Release();
            SendOutboxes();
        }

        foreach (WantRequest request in want.Requests)
            Deliver(request, data);
        return true;
    }

    /// <summary>Hands a verified block to whoever asked for it.</summary>
    internal void Deliver(in WantRequest request, ReadOnlySpan<byte> data)
    {
        try
        {
            request.Sink.OnBlock(request.Cid, request.Tag, data);
        }
        catch (Exception error)
        {
            // a sink reports its own failures; one that throws has a bug, which must not take the worker with it
            ExchangeLog.SinkFailed(_logger, request.Cid, error);
        }
    }

    /// <summary>Hands over a block that was in the store, to be told from what came over the network.</summary>
    internal void DeliverFromStore(in WantRequest request, ReadOnlySpan<byte> data)
    {
        if (request.Sink is not BlockCompletion)
            Interlocked.Add(ref _storeBytes, data.Length);
        Deliver(request, data);
    }

    /// <summary>The store could not fulfil a request after all.</summary>
    internal void RequestFromPeers(in WantRequest request)
    {
        try
        {
            AddRequest(request, 0, request.Sink is BlockCompletion || request.Cid.Codec == Cid.DagPbCodec);
        }
        catch (ObjectDisposedException)
        {
            Fail([request], static _ => new OperationCanceledException("The session has ended."));
        }
    }

    internal void OnDuplicate(PeerId peer, int bytes)
    {
        lock (_gate)
        {
            if (_scheduler.Find(peer) is not null)
                _scheduler.OnDuplicate(bytes);
        }
    }

    internal void OnWrongBlock(PeerId peer, int bytes) => Change((now) => _scheduler.OnWrongBlock(peer, bytes, now));

    internal void OnBytes(PeerId peer, long bytes)
    {
        lock (_gate)
            _scheduler.OnBytes(peer, bytes, Now);
    }

    internal void OnPresence(PeerId peer, MultihashKey key, bool have) => Change(now =>
    {
        if (have)
            _scheduler.OnHave(peer, key, now);
        else
            _scheduler.OnDontHave(peer, key, now);
    });

    internal void OnConnected(PeerId peer)
    {
        bool isKnown;
        bool isCandidate;
        lock (_gate)
        {
            Provider? provider = _scheduler.Find(peer);
            isKnown = provider is { IsConnected: false };
            isCandidate = provider is { IsCandidate: true };
        }

        if (isKnown)
            Add(peer, isCandidate);
    }

    internal void OnDisconnected(PeerId peer)
    {
        bool wasProvider = false;
        Change(now =>
        {
            wasProvider = _scheduler.Find(peer) is { IsCandidate: false, IsConnected: true };
            _scheduler.OnLost(peer, now);
        });
        if (!wasProvider)
            return;
        ExchangeLog.ProviderLost(_logger, peer, Root);
        _search?.Reconnect(peer);
    }

    /// <summary>A connected peer cannot be told what we want. The search may bring it back later.</summary>
    internal void OnUseless(PeerId peer) => Change(now => _scheduler.OnUseless(peer, now));

    internal void OnWantsLost(PeerId peer) => Change(now => _scheduler.AskAgain(peer, now));

    internal void OnGone(PeerId peer) => Change(_ => _scheduler.OnGone(peer));

    /// <summary>A connected peer may have the content; nobody said so.</summary>
    internal void AddCandidate(PeerId peer)
    {
        lock (_gate)
        {
            if (_scheduler.Find(peer) is { IsConnected: true } || _scheduler.Providers.Count(static provider => provider.IsCandidate) >= MaxCandidates)
                return;
        }

        Add(peer, isCandidate: true);
    }

    /// <summary>Whether nobody is left to ask: no connected provider, or all of them lack what is wanted.</summary>
    internal bool NeedsProviders
    {
        get
        {
            lock (_gate)
                return FindStall() is SessionStall.NoProviders or SessionStall.NobodyHasIt;
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_started);

    private void CheckAccepted(in Cid cid)
    {
        if (_client.Settings.Denied.Contains(cid))
            throw new P2PException(P2PErrorCode.Permission, $"The block {cid} is on the deny list of this node: it is not fetched. The file \"deny\" in the data folder is that list.");
        if (!BlockVerification.IsAccepted(cid, out string? why))
            throw new P2PException(P2PErrorCode.Integrity, $"The block {cid} cannot be verified: {why}.");
    }

    private static string? Describe(Provider provider) => provider switch
    {
        { WrongBlocks: > 0 } => "sent bytes that do not match what was asked for",
        { IsConnected: false, IsCandidate: false } => "the connection was lost",
        { IsConnected: true, IsCandidate: false, LacksRoot: true } => "does not have it",
        { IsConnected: true, IsCandidate: false, DenialsInRow: > 0, Blocks: 0 } => "does not have it",
        { IsConnected: true, IsCandidate: false, BrokenPromises: > 0, Assignments.Count: > 0 } => "does not send what it was asked for",
        _ => null,
    };

    /// <summary>An identity CID is its own block.</summary>
    private bool TryAnswerFromCid(in WantRequest request)
    {
        if (request.Cid.MultihashCode != Multihash.Identity)
            return false;
        Deliver(request, request.Cid.Digest);
        return true;
    }

    private void Add(PeerId peer, bool isCandidate)
    {
        if (!_client.Network.IsConnected(peer))
        {
            if (!isCandidate)
                _search?.Reconnect(peer);
            return;
        }

        TimeSpan? roundTrip = _client.Network.RoundTripTime(peer);
        Change(now => _scheduler.AddProvider(peer, isCandidate, roundTrip, now));
        if (!isCandidate)
            ExchangeLog.ProviderJoined(_logger, peer, Root);
        // it may have gone before it was added
        if (!_client.Network.IsConnected(peer))
            OnDisconnected(peer);
    }

    /// <summary>Registers a request if there is room for it; otherwise says what to wait for before trying again.</summary>
    private bool TryAddRequest(in WantRequest request, int expectedBytes, bool isCritical, [NotNullWhen(false)] out Task? room)
    {
        lock (_gate)
        {
            if (!_disposed && !_requests.HasRoom(_scheduler.TryGetWant(request.Cid.Key, out _)))
            {
                room = _requests.WaitAsync();
                return false;
            }

            room = null;
            AddRequest(request, expectedBytes, isCritical);
            return true;
        }
    }

    private void AddRequest(in WantRequest request, int expectedBytes, bool isCritical)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            TimeSpan now = Now;
            _requests.Requests++;
            if (_scheduler.TryGetWant(request.Cid.Key, out Want? want))
            {
                want.Requests.Add(request);
                if (isCritical)
                    _scheduler.MakeCritical(want, now);
            }
            else
            {
                if (_scheduler.OpenCount == 0)
                    _lastProgress = now;
                _scheduler.Add(request, expectedBytes, isCritical, now);
            }

            SendOutboxes();
        }
    }

    private async ValueTask WaitForRoomAsync(Task room, WantRequest request, int expectedBytes, bool isCritical, CancellationToken cancellationToken)
    {
        Task? waiting = room;
        while (waiting is not null)
        {
            await waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
            TryAddRequest(request, expectedBytes, isCritical, out waiting);
        }
    }

    /// <summary>Who waited for a block waits no longer.</summary>
    private void Abandon(WantRequest request) => Change(now =>
    {
        if (!_scheduler.TryGetWant(request.Cid.Key, out Want? want) || !want.Requests.Remove(request))
            return;
        _requests.Requests--;
        if (want.Requests.Count > 0)
            return;
        _client.OnNoLongerWanted(want.Key);
        _scheduler.Cancel(want, now);
        _requests.Release();
    });

    private void Change(Action<TimeSpan> change)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            change(Now);
            SendOutboxes();
        }
    }

    /// <summary>Passes on what the scheduler wants to be said. Under the lock, so that lines reach a peer in the order of the decisions.</summary>
    private void SendOutboxes()
    {
        foreach (Provider provider in _scheduler.Providers)
        {
            if (provider.Outbox.Count == 0)
                continue;
            if (provider.IsConnected)
                _client.Send(provider.Peer, provider.Outbox, provider.OutstandingBytes);
            provider.Outbox.Clear();
        }
    }

    private async Task TickAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(TickInterval, _time);
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
                OnTick();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error)
        {
            // our own bug: the fetch goes on without anyone watching for what is late
            ExchangeLog.LoopFailed(_logger, error);
        }
    }

    private void OnTick()
    {
        bool mayComeMore = _search?.IsSearching ?? false;
        List<WantRequest> hopeless = [];
        List<Cid> starved = [];
        lock (_gate)
        {
            TimeSpan now = Now;
            _rate.Measure(_verifiedBytes, now);
            if (_disposed || _scheduler.OpenCount == 0)
                return;
            _scheduler.Tick(now, _client.IsBacklogged, _client.Network.IsHeldBack);
            if (!mayComeMore)
            {
                foreach (Want want in _scheduler.TakeHopeless(now))
                    hopeless.AddRange(want.Requests);
                _requests.Requests -= hopeless.Count;
            }

            if (WantsChildren)
                starved = _scheduler.TakeStarved(now, StarvedInterval, MaxStarvedAtOnce);
            _requests.Release();
            SendOutboxes();
        }

        foreach (Cid cid in starved)
            _search!.LookFor(cid);
        Fail(hopeless, static cid => new P2PException(
            P2PErrorCode.Integrity,
            $"The peers that answered sent bytes that are not the block {cid}: the shared file was changed, or they are not to be trusted. Ask for the link again."));
    }

    private SessionStall FindStall()
    {
        if (_scheduler.OpenCount == 0)
            return SessionStall.None;
        bool any = false;
        foreach (Provider provider in _scheduler.Providers)
            any |= provider.IsAvailable;
        if (!any)
            return SessionStall.NoProviders;
        if (_scheduler.StarvedCount == _scheduler.OpenCount)
            return SessionStall.NobodyHasIt;
        return Now - _lastProgress > StallNoticed ? SessionStall.Waiting : SessionStall.None;
    }

    private void Fail(List<WantRequest> requests, Func<Cid, Exception> describe)
    {
        foreach (WantRequest request in requests)
        {
            try
            {
                request.Sink.OnFailed(request.Cid, request.Tag, describe(request.Cid));
            }
            catch (Exception error)
            {
                ExchangeLog.SinkFailed(_logger, request.Cid, error);
            }
        }
    }
}
