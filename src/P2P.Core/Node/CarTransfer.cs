using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Writes archives of what links lead to, and takes archives into the store.</summary>
internal sealed class CarTransfer(NodeRuntime runtime)
{
    /// <summary>The most roots of an archive that is imported (count): each becomes a pin, and a walk over all that it leads to. Others write one, seldom two.</summary>
    private const int MaxRoots = 16;

    /// <summary>Changes that wait for one commit at most: small blocks wait in memory, large ones in files that are flushed together.</summary>
    private const int MaxBatchBytes = 64 << 20, MaxBatchBlocks = 4_096, MaxBatchBytesInMemory = 8 << 20;

    private readonly ILogger _logger = runtime.Loggers.CreateLogger("P2P.Core.Node");

    /// <summary>Writes all blocks below a link's content, depth first in the order of the links, each once.</summary>
    public Task<CarExportResult> ExportAsync(ShareLink link, Stream destination, CarExportOptions options, CancellationToken cancellationToken)
    {
        RefusePrivate(link);
        return runtime.RunAsync(stopping => ExportNowAsync(link, destination, options, stopping), cancellationToken);
    }

    /// <summary>The same to a path, whole or not at all.</summary>
    public Task<CarExportResult> ExportAsync(ShareLink link, string targetPath, CarExportOptions options, CancellationToken cancellationToken)
    {
        RefusePrivate(link);
        return runtime.RunAsync(
            async stopping =>
            {
                CarExportResult? result = null;
                string path = await CarFile.WriteAsync(
                    targetPath, options.IfExists, async file => result = await ExportNowAsync(link, file, options, stopping).ConfigureAwait(false), stopping).ConfigureAwait(false);
                return result! with { Path = path };
            },
            cancellationToken);
    }

    /// <summary>Takes an archive into the store and keeps it.</summary>
    public Task<CarImportResult> ImportAsync(Stream archive, CarImportOptions options, CancellationToken cancellationToken) =>
        runtime.RunAsync(stopping => ImportNowAsync(archive, options, stopping), cancellationToken);

    private static void RefusePrivate(ShareLink link)
    {
        if (link.HasKey)
            throw new P2PException(P2PErrorCode.Permission, "A private share cannot be written as an archive: whoever had the archive could not read it, and the archive would need every block named in clear. Fetch it instead.");
    }

    private ThrottledProgress<long>? ReportsOf(IProgress<long>? progress) => progress is null ? null : new ThrottledProgress<long>(progress, runtime.Time);

    private async Task<CarExportResult> ExportNowAsync(ShareLink link, Stream destination, CarExportOptions options, CancellationToken cancellationToken)
    {
        ReadLease lease = new Fetching(runtime).Lease(link, new ReadOptions { StallTimeout = options.StallTimeout, ExtraPeers = options.ExtraPeers, Stalled = options.Stalled });
        await using (lease.ConfigureAwait(false))
        {
            Cid root = link.Root;
            if (!string.IsNullOrEmpty(link.Path))
                root = (await new DagReader(lease.Source).ResolveAsync(root, link.Path, cancellationToken).ConfigureAwait(false)).Cid;
            ThrottledProgress<long>? reports = ReportsOf(options.Progress);
            var writer = new CarWriter(destination);
            var walk = new DagWalk(lease.Direct, root, cancellationToken);
            await using (walk.ConfigureAwait(false))
            {
                // the first block before the header: what nobody has leaves no file that begins like one
                NodeBlock? next = await walk.MoveNextAsync().ConfigureAwait(false);
                await writer.BeginAsync(root, cancellationToken).ConfigureAwait(false);
                for (; next is { } block; next = await walk.MoveNextAsync().ConfigureAwait(false))
                {
                    using (block)
                        await writer.WriteAsync(block.Cid, block.Bytes, cancellationToken).ConfigureAwait(false);
                    reports?.Report(writer.Bytes);
                }
            }

            await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
            reports?.ReportHeldBack();
            return new CarExportResult(root, writer.Blocks, writer.Bytes);
        }
    }

    private async Task<CarImportResult> ImportNowAsync(Stream archive, CarImportOptions options, CancellationToken cancellationToken)
    {
        CarReader reader = await CarReader.OpenAsync(archive, runtime.Buffers, options.AllowPadding, cancellationToken).ConfigureAwait(false);
        Cid[] roots = [.. reader.Roots.Distinct()];
        if (roots.Length is 0 or > MaxRoots)
            throw CarFault.At(reader.Position, roots.Length == 0 ? "it names no root, so nothing could be kept by its name" : $"it names {roots.Length} roots, more than {MaxRoots}");

        var pins = new List<Pin>();
        try
        {
            for (int i = 0; i < roots.Length; i++)
            {
                var pin = new Pin { Kind = PinKind.Temporary, Root = roots[i], Name = options.Name ?? "", CreatedAt = runtime.Time.GetUtcNow() };
                pins.Add(pin with { Id = await runtime.Store.AddPinAsync(pin, cancellationToken).ConfigureAwait(false) });
            }

            (long blocks, long bytes) = await TakeAsync(reader, pins[0].Id, ReportsOf(options.Progress), cancellationToken).ConfigureAwait(false);
            var missing = new HashSet<MultihashKey>();
            foreach (Pin pin in pins)
                await new StoredDag(runtime.Store, missing).JoinAsync(pin.Root, pin.Id, cancellationToken).ConfigureAwait(false);
            await KeepAsync(pins, blocks, bytes, isWhole: missing.Count == 0).ConfigureAwait(false);
            NodeLog.ArchiveImported(_logger, roots[0], blocks, bytes, missing.Count);
            return new CarImportResult(roots, blocks, bytes, missing.Count);
        }
        catch
        {
            foreach (Pin pin in pins)
                await runtime.Store.RemovePinAsync(pin.Id, CancellationToken.None).ConfigureAwait(false);
            runtime.Garbage.Signal();
            throw;
        }
    }

    /// <summary>Stores the archive's blocks under a pin. One batch is committed while the next is read.</summary>
    private async Task<(long Blocks, long Bytes)> TakeAsync(CarReader reader, PinId pin, ThrottledProgress<long>? reports, CancellationToken cancellationToken)
    {
        long blocks = 0, bytes = 0;
        Task committing = Task.CompletedTask;
        StoreBatch batch = runtime.Store.BeginBatch(pin);
        long inBatch = 0;
        try
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false) is { } block)
            {
                using (block)
                {
                    if (block.Unverified is { } why)
                        throw CarFault.At(block.SectionOffset, $"block {block.Cid} cannot be verified: {why}");
                    blocks++;
                    bytes += block.Block.Length;
                    inBatch += block.Block.Length;
                    if (!runtime.Store.IsOwned(block.Cid) || !batch.AddExisting(block.Cid))
                    {
                        await runtime.Store.MakeRoomAsync(block.Block.Length, cancellationToken).ConfigureAwait(false);
                        batch.AddOwned(block.Cid, block.Block.Span);
                    }
                }

                reports?.Report(reader.Position);
                if (batch.Count < MaxBatchBlocks && inBatch < MaxBatchBytes && batch.BufferedBytes < MaxBatchBytesInMemory)
                    continue;
                await committing.ConfigureAwait(false);
                committing = CommitAsync(batch, cancellationToken);
                batch = runtime.Store.BeginBatch(pin);
                inBatch = 0;
            }

            await committing.ConfigureAwait(false);
            committing = CommitAsync(batch, cancellationToken);
            await committing.ConfigureAwait(false);
            reports?.ReportHeldBack();
        }
        finally
        {
            await committing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // its failure was or will be told by the await above
            batch.Dispose();
        }

        return (blocks, bytes);
    }

    private static async Task CommitAsync(StoreBatch batch, CancellationToken cancellationToken)
    {
        using (batch)
            await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The pins become lasting ones together; earlier imports of the same roots under the same name go, unless this one holds less.</summary>
    private async Task KeepAsync(List<Pin> pins, long blocks, long bytes, bool isWhole)
    {
        using StoreBatch batch = runtime.Store.BeginBatch(pins[0].Id);
        foreach (Pin pin in pins)
        {
            batch.UpdatePin(pin with { Kind = PinKind.Kept, Blocks = blocks, Bytes = bytes });
            foreach (Pin earlier in runtime.Store.GetPins().Where(p => isWhole && p.Kind == PinKind.Kept && p.Blocks <= blocks && p.Root == pin.Root && p.Name == pin.Name && p.Id != pin.Id))
                batch.RemovePin(earlier.Id);
        }

        await batch.CommitAsync(Durability.Flushed, CancellationToken.None).ConfigureAwait(false);
        runtime.Garbage.Signal();
    }
}
