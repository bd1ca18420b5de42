using System.Text;
using P2P.Core.Content;
using P2P.Core.Exchange;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Keeps content because the user said so: fetches what is missing into the store under a pin that is taken first.</summary>
internal sealed class Pinning(NodeRuntime runtime)
{
    private const string ResumePrefix = "pin:";

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Pins; see <see cref="ContentStore.PinAsync"/>.</summary>
    public Task<PinnedContent> PinAsync(ShareLink link, PinOptions options, IProgress<TransferProgress>? progress, CancellationToken cancellationToken) =>
        runtime.RunAsync(stopping => PinHereAsync(link, options, progress, stopping), cancellationToken);

    /// <summary>Everything that is kept, oldest first.</summary>
    public IEnumerable<PinnedContent> GetPins() => runtime.Store.GetPins().Select(ToContent);

    /// <summary>Lets go of what was pinned, tries that ended early included.</summary>
    public async Task<bool> UnpinAsync(Cid root, CancellationToken cancellationToken)
    {
        string[] keys = [ResumeKeyOf(root, isPrivate: false), ResumeKeyOf(root, isPrivate: true)];
        PinId?[] begun = [.. keys.Select(key => runtime.Store.GetResume(key)?.Pin)];
        Pin[] pins = [.. runtime.Store.GetPins().Where(pin => (pin.Kind == PinKind.Kept && pin.Root == root) || begun.Contains(pin.Id))];
        if (pins.Length == 0)
            return false;
        using StoreBatch batch = runtime.Store.BeginBatch();
        foreach (string key in keys)
            batch.RemoveResume(key);
        foreach (Pin pin in pins)
            batch.RemovePin(pin.Id);
        await batch.CommitAsync(Durability.Flushed, cancellationToken).ConfigureAwait(false);
        runtime.Garbage.Signal();
        return true;
    }

    private async Task<PinnedContent> PinHereAsync(ShareLink link, PinOptions options, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        Fetching.RefuseUnverifiable(link);
        using ShareSecret? secret = ShareSecret.Of(link);
        BlockForm form = ShareSecret.FormOf(secret, runtime.Buffers);
        List<PeerHint> hints = Fetching.HintsOf(link, options.ExtraPeers);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        BitswapSession session = runtime.Bitswap.OpenSession(link.Root, runtime.FindProviders(hints), askStore: true);
        await using (session.ConfigureAwait(false))
        {
            var patient = new PatientSource(session, session, runtime.Time, new ReadOptions { StallTimeout = options.StallTimeout });
            Cid root = string.IsNullOrEmpty(link.Path)
                ? link.Root
                : (await new DagReader(patient).ResolveAsync(link.Root, link.Path, cancellationToken).ConfigureAwait(false)).Cid;
            string name = options.Name ?? (secret is null ? NameIn(link) : await new DagReader(patient, keeper: null, form).NameAsync(root, cancellationToken).ConfigureAwait(false) ?? "");
            (Pin pin, bool isNew) = await TakePinAsync(root, name, hints, secret is null ? [] : runtime.ShareKeys.Wrap(secret.Key), cancellationToken).ConfigureAwait(false);
            var keeper = new ContentKeeper(session, runtime.Store, pin.Id, form);
            Task keep = keeper.KeepAsync(root, stop.Token);
            P2PException? stalled = await WatchAsync(keep, keeper, session, options.StallTimeout, progress, stop).ConfigureAwait(false);
            try
            {
                await keep.ConfigureAwait(false);
            }
            catch (Exception e)
            {
                if (keeper.Blocks == 0 && isNew)
                    await LetGoAsync(pin).ConfigureAwait(false); // nothing to go on from
                if (e is OperationCanceledException && stalled is not null)
                    throw new P2PException(stalled.Code, stalled.Message, e) { IsTransient = stalled.IsTransient, Attempts = stalled.Attempts };
                throw;
            }

            pin = pin with { Kind = PinKind.Kept, Bytes = keeper.Bytes, Blocks = keeper.Blocks };
            await SettleAsync(pin).ConfigureAwait(false);
            return ToContent(pin) with { BytesReused = keeper.ReusedBytes };
        }
    }

    /// <summary>The pin that an earlier try left, with what it keeps, or a new one.</summary>
    private async Task<(Pin Pin, bool IsNew)> TakePinAsync(Cid root, string name, List<PeerHint> hints, byte[] wrappedKey, CancellationToken cancellationToken)
    {
        string key = ResumeKeyOf(root, wrappedKey.Length > 0);
        var pin = new Pin { Kind = PinKind.Temporary, Root = root, Name = name, Hints = WriteHints(hints), WrappedKey = wrappedKey };
        if (runtime.Store.GetResume(key) is { } earlier && runtime.Store.TryGetPin(earlier.Pin, out Pin? known))
            return (pin with { Id = earlier.Pin, CreatedAt = known!.CreatedAt }, IsNew: false);
        pin = pin with { CreatedAt = runtime.Time.GetUtcNow() };
        pin = pin with { Id = await runtime.Store.AddPinAsync(pin, cancellationToken).ConfigureAwait(false) };
        using StoreBatch batch = runtime.Store.BeginBatch(pin.Id);
        batch.SetResume(new ResumeState(key, root, "", "", pin.Id));
        await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
        return (pin, IsNew: true);
    }

    /// <summary>Takes back a pin that holds nothing yet; earlier ones of the same content stay.</summary>
    private async Task LetGoAsync(Pin pin)
    {
        using StoreBatch batch = runtime.Store.BeginBatch();
        batch.RemoveResume(ResumeKeyOf(pin.Root, !pin.WrappedKey.IsEmpty));
        batch.RemovePin(pin.Id);
        await batch.CommitAsync(Durability.Flushed, CancellationToken.None).ConfigureAwait(false);
        runtime.Garbage.Signal();
    }

    private async Task SettleAsync(Pin pin)
    {
        using StoreBatch batch = runtime.Store.BeginBatch(pin.Id);
        batch.UpdatePin(pin);
        batch.RemoveResume(ResumeKeyOf(pin.Root, !pin.WrappedKey.IsEmpty));

        // Pinned again: this one takes its place, with the same blocks. Without its key the root of a private share is one block and nothing below it.
        foreach (Pin earlier in runtime.Store.GetPins().Where(p => p.Kind == PinKind.Kept && p.Root == pin.Root && p.WrappedKey.Span.SequenceEqual(pin.WrappedKey.Span) && p.Id != pin.Id))
            batch.RemovePin(earlier.Id);
        await batch.CommitAsync(Durability.Flushed, CancellationToken.None).ConfigureAwait(false);
        if (!runtime.Store.TryGetPin(pin.Id, out _))
            throw new P2PException(P2PErrorCode.NotFound, $"The pin of {pin.Root} was removed while it was being made. Pin it again to keep it.");
    }

    /// <summary>Names the try, so that it goes on from what an earlier one left: with a key it walks another tree than without.</summary>
    private static string ResumeKeyOf(Cid root, bool isPrivate) => ResumePrefix + root + (isPrivate ? "#" : "");

    /// <summary>Reports progress and ends the work when it stands still for too long; returns why it did.</summary>
    private async Task<P2PException?> WatchAsync(
        Task keep, ContentKeeper keeper, BitswapSession session, TimeSpan limit, IProgress<TransferProgress>? progress, CancellationTokenSource stop)
    {
        ThrottledProgress<TransferProgress>? reports = progress is null ? null : new ThrottledProgress<TransferProgress>(progress, runtime.Time);
        var watch = new StallWatch(runtime.Time, limit, runtime.Time.GetTimestamp());
        using var timer = new PeriodicTimer(LookInterval, runtime.Time);
        P2PException? stalled = null;
        while (!keep.IsCompleted)
        {
            Task<bool> tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
            await Task.WhenAny(keep, tick).ConfigureAwait(false);
            SessionStatistics statistics = session.Statistics;
            watch.Look(statistics.VerifiedBytes + keeper.Bytes, runtime.Time.GetTimestamp(), statistics.IsHeldBack);
            reports?.Report(ToProgress(keeper, statistics, watch.Duration is { } still ? new StallReason(still, session.Attempts) : null));
            if (stalled is null && watch.IsOver && !keep.IsCompleted)
            {
                stalled = StallWatch.ToException(statistics, session.Unreached, session.Attempts, statistics.VerifiedBytes > 0, limit);
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }

        reports?.ReportLast(ToProgress(keeper, session.Statistics, null));
        return stalled;
    }

    private static TransferProgress ToProgress(ContentKeeper keeper, SessionStatistics session, StallReason? stall)
    {
        double rate = session.BytesPerSecond;
        TimeSpan? left = keeper.TotalBytes is { } total && rate >= 1 ? TimeSpan.FromSeconds(Math.Min((total - keeper.Bytes) / rate, TimeSpan.FromDays(3650).TotalSeconds)) : null;
        return new TransferProgress(keeper.Bytes, keeper.TotalBytes, rate, session.Peers, left, stall) { ReusedBytes = keeper.ReusedBytes };
    }

    private static string NameIn(ShareLink link) => link.Path is { Length: > 0 } path ? path[(path.LastIndexOf('/') + 1)..] : link.Label ?? "";

    /// <summary>Peers as a pin keeps them, for when a block is lost. Never a key.</summary>
    internal static byte[] WriteHints(IReadOnlyList<PeerHint> hints) => Encoding.ASCII.GetBytes(LinkHints.Encode([], hints));

    private static PinnedContent ToContent(Pin pin) => new(pin.Root, pin.Name, pin.Kind.ToPurpose(), pin.Bytes, pin.Blocks, pin.CreatedAt) { Path = pin.Path };
}
