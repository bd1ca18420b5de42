using System.Net;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;
using P2P.Core.Exchange;
using P2P.Core.Identity;
using P2P.Core.Muxer;
using P2P.Core.Protocols;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Everything that a running node holds open, wired together. Lives from one start to one stop.</summary>
internal sealed class NodeRuntime : IAsyncDisposable
{
    /// <summary>How long a stop waits for transfers and imports to let go: they do at the next block, unless a stream that is shared keeps them.</summary>
    private static readonly TimeSpan MaxLettingGo = TimeSpan.FromSeconds(10);

    /// <summary>For each half of a diagnosis: routers and local networks, then peers outside.</summary>
    private static readonly TimeSpan DiagnosisPatience = TimeSpan.FromSeconds(7.5);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new(); // guards _operations and _isStopping
    private readonly SemaphoreSlim _listening = new(1, 1); // one begins to listen at a time
    private readonly List<Task> _loops = [];
    private readonly ILogger _logger;
    private readonly IdentityKey _identity;
    private readonly DataFolder _folder;
    private readonly ConnectionMetrics _traffic;
    private int _operations; // transfers and imports at work
    private bool _isStopping;

    private NodeRuntime(NodeSettings settings, NodeSeams seams, IdentityKey identity, ShareKeyWrap shareKeys, DataFolder folder, BlockStore store, BlockBufferPool buffers)
    {
        ShareKeys = shareKeys;
        Settings = settings;
        Time = seams.Time;
        Loggers = seams.Loggers;
        Metrics = seams.Metrics;
        _logger = seams.Loggers.CreateLogger("P2P.Core.Node");
        _identity = identity;
        _folder = folder;
        Store = store;
        Buffers = buffers;
        OnLink = seams.OnLink ?? OnLinkOf(settings);
        Garbage = new GarbageCollection(this);
        Reading = new ReadSessions(this);
        Connections = new ConnectionPool(
            identity,
            seams.Transports,
            new ConnectionOptions
            {
                MaxConnections = settings.MaxConnections,
                MaxConnectionsPerAddress = settings.MaxConnectionsPerAddress,
                MaxInboundConnections = settings.MaxConnections * 3 / 4, // the rest is kept for our own dials
                IdleTimeout = settings.IdleTimeout,
                DialTimeout = settings.DialTimeout,
                OnLink = OnLink,
                UploadBytesPerSecond = settings.UploadBytesPerSecond,
                DownloadBytesPerSecond = settings.DownloadBytesPerSecond,
                Muxer = new YamuxOptions { MaxInboundStreams = settings.MaxInboundStreamsPerPeer },
            },
            seams.Time,
            seams.ForkRandom(),
            seams.Loggers,
            seams.Metrics);
        _traffic = new ConnectionMetrics(seams.Metrics);
        Connections.Observe(_traffic);
        Ping = new PingProtocol(Connections, seams.Time);
        Identify = new IdentifyProtocol(Connections, identity, seams.Time, seams.Loggers);
        Denied = DenyList.Read(folder.DenyPath);
        Bitswap = new Bitswap(
            Connections,
            store,
            buffers,
            new ExchangeSettings { Denied = Denied, MaxWantedBytesPerPeer = settings.MaxWantedBytesPerPeer, MaxServingBytes = settings.MaxServingBytes },
            seams.Time,
            seams.ForkRandom(),
            seams.Loggers,
            seams.Metrics);
        Dht = new DhtNetworks(settings, Connections, store, seams);
        Announcing = new Announcing(this, seams);
        Lan = settings.LooksOnLan && !settings.IsLoopbackOnly && seams.Lan is { } lan ? new LanNetwork(Connections, lan, settings.NodeName, OnLink, store, seams) : null;
        LanNames = new LanNames(store);
        Reaching = settings.IsLoopbackOnly ? null : new Reaching(Connections, seams, settings.MapsPorts, Identify.PushAsync);
        Replicating = Dht.Own is { } own ? new Replicating(this, identity, new HolderNetwork(settings, Connections, own, seams), settings, seams) : null;
    }

    public NodeSettings Settings { get; }

    public TimeProvider Time { get; }

    public ILoggerFactory Loggers { get; }

    public P2PMetrics Metrics { get; }

    public PeerId Id => _identity.PeerId;

    public BlockStore Store { get; }

    public BlockBufferPool Buffers { get; }

    public ConnectionPool Connections { get; }

    public PingProtocol Ping { get; }

    public IdentifyProtocol Identify { get; }

    /// <summary>Blocks that are neither held for others nor served nor fetched.</summary>
    public DenyList Denied { get; }

    public Bitswap Bitswap { get; }

    /// <summary>Where peers and content are found.</summary>
    public DhtNetworks Dht { get; }

    /// <summary>The networks that this machine has an interface in.</summary>
    public Func<IReadOnlyList<IPNetwork>> OnLink { get; }

    /// <summary>Peers of the local network; null when they are not looked for.</summary>
    public LanNetwork? Lan { get; }

    /// <summary>From whom things of the local network came.</summary>
    public LanNames LanNames { get; }

    /// <summary>Sees to it that others reach us; null when only this machine does.</summary>
    public Reaching? Reaching { get; }

    /// <summary>Copies kept by others and for others; null when it takes no part in the DHT.</summary>
    public Replicating? Replicating { get; }

    /// <summary>Says there what is here.</summary>
    public Announcing Announcing { get; }

    /// <summary>Wraps the keys of private shares for the store.</summary>
    public ShareKeyWrap ShareKeys { get; }

    /// <summary>What reads and lists fetch with.</summary>
    public ReadSessions Reading { get; }

    public NodeWarnings Warnings { get; } = new();

    /// <summary>Frees in idle times what nothing keeps any more.</summary>
    public GarbageCollection Garbage { get; }

    /// <summary>Whether a transfer or an import is at work.</summary>
    public bool IsBusy => Volatile.Read(ref _operations) > 0;

    /// <summary>Ends when the node stops: transfers and reads hang on it.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Opens the folder and the listeners. A failed or cancelled start leaves nothing open.</summary>
    public static async Task<NodeRuntime> StartAsync(NodeSettings settings, NodeSeams seams, CancellationToken cancellationToken)
    {
        DataFolder folder = DataFolder.Open(settings.DataDirectory);
        BlockStore? store = null;
        IdentityKey? identity = null;
        ShareKeyWrap? shareKeys = null;
        NodeRuntime? runtime = null;
        try
        {
            folder.Lock();
            identity = IdentityFile.LoadOrCreate(folder.IdentityPath);
            shareKeys = new ShareKeyWrap(identity);
            var buffers = new BlockBufferPool();
            store = await OpenStoreAsync(folder, new StoreOptions { QuotaBytes = settings.MaxOwnedBytes + settings.OfferBytes, ShareKeys = shareKeys }, settings.IndexRebuild, buffers, seams, cancellationToken).ConfigureAwait(false);
            runtime = new NodeRuntime(settings, seams, identity, shareKeys, folder, store, buffers);
            runtime.Ping.Start();
            runtime.Identify.Start();
            runtime.Reaching?.Start();
            runtime.Dht.Start();
            if (runtime.Replicating is { } replicating)
                await replicating.StartAsync(cancellationToken).ConfigureAwait(false);
            await runtime.Garbage.DropAbandonedAsync(cancellationToken).ConfigureAwait(false);
            await new ListenPorts(store, runtime.Connections, runtime.Warnings).ListenAsync(settings, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            if (runtime is not null)
            {
                await runtime.DisposeAsync().ConfigureAwait(false);
            }
            else
            {
                if (store is not null)
                    await store.DisposeAsync().ConfigureAwait(false);
                shareKeys?.Dispose();
                identity?.Dispose();
                folder.Dispose();
            }

            throw;
        }

        runtime.Begin();
        return runtime;
    }

    private static async Task<BlockStore> OpenStoreAsync(
        DataFolder folder, StoreOptions options, IndexRebuild rebuild, BlockBufferPool buffers, NodeSeams seams, CancellationToken cancellationToken)
    {
        try
        {
            if (rebuild != IndexRebuild.Always)
                return await BlockStore.OpenAsync(folder, options, buffers, seams.Time, seams.Loggers, cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException damaged) when (rebuild == IndexRebuild.WhenDamaged && damaged.DamagedFile is not null)
        {
            // rebuilt below
        }

        var salvage = new IndexSalvage(folder, options, FileSystemDisk.Instance, seams.Time, seams.Loggers.CreateLogger<BlockStore>());
        await Task.Run(() => salvage.Rebuild(cancellationToken), cancellationToken).ConfigureAwait(false);
        return await BlockStore.OpenAsync(folder, options, buffers, seams.Time, seams.Loggers, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How many shares there are.</summary>
    public int ShareCount => Store.GetPins().Count(static pin => pin.Kind == PinKind.Shared);

    /// <summary>A connection as the public API shows it.</summary>
    public PeerInfo Describe(Connection connection) =>
        new(
            connection.RemotePeer,
            connection.RemoteAddress,
            connection.IsOutbound,
            connection.Remote?.AgentVersion,
            connection.RoundTripTime,
            Bitswap.BytesFetchedFrom(connection.RemotePeer),
            Bitswap.BytesServedTo(connection.RemotePeer));

    /// <summary>Finds out whether others reach us.</summary>
    public Task<ReachabilityReport> DiagnoseAsync(CancellationToken cancellationToken) => RunAsync(
        async token =>
        {
            if (Reaching is null)
                return Diagnosis.Of(new ReachabilityFacts { ListenAddresses = Connections.ListenAddresses });
            if (Lan is { } lan)
                await lan.WaitForAnswersAsync(token).ConfigureAwait(false);
            return await Reaching.DiagnoseAsync(Lan?.Interfaces, Lan?.Peers.Count ?? 0, DiagnosisPatience, token).ConfigureAwait(false);
        },
        cancellationToken);

    /// <summary>Listens as the settings say, unless it listens already.</summary>
    /// <returns>Whether it began now.</returns>
    public async Task<bool> ListenAsync(NodeSettings settings, CancellationToken cancellationToken)
    {
        await _listening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Connections.ListenAddresses.Count > 0)
                return false;
            await new ListenPorts(Store, Connections, Warnings).ListenAsync(settings, cancellationToken).ConfigureAwait(false);
            Dht.OnListening();
            Reaching?.OnListening();
            _ = RunInBackground(async token =>
            {
                await Identify.PushAsync(token).ConfigureAwait(false); // our addresses, and that we answer
                return true;
            });
            return true;
        }
        finally
        {
            _listening.Release();
        }
    }

    public ValueTask DisposeAsync() => new(StopAsync(CancellationToken.None));

    /// <summary>Ends transfers, says goodbye to peers and closes the folder. The token shortens the goodbyes only.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _isStopping = true;
            if (_operations == 0)
                _drained.TrySetResult();
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await ((Task)_drained.Task.WaitAsync(MaxLettingGo, Time, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (Task loop in _loops)
            await loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // each loop logs its own failure

        // whatever fails here, what comes after it is closed all the same, the folder above all
        Lan?.Dispose();
        if (Reaching is { } reaching)
            await EndAsync(reaching.DisposeAsync().AsTask()).ConfigureAwait(false);
        await EndAsync(Reading.DisposeAsync().AsTask()).ConfigureAwait(false);
        if (Replicating is { } replicating)
            await EndAsync(replicating.DisposeAsync().AsTask()).ConfigureAwait(false);
        await EndAsync(Dht.RememberAsync(CancellationToken.None)).ConfigureAwait(false);
        await EndAsync(Dht.DisposeAsync().AsTask()).ConfigureAwait(false);
        await EndAsync(Bitswap.DisposeAsync().AsTask()).ConfigureAwait(false);
        await EndAsync(Identify.DisposeAsync().AsTask()).ConfigureAwait(false);
        await EndAsync(Connections.CloseAsync(cancellationToken)).ConfigureAwait(false);
        await EndAsync(Store.DisposeAsync().AsTask()).ConfigureAwait(false);
        _folder.Dispose();
        NodeLog.Stopped(_logger, Id);
        ShareKeys.Dispose();
        _identity.Dispose();
        _stop.Dispose();
    }

    /// <summary>Runs a transfer or an import: it is cancelled when the node stops, and what it needs stays open until it has ended.</summary>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_isStopping)
                throw new InvalidOperationException("The node is being stopped.");
            _operations++;
        }

        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
            return await operation(stop.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                if (--_operations == 0 && _isStopping)
                    _drained.TrySetResult();
            }
        }
    }

    /// <summary>Runs something that ends with the node and that nobody need wait for.</summary>
    public Task<T> RunInBackground<T>(Func<CancellationToken, Task<T>> work)
    {
        Task<T> task = RunAsync(work, CancellationToken.None);
        _ = task.ContinueWith(
            failed => NodeLog.LoopFailed(_logger, failed.Exception!.InnerException!),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return task;
    }

    /// <summary>Who may have some content: those that are named, those on the local network, and those that the DHT knows of.</summary>
    public ContentProviders FindProviders(IReadOnlyList<PeerHint> hints) => new(Connections, Dht, Replicating?.Network, Lan, hints, Time);

    /// <summary>A node that lives on this machine alone may follow what its peers say about this machine; any other may not.</summary>
    private static Func<IReadOnlyList<IPNetwork>> OnLinkOf(NodeSettings settings)
    {
        bool isLocal = settings.IsLoopbackOnly;
        return () => OnLinkNetworks.Current(withLoopback: isLocal);
    }

    private void Begin()
    {
        _loops.Add(RunAsync(WatchSourcesAsync));
        _loops.Add(RunAsync(cancellationToken => _traffic.RunAsync(Time, cancellationToken)));
        _loops.Add(RunAsync(Garbage.RunAsync));
        _loops.Add(RunAsync(Dht.RunAsync));
        _loops.Add(RunAsync(Announcing.RunAsync));
        if (Replicating is { } replicating)
            _loops.Add(RunAsync(replicating.RunAsync));
        if (Lan is { } lan)
            _loops.Add(RunAsync(lan.RunAsync));
        if (Reaching is { } reaching)
            _loops.Add(RunAsync(reaching.RunAsync));
        if (Dht.All.Count > 0 && !Dht.MayFindAnybody && Lan is null)
            NodeLog.NobodyKnown(_logger);
        foreach (Multiaddress peer in Settings.BootstrapPeers.Concat(Dht.Bootstrap))
            _loops.Add(RunAsync(cancellationToken => KeepConnectedAsync(peer, cancellationToken)));
        NodeLog.Started(_logger, Id, Settings.DataDirectory, string.Join(", ", Connections.ListenAddresses));
        foreach (NodeWarning warning in Warnings.ToList())
            NodeLog.Warned(_logger, warning.Message);
    }

    /// <summary>Turns what the store finds out about shared files into warnings.</summary>
    private async Task WatchSourcesAsync(CancellationToken cancellationToken)
    {
        await foreach (SourceChangedNotice notice in Store.SourceChanges.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            string message = SourceDiagnosis.Describe(notice.Path, notice.Change);
            if (Warnings.Add("source_changed", message))
                NodeLog.Warned(_logger, message);
        }
    }

    /// <summary>Connects to a bootstrap peer and, when it is lost, again with growing pauses.</summary>
    private async Task KeepConnectedAsync(Multiaddress address, CancellationToken cancellationToken)
    {
        TimeSpan least = TimeSpan.FromSeconds(2), most = TimeSpan.FromMinutes(5), pause = least;
        while (true)
        {
            try
            {
                Connection connection = await Connections.ConnectAsync(address, AddressOrigin.User, cancellationToken).ConfigureAwait(false);
                pause = least;
                await connection.Closed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (P2PException e)
            {
                NodeLog.BootstrapFailed(_logger, address, e.Message);
            }

            await Task.Delay(pause, Time, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < most ? pause * 2 : most;
        }
    }

    private async Task EndAsync(Task end)
    {
        try
        {
            await end.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            NodeLog.StopFailed(_logger, e);
        }
    }

    private async Task RunAsync(Func<CancellationToken, Task> loop)
    {
        try
        {
            await loop(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // the node stops
        }
        catch (Exception e)
        {
            NodeLog.LoopFailed(_logger, e);
        }
    }
}
