using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Dht;
using P2P.Core.Diagnostics;
using P2P.Core.Discovery;
using P2P.Core.Identity;
using P2P.Core.Nat;
using P2P.Core.Node;
using P2P.Core.Store;
using P2P.Core.Transport;

namespace P2P.Core;

/// <summary>A peer: shares, finds, fetches. Thread-safe. Opens nothing until started.</summary>
public sealed class P2PNode : IAsyncDisposable
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(500);

    private readonly P2PNodeOptions _options;
    private readonly NodeSeams _seams;
    private readonly P2PMetrics? _ownMetrics; // null when several nodes share them
    private readonly SemaphoreSlim _lifecycle = new(1, 1); // one start or stop at a time
    private readonly Lock _gate = new(); // guards _id
    private PeerId _id;
    private volatile NodeRuntime? _runtime;
    private volatile NodeState _state;
    private volatile bool _disposed;

    /// <summary>Prepares a node; nothing is opened and nothing is written before <see cref="StartAsync(CancellationToken)"/>, but for the identity when <see cref="Id"/> is read.</summary>
    /// <param name="options">How it is set up; copied at start.</param>
    /// <param name="loggers">Where its log goes; null: nowhere.</param>
    /// <param name="meters">Where its metrics go; null: a meter of its own named <see cref="P2PDiagnostics.MeterName"/>.</param>
    /// <param name="time">Its clock; null: the system's.</param>
    public P2PNode(P2PNodeOptions? options = null, ILoggerFactory? loggers = null, IMeterFactory? meters = null, TimeProvider? time = null)
        : this(options, NodeSeamsOf(loggers, meters, time))
    {
        _ownMetrics = _seams.Metrics;
    }

    internal P2PNode(P2PNodeOptions? options, NodeSeams seams)
    {
        _options = options ?? new P2PNodeOptions();
        _seams = seams;
    }

    /// <summary>Creates a node and starts it: the five-line way.</summary>
    /// <exception cref="ArgumentException">An option is wrong; the message lists each with its key.</exception>
    /// <exception cref="P2PException">The folder is in use, of a newer version, damaged or not writable, or no address could be listened on.</exception>
    public static Task<P2PNode> StartAsync(P2PNodeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return StartNewAsync(new P2PNode(options), cancellationToken);
    }

    /// <summary>The content id that sharing a file or folder would give, without sharing or storing anything. Needs no node and no data folder.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="progress">Told how far it is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing stays behind.</param>
    /// <exception cref="P2PException">It cannot be found or read.</exception>
    public static Task<ContentEntry> ComputeCidAsync(string path, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return HashAsync(path, progress, cancellationToken);
    }

    /// <summary>What sharing would share: content id, files, bytes, what is left out and what cannot be read. Needs no node and writes nothing.</summary>
    /// <param name="paths">Files and folders with different names; one alone stands for itself.</param>
    /// <param name="options">As for sharing; null: by the defaults.</param>
    /// <param name="progress">Told how far it is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing stays behind.</param>
    /// <exception cref="ArgumentException">No paths, two of one name, or a pattern that is none.</exception>
    /// <exception cref="P2PException">A path cannot be found, or nothing of it can be read.</exception>
    public static Task<SharePreview> PreviewShareAsync(
        IReadOnlyCollection<string> paths, ShareOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return ShareRules.PreviewAsync(paths, options ?? new ShareOptions(), progress, cancellationToken);
    }

    /// <summary>Who this node is. Valid before start: reads the identity in the data folder, or creates it.</summary>
    /// <exception cref="P2PException">The identity file cannot be read.</exception>
    public PeerId Id
    {
        get
        {
            lock (_gate)
            {
                if (_id.IsEmpty)
                {
                    using DataFolder folder = DataFolder.Open(NodeSettings.From(_options).DataDirectory);
                    using IdentityKey identity = IdentityFile.LoadOrCreate(folder.IdentityPath);
                    _id = identity.PeerId;
                }

                return _id;
            }
        }
    }

    /// <summary>What the node is doing now.</summary>
    public NodeStatus Status => _runtime is { } runtime
        ? new NodeStatus(_state, runtime.Id, runtime.Connections.ListenAddresses, runtime.Connections.Connections.Count, runtime.ShareCount, runtime.Bitswap.BytesServed, runtime.Bitswap.BytesFetched)
        {
            Internet = runtime.Reaching?.Internet ?? Reachability.Unknown,
            Mappings = runtime.Reaching?.Mappings ?? [],
            BytesServedByPeer = runtime.Bitswap.BytesServedByPeer,
            Warnings = runtime.Warnings.ToList(),
            Dht = runtime.Dht.Status is { } dht ? runtime.Announcing.Describe(dht) with { Holders = runtime.Replicating?.Network.Count ?? 0 } : null,
        }
        : new NodeStatus(_state, _id, [], 0, 0, 0, 0);

    /// <summary>Pins and what the store holds.</summary>
    /// <exception cref="InvalidOperationException">The node does not run.</exception>
    public ContentStore Store => new(Runtime);

    /// <summary>Opens the data folder and the listeners. Does nothing when it runs already; a cancelled or failed start leaves nothing open.</summary>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="ArgumentException">An option is wrong; the message lists each with its key.</exception>
    /// <exception cref="P2PException">The folder is in use, of a newer version, damaged or not writable, or no address could be listened on.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        await _lifecycle.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_runtime is not null)
                return;
            NodeSettings settings = NodeSettings.From(_options);
            _state = NodeState.Starting;
            try
            {
                _runtime = await NodeRuntime.StartAsync(settings, _seams, cancellationToken).ConfigureAwait(false);
                lock (_gate)
                    _id = _runtime.Id;
            }
            finally
            {
                _state = _runtime is null ? NodeState.Stopped : NodeState.Running;
            }
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>Begins to accept connections, if the node does not yet: for one that was started with <see cref="P2PNodeOptions.Listen"/> off.</summary>
    /// <param name="addresses">Where; none: as <see cref="P2PNodeOptions.ListenAddresses"/> does by default.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>Whether it began now; false when it listened already, wherever that is.</returns>
    /// <exception cref="ArgumentException">An address is none to listen on.</exception>
    /// <exception cref="P2PException">No address could be listened on.</exception>
    /// <exception cref="InvalidOperationException">The node does not run.</exception>
    public Task<bool> ListenAsync(IReadOnlyCollection<string>? addresses = null, CancellationToken cancellationToken = default)
    {
        NodeRuntime runtime = Runtime;
        return runtime.ListenAsync(NodeSettings.From(new P2PNodeOptions { DataDirectory = runtime.Settings.DataDirectory, Listen = true, ListenAddresses = [.. addresses ?? []] }), cancellationToken);
    }

    /// <summary>Ends transfers at a block boundary and closes everything. Does nothing when it does not run; it may be started again.</summary>
    /// <param name="cancellationToken">Ends the waiting for peers; what is on disk is closed properly all the same.</param>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await _lifecycle.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_runtime is not { } runtime)
                return;
            _state = NodeState.Stopping;
            _runtime = null;
            await runtime.StopAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _state = NodeState.Stopped;
            _lifecycle.Release();
        }
    }

    /// <summary>What the node is doing now and then each change, at most twice a second, only the latest kept. Ends when the node is disposed.</summary>
    /// <param name="cancellationToken">Ends the watching.</param>
    public async IAsyncEnumerable<NodeStatus> WatchStatusAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        NodeStatus? last = null;
        using var timer = new PeriodicTimer(StatusInterval, _seams.Time);
        while (!_disposed)
        {
            NodeStatus now = Status;
            if (last is null || !IsSame(now, last))
                yield return now;
            last = now;
            await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Shares a file or folder in place: nothing is copied. Reachable when this returns.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far the import is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing is shared then.</param>
    /// <exception cref="P2PException">It cannot be found or read, or changed while it was read.</exception>
    public Task<Share> ShareAsync(string path, ShareOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ShareAsync([path], options, progress, cancellationToken);
    }

    /// <summary>Shares several files and folders as one folder that holds them.</summary>
    /// <param name="paths">Files and folders with different names; one alone is shared as itself.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far the import is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing is shared then.</param>
    /// <exception cref="ArgumentException">None are given, or two have the same name.</exception>
    /// <exception cref="P2PException">One cannot be found or read, or changed while it was read.</exception>
    public Task<Share> ShareAsync(IReadOnlyCollection<string> paths, ShareOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return new Sharing(Runtime).ShareAsync(paths, options ?? new ShareOptions(), progress, cancellationToken);
    }

    /// <summary>Shares what a stream holds; it is copied into the data folder.</summary>
    /// <param name="content">Read from its position to its end; not disposed.</param>
    /// <param name="name">The name in the link.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far the import is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing is shared then.</param>
    /// <exception cref="P2PException">The data folder is full or its quota is.</exception>
    public Task<Share> ShareAsync(Stream content, string name, ShareOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new Sharing(Runtime).ShareAsync(content, name, options ?? new ShareOptions(), progress, cancellationToken);
    }

    /// <summary>What this node shares, from earlier runs too. Looks at each shared file, without reading it, and says which are not what they were.</summary>
    /// <param name="cancellationToken">Ends the listing.</param>
    public async IAsyncEnumerable<Share> GetSharesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var sharing = new Sharing(Runtime);
        foreach (PinId pin in sharing.GetPins())
        {
            if (await Task.Run(() => sharing.Describe(pin, cancellationToken), cancellationToken).ConfigureAwait(false) is { } share)
                yield return share;
        }
    }

    /// <summary>Stops sharing; the files stay untouched. Holders of copies are told to let go of them, and it is waited for that; who cannot be reached, or a node
    /// without the DHT cannot tell, keeps them until its lease ends (<see cref="Share.ReplicasUntil"/>). Cancelled, it is not shared any more and the rest of the holders was not told.</summary>
    /// <returns>Whether it was shared.</returns>
    public Task<bool> StopSharingAsync(Cid root, CancellationToken cancellationToken = default) => new Sharing(Runtime).StopAsync(root, cancellationToken);

    /// <summary>Fetches to exactly <paramref name="targetPath"/>: verified, flushed, renamed. The same call again resumes.</summary>
    /// <param name="link">What to fetch.</param>
    /// <param name="targetPath">The file or folder to become; its parent must exist.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far it is, at most 10 times a second plus the last.</param>
    /// <param name="cancellationToken">Ends it at a block boundary; what is verified stays.</param>
    /// <exception cref="P2PException">Nobody has it, it did not verify, the target exists, or the disk refused.</exception>
    public Task<FetchResult> FetchAsync(ShareLink link, string targetPath, FetchOptions? options = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentException.ThrowIfNullOrEmpty(targetPath);
        return new Fetching(Runtime).FetchAsync(link, targetPath, options ?? new FetchOptions(), progress, cancellationToken);
    }

    /// <summary>Starts a fetch that can be watched and cancelled; see <see cref="FetchAsync"/>.</summary>
    /// <param name="link">What to fetch.</param>
    /// <param name="targetPath">The file or folder to become; its parent must exist.</param>
    /// <param name="options">How; null: by the defaults.</param>
    public Transfer StartFetch(ShareLink link, string targetPath, FetchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentException.ThrowIfNullOrEmpty(targetPath);
        var fetching = new Fetching(Runtime);
        return new Transfer((progress, cancellationToken) => fetching.FetchAsync(link, targetPath, options ?? new FetchOptions(), progress, cancellationToken));
    }

    /// <summary>Opens one file for reading without fetching the rest: seekable, every byte verified before it is returned.</summary>
    /// <param name="link">A file, or a folder with <paramref name="path"/>.</param>
    /// <param name="path">The file inside the folder, segments separated by <c>/</c>.</param>
    /// <param name="cancellationToken">Ends the opening; reads have tokens of their own.</param>
    /// <exception cref="P2PException">Nobody has it, or there is no such file.</exception>
    public Task<Stream> OpenReadAsync(ShareLink link, string? path = null, CancellationToken cancellationToken = default) =>
        OpenReadAsync(link, path, new ReadOptions(), cancellationToken);

    /// <summary>Opens one file for reading without fetching the rest: seekable, every byte verified before it is returned.</summary>
    /// <remarks>Memory: up to 16 MiB that are loaded ahead of a reader that goes on, besides the block that it reads, and for each content that is being read
    /// 32 MiB of blocks that were read a moment ago, which all its readers share.</remarks>
    /// <param name="link">A file, or a folder with <paramref name="path"/>.</param>
    /// <param name="path">The file inside the folder, segments separated by <c>/</c>; null: the link's own.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Ends the opening; reads have tokens of their own.</param>
    /// <exception cref="P2PException">Nobody has it, or there is no such file.</exception>
    public Task<Stream> OpenReadAsync(ShareLink link, string? path, ReadOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(options);
        return new Fetching(Runtime).OpenReadAsync(link, path, options, cancellationToken);
    }

    /// <summary>The name that a share has: the link's label, or of a private share the name inside it, for which its root is fetched. A claim, not a safe file name.</summary>
    /// <param name="link">The link.</param>
    /// <param name="options">Whom to ask besides and how long to wait; null: by the defaults.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <returns>The name; null when the link has none.</returns>
    /// <exception cref="P2PException">Nobody has it, or the key does not open it.</exception>
    public Task<string?> GetNameAsync(ShareLink link, FetchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        return new Fetching(Runtime).GetNameAsync(link, options ?? new FetchOptions(), cancellationToken);
    }

    /// <summary>Lists a folder, or the one entry of a file, without fetching file contents.</summary>
    /// <param name="link">What to list.</param>
    /// <param name="path">Where to begin; null: the root.</param>
    /// <param name="recursive">Whether folders inside are listed too.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="P2PException">Nobody has it, or there is no such path.</exception>
    public IAsyncEnumerable<ContentEntry> ListAsync(ShareLink link, string? path = null, bool recursive = true, CancellationToken cancellationToken = default) =>
        ListAsync(link, path, recursive, new ReadOptions(), cancellationToken);

    /// <summary>Lists a folder, or the one entry of a file, without fetching file contents.</summary>
    /// <param name="link">What to list.</param>
    /// <param name="path">Where to begin; null: the root.</param>
    /// <param name="recursive">Whether folders inside are listed too.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="P2PException">Nobody has it, or there is no such path.</exception>
    public IAsyncEnumerable<ContentEntry> ListAsync(ShareLink link, string? path, bool recursive, ReadOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(options);
        return new Fetching(Runtime).ListAsync(link, path, recursive, options, cancellationToken);
    }

    /// <summary>
    /// Finds out whether others reach this node, and what is in the way: waits for the router's answer, has up to three peers outside dial the addresses
    /// that may work (AutoNAT v2), and looks whether multicast gets through on the local network. Takes up to 15 seconds.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">The node does not run.</exception>
    public Task<ReachabilityReport> DiagnoseAsync(CancellationToken cancellationToken = default) => Runtime.DiagnoseAsync(cancellationToken);

    /// <summary>
    /// Counts the copies of a share that others keep. Of a share of this node each holder that gave a receipt has to prove that it can get a block now; of
    /// another the holders closest to each run are asked what they hold, and each has to send one block.
    /// </summary>
    /// <param name="link">A share of this node, or of anybody.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <exception cref="P2PException">Unreachable: of a share of another node nobody answers who has its inner nodes. Integrity: it is no content that we know.</exception>
    public Task<HealthReport> GetHealthAsync(ShareLink link, CancellationToken cancellationToken = default) => GetHealthAsync(link, new ReadOptions(), cancellationToken);

    /// <inheritdoc cref="GetHealthAsync(ShareLink, CancellationToken)"/>
    /// <param name="link">A share of this node, or of anybody.</param>
    /// <param name="options">How the inner nodes of another's share are read, which say what its runs are.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    public Task<HealthReport> GetHealthAsync(ShareLink link, ReadOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(options);
        return Replicating(Runtime).CheckAsync(link, options, cancellationToken);
    }

    /// <summary>Renews the leases under which others keep copies of a share, and makes good what is missing.</summary>
    /// <param name="link">A share of this node that was shared with replicas.</param>
    /// <param name="cancellationToken">Ends it; what was renewed stays renewed.</param>
    /// <exception cref="P2PException">NotFound: it is not replicated from here.</exception>
    public Task<HealthReport> RenewReplicasAsync(ShareLink link, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        return Replicating(Runtime).RenewAsync(link.Root, cancellationToken);
    }

    /// <summary>Connects to a peer, or returns the connection that exists.</summary>
    /// <param name="address">Its address, ending in <c>/p2p/ID</c>.</param>
    /// <param name="cancellationToken">Ends the dial.</param>
    /// <exception cref="P2PException">It cannot be reached; the attempts say why.</exception>
    public async Task<PeerInfo> ConnectAsync(Multiaddress address, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        NodeRuntime runtime = Runtime;
        return runtime.Describe(await runtime.Connections.ConnectAsync(address, AddressOrigin.User, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The peers of the local network that make themselves known there, by multicast DNS or by beacons, and those that were reached there before; then each change, until the node stops.</summary>
    /// <param name="cancellationToken">Ends the watching.</param>
    /// <exception cref="InvalidOperationException">The node does not run, or does not look at the local network (<see cref="LanOptions.Enabled"/>, or it listens on loopback only).</exception>
    public IAsyncEnumerable<LanChange> WatchLanAsync(CancellationToken cancellationToken = default) =>
        (Runtime.Lan ?? throw new InvalidOperationException("This node does not look for peers on the local network: it was told not to, or it lives on this machine alone.")).WatchAsync(cancellationToken);

    /// <summary>The peer of the local network from which something came under a name, as <see cref="RememberLanPeerAsync"/> was told; null: none is remembered.</summary>
    /// <param name="name">The name, as <see cref="LanItem.Name"/> has it.</param>
    /// <exception cref="InvalidOperationException">The node does not run.</exception>
    /// <remarks>Names are claims: when another peer offers one, ask before you take it.</remarks>
    public PeerId? GetLanPeer(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Runtime.LanNames.Find(name);
    }

    /// <summary>Remembers the peer of the local network from which something came under a name, in place of any other; the 256 names used last are kept.</summary>
    /// <param name="name">The name, as <see cref="LanItem.Name"/> has it.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="cancellationToken">Ends the waiting; it may be remembered all the same.</param>
    /// <exception cref="InvalidOperationException">The node does not run.</exception>
    public Task RememberLanPeerAsync(string name, PeerId peer, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return peer.IsEmpty ? throw new ArgumentException("It names no peer.", nameof(peer)) : Runtime.LanNames.SetAsync(name, peer, cancellationToken);
    }

    /// <summary>The connected peers now.</summary>
    public IReadOnlyList<PeerInfo> GetPeers() => _runtime is { } runtime ? [.. runtime.Connections.Connections.Select(runtime.Describe)] : [];

    /// <summary>The DHT of our own nodes, for tests beside other implementations; null while it does not run or takes no part.</summary>
    internal DhtNode? Dht => _runtime?.Dht.Own;

    private static Replicating Replicating(NodeRuntime runtime) =>
        runtime.Replicating ?? throw new InvalidOperationException("This node takes no part in the DHT, so it has no replicas.");

    private NodeRuntime Runtime => _runtime ?? throw new InvalidOperationException("The node does not run: await StartAsync first.");

    /// <summary>Stops the node if it runs.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        _ownMetrics?.Dispose();
    }

    // a record compares its lists by reference; what was served to whom changes only with the sum
    private static bool IsSame(NodeStatus now, NodeStatus last) =>
        now.Addresses.SequenceEqual(last.Addresses) && now.Warnings.SequenceEqual(last.Warnings) && now.Mappings.SequenceEqual(last.Mappings) &&
        now with { Addresses = last.Addresses, Warnings = last.Warnings, Mappings = last.Mappings, BytesServedByPeer = last.BytesServedByPeer } == last;

    private static NodeSeams NodeSeamsOf(ILoggerFactory? loggers, IMeterFactory? meters, TimeProvider? time)
    {
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        return new NodeSeams(time, new Random(), [new TcpTransport(time, loggers.CreateLogger<TcpTransport>())], loggers, new P2PMetrics(meters)) { Lan = new LanSystem(time), Gateways = new GatewaySystem(time) };
    }

    private static async Task<P2PNode> StartNewAsync(P2PNode node, CancellationToken cancellationToken)
    {
        try
        {
            await node.StartAsync(cancellationToken).ConfigureAwait(false);
            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<ContentEntry> HashAsync(string path, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var importer = new Importer(store: null, new BlockBufferPool(), new ImportOptions());
        ThrottledProgress<ImportProgress>? reports = progress is null ? null : new ThrottledProgress<ImportProgress>(progress, TimeProvider.System);
        ImportResult result = await importer.ImportAsync([Path.GetFullPath(path)], default, reports, cancellationToken).ConfigureAwait(false);
        reports?.ReportHeldBack();
        return new ContentEntry(path, result.Kind, result.Bytes, result.Root);
    }
}
