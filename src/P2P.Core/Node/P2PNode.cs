using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace P2P.Core;

/// <summary>A peer: shares, finds, fetches. Thread-safe. Opens nothing until started.</summary>
public sealed class P2PNode : IAsyncDisposable
{
    /// <summary>Prepares a node; nothing is opened and nothing is written before <see cref="StartAsync(CancellationToken)"/>, but for the identity when <see cref="Id"/> is read.</summary>
    /// <param name="options">How it is set up; copied at start.</param>
    /// <param name="loggers">Where its log goes; null: nowhere.</param>
    /// <param name="meters">Where its metrics go; null: a meter of its own named <see cref="P2PDiagnostics.MeterName"/>.</param>
    /// <param name="time">Its clock; null: the system's.</param>
    public P2PNode(P2PNodeOptions? options = null, ILoggerFactory? loggers = null, IMeterFactory? meters = null, TimeProvider? time = null) => throw new NotImplementedException();

    /// <summary>Creates a node and starts it: the five-line way.</summary>
    /// <exception cref="ArgumentException">An option is wrong; the message lists each with its key.</exception>
    /// <exception cref="P2PException">The folder is in use, of a newer version, damaged or not writable, or no address could be listened on.</exception>
    public static Task<P2PNode> StartAsync(P2PNodeOptions options, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>The content id that sharing a file or folder would give, without sharing or storing anything. Needs no node and no data folder.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="progress">Told how far it is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing stays behind.</param>
    /// <exception cref="P2PException">It cannot be found or read.</exception>
    public static Task<ContentEntry> ComputeCidAsync(string path, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Who this node is. Valid before start: reads the identity in the data folder, or creates it.</summary>
    /// <exception cref="P2PException">The identity file cannot be read.</exception>
    public PeerId Id => throw new NotImplementedException();

    /// <summary>What the node is doing now.</summary>
    public NodeStatus Status => throw new NotImplementedException();

    /// <summary>Pins and what the store holds.</summary>
    /// <exception cref="InvalidOperationException">The node does not run.</exception>
    public ContentStore Store => throw new NotImplementedException();

    /// <summary>Opens the data folder and the listeners. Does nothing when it runs already; a cancelled or failed start leaves nothing open.</summary>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="ArgumentException">An option is wrong; the message lists each with its key.</exception>
    /// <exception cref="P2PException">The folder is in use, of a newer version, damaged or not writable, or no address could be listened on.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Ends transfers at a block boundary and closes everything. Does nothing when it does not run; it may be started again.</summary>
    /// <param name="cancellationToken">Ends the waiting for peers; what is on disk is closed properly all the same.</param>
    public Task StopAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>What the node is doing now and then each change, at most twice a second, only the latest kept. Ends when the node is disposed.</summary>
    /// <param name="cancellationToken">Ends the watching.</param>
    public IAsyncEnumerable<NodeStatus> WatchStatusAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Shares a file or folder in place: nothing is copied. Reachable when this returns.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far the import is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing is shared then.</param>
    /// <exception cref="P2PException">It cannot be found or read, or changed while it was read.</exception>
    public Task<Share> ShareAsync(string path, ShareOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Shares several files and folders as one folder that holds them.</summary>
    /// <param name="paths">Files and folders with different names; one alone is shared as itself.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far the import is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing is shared then.</param>
    /// <exception cref="ArgumentException">None are given, or two have the same name.</exception>
    /// <exception cref="P2PException">One cannot be found or read, or changed while it was read.</exception>
    public Task<Share> ShareAsync(IReadOnlyCollection<string> paths, ShareOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Shares what a stream holds; it is copied into the data folder.</summary>
    /// <param name="content">Read from its position to its end; not disposed.</param>
    /// <param name="name">The name in the link.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far the import is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; nothing is shared then.</param>
    /// <exception cref="P2PException">The data folder is full or its quota is.</exception>
    public Task<Share> ShareAsync(Stream content, string name, ShareOptions? options = null, IProgress<ImportProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>What this node shares, from earlier runs too.</summary>
    /// <param name="cancellationToken">Ends the listing.</param>
    public IAsyncEnumerable<Share> GetSharesAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Stops sharing; the files stay untouched.</summary>
    /// <returns>Whether it was shared.</returns>
    public Task<bool> StopSharingAsync(Cid root, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Fetches to exactly <paramref name="targetPath"/>: verified, flushed, renamed. The same call again resumes.</summary>
    /// <param name="link">What to fetch.</param>
    /// <param name="targetPath">The file or folder to become; its parent must exist.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far it is, at most 10 times a second plus the last.</param>
    /// <param name="cancellationToken">Ends it at a block boundary; what is verified stays.</param>
    /// <exception cref="P2PException">Nobody has it, it did not verify, the target exists, or the disk refused.</exception>
    public Task<FetchResult> FetchAsync(ShareLink link, string targetPath, FetchOptions? options = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Starts a fetch that can be watched and cancelled; see <see cref="FetchAsync"/>.</summary>
    /// <param name="link">What to fetch.</param>
    /// <param name="targetPath">The file or folder to become; its parent must exist.</param>
    /// <param name="options">How; null: by the defaults.</param>
    public Transfer StartFetch(ShareLink link, string targetPath, FetchOptions? options = null) => throw new NotImplementedException();

    /// <summary>Opens one file for reading without fetching the rest: seekable, every byte verified before it is returned.</summary>
    /// <param name="link">A file, or a folder with <paramref name="path"/>.</param>
    /// <param name="path">The file inside the folder, segments separated by <c>/</c>.</param>
    /// <param name="cancellationToken">Ends the opening; reads have tokens of their own.</param>
    /// <exception cref="P2PException">Nobody has it, or there is no such file.</exception>
    public Task<Stream> OpenReadAsync(ShareLink link, string? path = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Lists a folder, or the one entry of a file, without fetching file contents.</summary>
    /// <param name="link">What to list.</param>
    /// <param name="path">Where to begin; null: the root.</param>
    /// <param name="recursive">Whether folders inside are listed too.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="P2PException">Nobody has it, or there is no such path.</exception>
    public IAsyncEnumerable<ContentEntry> ListAsync(ShareLink link, string? path = null, bool recursive = true, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Connects to a peer, or returns the connection that exists.</summary>
    /// <param name="address">Its address, ending in <c>/p2p/ID</c>.</param>
    /// <param name="cancellationToken">Ends the dial.</param>
    /// <exception cref="P2PException">It cannot be reached; the attempts say why.</exception>
    public Task<PeerInfo> ConnectAsync(Multiaddress address, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>The connected peers now.</summary>
    public IReadOnlyList<PeerInfo> GetPeers() => throw new NotImplementedException();

    /// <summary>Stops the node if it runs.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
