using Microsoft.Extensions.Logging;
using P2P.Core.Catalogue;
using P2P.Core.Content;
using P2P.Core.Diagnostics;
using P2P.Core.Replication;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Shares: imports under a pin that is taken first, makes the pin a share, and prints links.</summary>
internal sealed class Sharing(NodeRuntime runtime)
{
    private const string ManyFiles = "files";
    private const int MaxChangedListed = 1000;

    /// <summary>How long a link waits for the router's answer: one that does not come keeps nobody from sharing.</summary>
    private static readonly TimeSpan MappingPatience = TimeSpan.FromSeconds(4);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger("P2P.Core.Node");

    public Task<Share> ShareAsync(IReadOnlyCollection<string> paths, ShareOptions options, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        string[] full = [.. paths.Select(Path.GetFullPath)];
        return runtime.RunAsync(
            async stopping =>
            {
                await Task.Run(() => ShareRules.Check(full, options, stopping), stopping).ConfigureAwait(false);
                return await ShareAsync((importer, pin, reports) => importer.ImportAsync(full, pin, reports, stopping), options, full, ownName: null, progress, stopping).ConfigureAwait(false);
            },
            cancellationToken);
    }

    public Task<Share> ShareAsync(Stream content, string name, ShareOptions options, IProgress<ImportProgress>? progress, CancellationToken cancellationToken) =>
        runtime.RunAsync(
            stopping => ShareAsync((importer, pin, reports) => importer.ImportAsync(content, pin, reports, stopping), options, paths: [], name, progress, stopping),
            cancellationToken);

    public IEnumerable<PinId> GetPins() => runtime.Store.GetPins().Where(pin => pin.Kind == PinKind.Shared).Select(pin => pin.Id);

    /// <summary>A share as it is now; null when it is none any more.</summary>
    public Share? Describe(PinId id, CancellationToken cancellationToken)
    {
        if (!runtime.Store.TryGetPin(id, out Pin? pin) || pin!.Kind != PinKind.Shared)
            return null;
        if (!HasReadableKey(pin))
        {
            runtime.Warnings.Add("share_key", $"The key of the private share '{pin.Name}' cannot be unwrapped: the identity of this node is not the one that shared it. Share it again.");
            return null;
        }

        (IReadOnlyList<SourceFinding> found, int count) = runtime.Store.FindChangedFiles(pin, MaxChangedListed, cancellationToken);
        return ToShare(pin) with
        {
            ChangedFiles = [.. found.Select(file => new ChangedFile(file.Path, file.IsMissing ? FileChange.Missing : FileChange.Changed))],
            ChangedFileCount = count,
            ReplicasUntil = Targets.Find(pin.Root) is null ? null : new KeptReceipts(runtime.Store).UntilOf(pin.Root),
        };
    }

    public async Task<bool> StopAsync(Cid root, CancellationToken cancellationToken)
    {
        bool found = false;
        foreach (Pin pin in runtime.Store.GetPins().Where(pin => pin.Kind is PinKind.Shared or PinKind.Seeded && pin.Root == root))
            found |= await runtime.Store.RemovePinAsync(pin.Id, cancellationToken).ConfigureAwait(false);
        if (!found)
            return false;
        if (runtime.Lan?.Catalogue.Remove(root) == true)
            await runtime.Identify.PushAsync(cancellationToken).ConfigureAwait(false);
        runtime.Garbage.Signal();
        await ForgetCopiesAsync(root, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Copies of what is not shared any more are not wanted: their holders are told, as far as they can be. Without the DHT none can, and it is forgotten here all the same.</summary>
    private async Task ForgetCopiesAsync(Cid root, CancellationToken cancellationToken)
    {
        if (Targets.Find(root) is null)
            return;
        await Targets.SetAsync(root, null, cancellationToken).ConfigureAwait(false);
        if (runtime.Replicating is { } replicating)
            await replicating.ReleaseAsync(root, cancellationToken).ConfigureAwait(false);
        else
            await new KeptReceipts(runtime.Store).ForgetAsync(root, cancellationToken).ConfigureAwait(false);
    }

    private ReplicaTargets Targets => new(runtime.Store);

    private Replicating Replicating => runtime.Replicating ?? throw new InvalidOperationException("A node that takes no part in the DHT finds no holders: it cannot share with replicas.");

    private LanNetwork Lan => runtime.Lan ?? throw new InvalidOperationException("A node that does not look at the local network tells nobody there what it shares: it was told not to, or it lives on this machine alone.");

    private async Task TellOnLanAsync(Pin pin, bool isFolder, CancellationToken cancellationToken)
    {
        if (Lan.Catalogue.Add(new CatalogueItem(pin.Name, pin.Root, pin.Bytes, isFolder, runtime.Time.GetUtcNow())))
            await runtime.Identify.PushAsync(cancellationToken).ConfigureAwait(false); // that there is something to ask for
    }

    private async Task<Share> ShareAsync(
        Func<Importer, PinId, IProgress<ImportProgress>?, Task<ImportResult>> import,
        ShareOptions options,
        string[] paths,
        string? ownName,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        ImportOptions how = ShareRules.ForImport(options);
        if (options.Replicas > 0)
            _ = Replicating; // refuses before anything is written
        if (options.OnLan)
            _ = Lan; // likewise
        paths = [.. paths.Select(Path.TrimEndingDirectorySeparator)];
        using ShareSecret? secret = options.Private ? FindSecret(paths) ?? ShareSecret.New() : null;
        var pin = new Pin
        {
            Kind = PinKind.Temporary,
            Path = paths.Length == 1 ? paths[0] : null,
            Paths = paths.Length > 1 ? paths : [],
            WrappedKey = secret is null ? default : runtime.ShareKeys.Wrap(secret.Key),
        };
        how = ShareRules.ForSecret(how, secret, runtime.Buffers, storeKey: 0, options.Name ?? ownName); // refuses before anything is written
        PinId id = await runtime.Store.AddPinAsync(pin, cancellationToken).ConfigureAwait(false);
        ThrottledProgress<ImportProgress>? reports = progress is null ? null : new ThrottledProgress<ImportProgress>(progress, runtime.Time);
        ImportResult result;
        try
        {
            if (secret is not null)
                how = how with { Form = secret.ToForm(runtime.Buffers, await runtime.Store.AddShareKeyAsync(pin.WrappedKey, cancellationToken).ConfigureAwait(false)) };
            using (P2PActivities.Source.StartActivity(P2PActivities.Import))
                result = await import(new Importer(runtime.Store, runtime.Buffers, how), id, reports).ConfigureAwait(false);
            reports?.ReportHeldBack();
            runtime.Metrics.Imported(result.Bytes);
            string name = options.Name ?? ownName ?? (result.Name.Length > 0 ? result.Name : ManyFiles);
            pin = pin with
            {
                Id = id,
                Kind = PinKind.Shared,
                Root = result.Root,
                Name = name,
                AllowedPeers = [.. options.AllowedPeers ?? []],
                Bytes = result.Bytes,
                Blocks = result.Blocks,
            };
            using StoreBatch batch = runtime.Store.BeginBatch(id);
            batch.UpdatePin(pin);
            foreach (Pin earlier in runtime.Store.GetPins().Where(p => p.Kind == PinKind.Shared && p.Root == pin.Root && p.Id != id))
                batch.RemovePin(earlier.Id); // shared again: this one takes its place, with the same blocks
            await batch.CommitAsync(Durability.Flushed, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await runtime.Store.RemovePinAsync(id, CancellationToken.None).ConfigureAwait(false);
            runtime.Garbage.Signal();
            throw;
        }

        runtime.Bitswap.OnBlockAvailable(pin.Root); // whoever asked before asks for the rest as soon as it has the root
        NodeLog.Shared(_logger, pin.Name, pin.Root, pin.Bytes, pin.Blocks);
        if (runtime.Reaching is { } reaching)
            await reaching.WaitForMappingAsync(MappingPatience, cancellationToken).ConfigureAwait(false); // the link has the address then
        Share share = ToShare(pin) with { Unreadable = result.Unreadable, Skipped = result.Skipped, BytesAlreadyThere = result.BytesAlreadyThere };
        if (options.Replicas > 0)
            share = share with { Replicas = options.Replicas };
        if (options.OnLan)
            await TellOnLanAsync(pin, result.Kind == ContentKind.Directory, cancellationToken).ConfigureAwait(false);
        options.Ready?.Invoke(share);
        Announcement announced = AnnouncedBlocks.MayAnnounce(pin) ? await runtime.Announcing.AnnounceAsync(pin.Root, cancellationToken).ConfigureAwait(false) : default;
        HealthReport? health = options.Replicas == 0 ? null : await Replicating.ReplicateAsync(pin, options.Replicas, cancellationToken).ConfigureAwait(false);
        return share with { Announced = announced, Health = health };
    }

    /// <summary>The key with which the same paths are shared already; null when they are not, as with a stream.</summary>
    private ShareSecret? FindSecret(string[] paths)
    {
        if (paths.Length == 0)
            return null;
        Pin? same = runtime.Store.GetPins().LastOrDefault(
            pin => pin.Kind == PinKind.Shared && !pin.WrappedKey.IsEmpty && (pin.Path is { } path ? [path] : pin.Paths).SequenceEqual(paths, StringComparer.Ordinal));
        return same is null ? null : ShareSecret.Unwrap(runtime.ShareKeys, same.WrappedKey);
    }

    private bool HasReadableKey(Pin pin)
    {
        using ShareSecret? secret = pin.WrappedKey.IsEmpty ? null : ShareSecret.Unwrap(runtime.ShareKeys, pin.WrappedKey);
        return pin.WrappedKey.IsEmpty || secret is not null;
    }

    private Share ToShare(Pin pin) => new(pin.Root, LinkTo(pin), pin.Name, pin.Bytes, pin.Blocks, new Announcement(0, 0, Verified: false))
    {
        Path = pin.Path,
        Paths = pin.Paths,
        Private = !pin.WrappedKey.IsEmpty,
        AllowedPeers = pin.AllowedPeers,
        Replicas = Targets.Find(pin.Root) ?? 0,
    };

    private ShareLink LinkTo(Pin pin)
    {
        PeerHint[] own = [new PeerHint(runtime.Id, [.. (runtime.Reaching?.ForLinks ?? []).Union(runtime.Connections.ListenAddresses)])];
        if (pin.WrappedKey.IsEmpty)
            return ShareLink.Create(pin.Root, pin.Name, own);
        using ShareSecret secret = ShareSecret.Unwrap(runtime.ShareKeys, pin.WrappedKey)
            ?? throw new P2PException(P2PErrorCode.Store, $"The key of the private share '{pin.Name}' cannot be unwrapped: the identity of this node is not the one that shared it. Stop that share and share it again.");
        return ShareLink.CreatePrivate(pin.Root, secret.Key, own);
    }
}
