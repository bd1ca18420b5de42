using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Diagnostics;
using P2P.Core.Exchange;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Fetches, lists and reads what links lead to: one exchange session each.</summary>
internal sealed class Fetching(NodeRuntime runtime)
{
    /// <summary>How often a transfer is looked at for progress and stalls.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger("P2P.Core.Node");

    /// <summary>Fetches to exactly one path; see <see cref="P2PNode.FetchAsync"/>.</summary>
    public Task<FetchResult> FetchAsync(ShareLink link, string targetPath, FetchOptions options, IProgress<TransferProgress>? progress, CancellationToken cancellationToken) =>
        runtime.RunAsync(stopping => CountAsync(link, targetPath, options, progress, stopping), cancellationToken);

    private async Task<FetchResult> CountAsync(ShareLink link, string targetPath, FetchOptions options, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        using var activity = P2PActivities.Source.StartActivity(P2PActivities.Fetch);
        long began = runtime.Time.GetTimestamp();
        bool isCounted = runtime.Metrics.FetchStarted();
        FetchOutcome outcome = FetchOutcome.Failed;
        try
        {
            FetchResult result = await FetchAsync(link, targetPath, options, progress, began, cancellationToken).ConfigureAwait(false);
            outcome = FetchOutcome.Done;
            return result;
        }
        catch (P2PException error)
        {
            outcome = error.Code switch
            {
                P2PErrorCode.NotFound or P2PErrorCode.Unreachable => FetchOutcome.Unavailable,
                P2PErrorCode.Integrity => FetchOutcome.Corrupt,
                _ => FetchOutcome.Failed,
            };
            throw;
        }
        catch (OperationCanceledException)
        {
            outcome = FetchOutcome.Cancelled;
            throw;
        }
        finally
        {
            runtime.Metrics.FetchEnded(outcome, runtime.Time.GetElapsedTime(began), isCounted);
        }
    }

    private async Task<FetchResult> FetchAsync(
        ShareLink link, string targetPath, FetchOptions options, IProgress<TransferProgress>? progress, long began, CancellationToken cancellationToken)
    {
        RefuseUnverifiable(link);
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(targetPath));
        bool seed = options.Seed ?? runtime.Settings.ServeFetched;

        using ShareSecret? secret = ShareSecret.Of(link);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var providers = runtime.FindProviders(HintsOf(link, options.ExtraPeers));
        BitswapSession session = runtime.Bitswap.OpenSession(link.Root, providers, askStore: true);
        await using (session.ConfigureAwait(false))
        {
            byte[] wrappedKey = seed && secret is not null ? runtime.ShareKeys.Wrap(secret.Key) : [];
            Pin pin = await TakePinAsync(link.Root, target, seed, wrappedKey, Pinning.WriteHints(HintsOf(link, options.ExtraPeers)), stop.Token).ConfigureAwait(false);
            long storeKey;
            try
            {
                storeKey = wrappedKey.Length == 0 ? 0 : await runtime.Store.AddShareKeyAsync(wrappedKey, stop.Token).ConfigureAwait(false);
            }
            catch
            {
                await LetGoAsync(pin, target).ConfigureAwait(false);
                throw;
            }

            var how = new TreeFetchOptions { IfExists = options.IfExists, System = TargetSystems.Of(Path.GetDirectoryName(target) ?? target), Select = [.. options.Select], RecordPlaces = seed, Form = ShareSecret.FormOf(secret, runtime.Buffers, storeKey), OnServable = cid => runtime.Bitswap.OnBlockAvailable(cid) };
            var fetcher = new TreeFetcher(session, runtime.Store, runtime.Buffers, how, _logger);
            Task<TreeFetchResult> fetch = fetcher.FetchAsync(link.Root, PathOf(link, options.Path), target, pin.Id, stop.Token);
            P2PException? stalled = await WatchAsync(fetch, fetcher, session, options.StallTimeout, progress, stop).ConfigureAwait(false);
            TreeFetchResult result;
            try
            {
                result = await fetch.ConfigureAwait(false);
            }
            catch (Exception e)
            {
                await LetGoAsync(pin, target).ConfigureAwait(false);
                if (e is OperationCanceledException && stalled is not null)
                    throw new P2PException(stalled.Code, stalled.Message, e) { IsTransient = stalled.IsTransient, Attempts = stalled.Attempts };
                if (e is OperationCanceledException && runtime.Stopping.IsCancellationRequested)
                    throw new OperationCanceledException("The node was stopped; the same fetch resumes.", e, runtime.Stopping);
                throw;
            }

            await SettleAsync(pin, seed, target, result).ConfigureAwait(false);
            TimeSpan elapsed = runtime.Time.GetElapsedTime(began);
            long reused = Math.Min(result.BytesReused + session.Statistics.StoreBytes, result.Bytes);
            NodeLog.Fetched(_logger, result.Root, result.Bytes, reused, elapsed.TotalSeconds);
            return new FetchResult(result.Path, result.Root, result.Bytes, reused, elapsed, session.BytesByPeer, result.Renamed) { Files = result.Files, AlreadyThere = result.AlreadyThere, RenamedCount = result.RenamedCount };
        }
    }

    /// <summary>Lists content; see <see cref="P2PNode.ListAsync(ShareLink, string?, bool, ReadOptions, CancellationToken)"/>.</summary>
    public async IAsyncEnumerable<ContentEntry> ListAsync(ShareLink link, string? path, bool recursive, ReadOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using ShareSecret? secret = ShareSecret.Of(link);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, runtime.Stopping);
        ReadLease lease = Lease(link, options);
        await using (lease.ConfigureAwait(false))
        {
            var reader = new DagReader(lease.Source, keeper: null, ShareSecret.FormOf(secret, runtime.Buffers));
            await foreach (ContentEntry entry in reader.ListAsync(link.Root, PathOf(link, path), recursive, stop.Token).ConfigureAwait(false))
                yield return entry;
        }
    }

    /// <summary>Opens one file; what it reads from is held as long as the stream.</summary>
    public async Task<Stream> OpenReadAsync(ShareLink link, string? path, ReadOptions options, CancellationToken cancellationToken)
    {
        ReadLease lease = Lease(link, options);
        ShareSecret? secret = ShareSecret.Of(link);
        var owner = new OpenContent(lease, secret);
        try
        {
            var reader = new DagReader(lease.Source, keeper: null, ShareSecret.FormOf(secret, runtime.Buffers));
            VerifiedStream stream = await reader.OpenAsync(link.Root, PathOf(link, path), cancellationToken).ConfigureAwait(false);
            stream.Owner = owner;
            return stream;
        }
        catch
        {
            await owner.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The name of content; see <see cref="P2PNode.GetNameAsync"/>.</summary>
    public async Task<string?> GetNameAsync(ShareLink link, FetchOptions options, CancellationToken cancellationToken)
    {
        using ShareSecret? secret = ShareSecret.Of(link);
        if (secret is null)
            return link.Label;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, runtime.Stopping);
        ReadLease lease = Lease(link, new ReadOptions { StallTimeout = options.StallTimeout, ExtraPeers = options.ExtraPeers });
        await using (lease.ConfigureAwait(false))
            return await new DagReader(lease.Source, keeper: null, secret.ToForm(runtime.Buffers)).NameAsync(link.Root, stop.Token).ConfigureAwait(false);
    }

    /// <summary>A source of the link's blocks for a reader. Dispose it.</summary>
    public ReadLease Lease(ShareLink link, ReadOptions options)
    {
        RefuseUnverifiable(link);
        return runtime.Reading.Lease(link.Root, HintsOf(link, options.ExtraPeers), options);
    }

    /// <summary>Reports progress and ends the fetch when it stands still for too long; returns why it did.</summary>
    private async Task<P2PException?> WatchAsync(
        Task fetch, TreeFetcher fetcher, BitswapSession session, TimeSpan limit, IProgress<TransferProgress>? progress, CancellationTokenSource stop)
    {
        ThrottledProgress<TransferProgress>? reports = progress is null ? null : new ThrottledProgress<TransferProgress>(progress, runtime.Time);
        var watch = new StallWatch(runtime.Time, limit, runtime.Time.GetTimestamp());
        using var timer = new PeriodicTimer(LookInterval, runtime.Time);
        P2PException? stalled = null;
        while (!fetch.IsCompleted)
        {
            Task<bool> tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
            await Task.WhenAny(fetch, tick).ConfigureAwait(false);
            SessionStatistics statistics = session.Statistics;
            TreeFetchProgress done = fetcher.Progress;
            watch.Look(statistics.VerifiedBytes + done.VerifiedBytes, runtime.Time.GetTimestamp(), statistics.IsHeldBack);
            reports?.Report(ToProgress(done, statistics, session, watch));
            if (stalled is null && watch.IsOver && !fetch.IsCompleted)
            {
                stalled = StallWatch.ToException(statistics, session.Unreached, session.Attempts, statistics.VerifiedBytes > 0, limit);
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }

        reports?.ReportLast(ToProgress(fetcher.Progress, session.Statistics, session, watch) with { Stall = null });
        return stalled;
    }

    private static TransferProgress ToProgress(TreeFetchProgress done, SessionStatistics session, BitswapSession source, StallWatch watch)
    {
        double rate = session.BytesPerSecond;
        TimeSpan? left = done.TotalBytes is { } total && rate >= 1 ? TimeSpan.FromSeconds(Math.Min((total - done.VerifiedBytes) / rate, TimeSpan.FromDays(3650).TotalSeconds)) : null;
        StallReason? stall = watch.Duration is { } still ? new StallReason(still, source.Attempts) : null;
        return new TransferProgress(done.VerifiedBytes, done.TotalBytes, rate, session.Peers, left, stall) { ReusedBytes = done.ReusedBytes };
    }

    /// <summary>The pin that an earlier try of the same fetch left, with what it keeps, or a new one.</summary>
    private async Task<Pin> TakePinAsync(Cid root, string target, bool seed, byte[] wrappedKey, byte[] hints, CancellationToken cancellationToken)
    {
        var pin = new Pin { Kind = seed ? PinKind.Seeded : PinKind.Temporary, Root = root, Name = Path.GetFileName(target), Path = target, WrappedKey = wrappedKey, Hints = hints };
        if (runtime.Store.GetResume(TreeFetcher.ResumeKeyOf(target)) is not { } earlier || !runtime.Store.TryGetPin(earlier.Pin, out _))
            return pin with { Id = await runtime.Store.AddPinAsync(pin, cancellationToken).ConfigureAwait(false) };
        pin = pin with { Id = earlier.Pin };
        using StoreBatch batch = runtime.Store.BeginBatch(pin.Id);
        batch.UpdatePin(pin);
        await batch.CommitAsync(Durability.Flushed, cancellationToken).ConfigureAwait(false);
        return pin;
    }

    /// <summary>After a failure: the pin stays while there is something to go on from.</summary>
    private async Task LetGoAsync(Pin pin, string target)
    {
        if (runtime.Store.GetResume(TreeFetcher.ResumeKeyOf(target)) is { } resume && resume.Pin == pin.Id)
            return;
        await runtime.Store.RemovePinAsync(pin.Id, CancellationToken.None).ConfigureAwait(false);
        runtime.Garbage.Signal();
    }

    /// <summary>What becomes of the pin once the content lies at its target: a seed stays and is served from there, anything else is let go. The fetch is done by then, so it is not cancelled.</summary>
    private async Task SettleAsync(Pin pin, bool seed, string target, TreeFetchResult result)
    {
        using StoreBatch batch = runtime.Store.BeginBatch(pin.Id);
        if (result.AlreadyThere)
            batch.RemoveResume(TreeFetcher.ResumeKeyOf(target)); // a try that ended just before it could do so itself
        if (seed)
        {
            batch.UpdatePin(pin with { Root = result.Root, Path = result.Path, Bytes = result.Bytes, Blocks = result.Blocks });
            foreach (Pin earlier in runtime.Store.GetPins().Where(p => p.Kind == PinKind.Seeded && p.Root == result.Root && p.Path == result.Path && p.Id != pin.Id))
                batch.RemovePin(earlier.Id); // seeded again from the same place: this one takes its place, with the same blocks
        }
        else
        {
            batch.RemovePin(pin.Id);
        }

        await batch.CommitAsync(Durability.Flushed, CancellationToken.None).ConfigureAwait(false);
        runtime.Garbage.Signal();
        if (seed)
            await runtime.Announcing.AnnounceAsync(result.Root, CancellationToken.None).ConfigureAwait(false);
    }

    internal static void RefuseUnverifiable(ShareLink link)
    {
        if (!BlockVerification.IsAccepted(link.Root, out string? why))
            throw new P2PException(P2PErrorCode.Integrity, $"The content id {link.Root} cannot be verified: {why}");
    }

    private static string? PathOf(ShareLink link, string? path) =>
        string.IsNullOrEmpty(link.Path) ? path : string.IsNullOrEmpty(path) ? link.Path : $"{link.Path}/{path}";

    /// <summary>The link's peers and those given beside it, each once with all its addresses.</summary>
    internal static List<PeerHint> HintsOf(ShareLink link, IReadOnlyCollection<Multiaddress> extra)
    {
        IEnumerable<PeerHint> given = extra.Select(address => address.PeerId is { } peer
            ? new PeerHint(peer, [address.WithoutPeerId()])
            : throw new ArgumentException($"The address {address} does not end in /p2p/ID, which says who must answer there.", nameof(extra)));
        return [.. link.Peers.Concat(given).GroupBy(hint => hint.Peer).Select(group => new PeerHint(group.Key, [.. group.SelectMany(hint => hint.Addresses).Distinct()]))];
    }

    /// <summary>What an open stream needs for as long as it is read.</summary>
    private sealed class OpenContent(ReadLease lease, ShareSecret? secret) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await lease.DisposeAsync().ConfigureAwait(false);
            secret?.Dispose();
        }
    }
}
