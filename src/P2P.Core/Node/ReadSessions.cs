using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Exchange;

namespace P2P.Core.Node;

/// <summary>
/// The sessions that reads and lists use: all readers of the same content share one, with its providers and the blocks that were read a moment ago. It stays
/// open a short while after the last reader, so that who opens file after file, or closes and opens again, does not begin anew. Thread-safe.
/// </summary>
/// <remarks>Memory: at most <see cref="KeptBytesPerSession"/> of kept blocks for each content that is being read, besides what its readers hold themselves.</remarks>
internal sealed class ReadSessions(NodeRuntime runtime) : IAsyncDisposable
{
    /// <summary>Blocks kept for readers that go back (bytes): the head, the index and the neighbourhood of where a player is.</summary>
    private const long KeptBytesPerSession = 32 << 20;

    /// <summary>Sessions that nobody reads from and that stay open nevertheless (count); the oldest is closed first.</summary>
    private const int MaxIdle = 4;

    /// <summary>How long a session stays open after its last reader.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new(); // guards all fields below and the sessions' own
    private readonly Dictionary<Cid, Shared> _sessions = [];
    private readonly List<Shared> _idle = []; // the oldest first
    private readonly HashSet<Task> _closing = [];
    private bool _hasEnded;

    /// <summary>Sessions that are open, for tests.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _sessions.Count;
        }
    }

    /// <summary>A hold on the session of a content. The caller disposes it.</summary>
    /// <param name="root">The content.</param>
    /// <param name="hints">Who may have it; added to those that are known.</param>
    /// <param name="options">How this reader waits.</param>
    public ReadLease Lease(Cid root, IReadOnlyList<PeerHint> hints, ReadOptions options)
    {
        Shared? shared;
        IReadOnlyList<PeerHint> added = [];
        lock (_gate)
        {
            if (_hasEnded)
                throw new InvalidOperationException("The node is being stopped.");
            if (_sessions.TryGetValue(root, out shared))
            {
                added = shared.Providers.Add(hints);
                _idle.Remove(shared);
            }
            else
            {
                var providers = runtime.FindProviders(hints);
                BitswapSession session = runtime.Bitswap.OpenSession(root, providers, askStore: true);
                shared = new Shared(session, providers, new BlockCache(session, runtime.Buffers, KeptBytesPerSession));
                _sessions.Add(root, shared);
            }

            shared.Readers++;
        }

        foreach (PeerHint hint in added)
            shared.Session.AddProvider(hint.Peer); // dialed if need be
        return new ReadLease(this, shared, new PatientSource(shared.Session, shared.Cache, runtime.Time, options), new PatientSource(shared.Session, shared.Session, runtime.Time, options));
    }

    /// <summary>A reader has gone.</summary>
    internal void Release(Shared shared)
    {
        lock (_gate)
        {
            if (--shared.Readers > 0 || _hasEnded)
                return;
            _idle.Add(shared);
            if (_idle.Count > MaxIdle)
                Close(_idle[0]);
            if (shared.IsClosed)
                return;
            shared.IdleSince = runtime.Time.GetTimestamp();
            Track(CloseLaterAsync(shared, shared.IdleSince));
        }
    }

    /// <summary>Ends all of them; readers that are still there get no more blocks.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] closing;
        lock (_gate)
        {
            _hasEnded = true;
            foreach (Shared shared in _sessions.Values.ToList())
                Close(shared);
            closing = [.. _closing];
        }

        await Task.WhenAll(closing).ConfigureAwait(false);
    }

    private async Task CloseLaterAsync(Shared shared, long idleSince)
    {
        await Task.Delay(Linger, runtime.Time, runtime.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (shared is { Readers: 0, IsClosed: false } && shared.IdleSince == idleSince)
                Close(shared);
        }
    }

    /// <summary>Under the lock: nobody finds it any more, and it ends in the background.</summary>
    private void Close(Shared shared)
    {
        shared.IsClosed = true;
        _sessions.Remove(shared.Session.Root);
        _idle.Remove(shared);
        Track(shared.EndAsync());
    }

    private void Track(Task task)
    {
        if (task.IsCompleted)
            return;
        _closing.Add(task);
        _ = task.ContinueWith(
            ended =>
            {
                lock (_gate)
                    _closing.Remove(ended);
            },
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    /// <summary>One session and who holds it.</summary>
    internal sealed class Shared(BitswapSession session, ContentProviders providers, BlockCache cache)
    {
        public BitswapSession Session => session;

        public ContentProviders Providers => providers;

        public BlockCache Cache => cache;

        public int Readers { get; set; }

        public long IdleSince { get; set; }

        public bool IsClosed { get; set; }

        public async Task EndAsync()
        {
            await Task.Yield(); // not under the caller's lock
            cache.Dispose();
            await session.DisposeAsync().ConfigureAwait(false);
        }
    }
}

/// <summary>A reader's hold on the session of some content. Disposing it lets go, once.</summary>
/// <param name="sessions">Who opened it.</param>
/// <param name="shared">The session.</param>
/// <param name="source">Its blocks through the memory that its readers share.</param>
/// <param name="direct">Its blocks, for who wants each once.</param>
internal sealed class ReadLease(ReadSessions sessions, ReadSessions.Shared shared, IBlockSource source, IBlockSource direct) : IAsyncDisposable
{
    private int _isLetGo;

    /// <summary>Blocks for a reader, who may come back to them.</summary>
    public IBlockSource Source => source;

    /// <summary>Blocks for a walk that visits each once.</summary>
    public IBlockSource Direct => direct;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isLetGo, 1) == 0)
            sessions.Release(shared);
        return ValueTask.CompletedTask;
    }
}
