using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>Reads files, folders or a stream and makes blocks of them: in place when they are files, so that nothing is copied.</summary>
/// <param name="store">Where the blocks are recorded; null computes the content id only.</param>
/// <param name="buffers">Buffers for reading.</param>
/// <param name="options">How.</param>
internal sealed class Importer(BlockStore? store, BlockBufferPool buffers, ImportOptions options)
{
    // Steps wait here for their hashes: small ones, so many are allowed. Jobs hold no bytes, only workers do.
    private const int MaxStepsAhead = 4096;
    private const int MaxJobsPerWorker = 8;

    private const string ManyFiles = "files";

    /// <summary>Imports one file, one folder, or several as one folder that holds them.</summary>
    /// <param name="paths">What to import; several need different names.</param>
    /// <param name="pin">The pin that every block joins, taken by the caller before the call. When this returns all changes are visible but not flushed: the caller's own commit does that.</param>
    /// <param name="progress">Told after each file or chunk.</param>
    /// <param name="cancellationToken">Ends it; what was recorded stays under the pin.</param>
    /// <exception cref="ArgumentException">No paths, or two with the same name.</exception>
    /// <exception cref="P2PException">Not found, unreadable, or changed while it was read.</exception>
    public async Task<ImportResult> ImportAsync(IReadOnlyCollection<string> paths, PinId pin, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        if (store is not null && !options.Profile.RawLeaves)
            throw new InvalidOperationException("Only a profile with raw leaves can be served from files.");
        (string Path, string Name)[] sources = [.. paths.Select(Normalize)];
        RefuseEqualNames(sources);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var steps = Channel.CreateBounded<ImportStep>(new BoundedChannelOptions(MaxStepsAhead) { SingleReader = true, SingleWriter = true });
        var jobs = Channel.CreateBounded<HashJob>(new BoundedChannelOptions(options.Workers * MaxJobsPerWorker) { SingleWriter = true });
        using var scan = new ImportScan(store, options, steps.Writer, jobs.Writer);
        var meter = new Meter(progress);
        var writer = new ImportWriter(store, pin, options);
        await using ConfiguredAsyncDisposable closing = writer.ConfigureAwait(false);
        var assembly = new ImportAssembly(options, writer, scan, meter.Add);

        var parts = new List<Task> { Task.Run(() => ScanAsync(scan, sources, steps.Writer, jobs.Writer, stop.Token), CancellationToken.None) };
        for (int i = 0; i < options.Workers; i++)
            parts.Add(Task.Run(() => HashAsync(jobs.Reader, stop.Token), CancellationToken.None));
        if (progress is not null)
            parts.Add(Task.Run(() => meter.MeasureTotal(sources, options.Exclude, stop.Token), CancellationToken.None));
        parts.Add(Task.Run(() => assembly.RunAsync(steps.Reader, stop.Token), CancellationToken.None));
        await JoinAsync(parts, stop).ConfigureAwait(false);
        await writer.FinishAsync(cancellationToken).ConfigureAwait(false);
        meter.Report();

        string name = sources.Length == 1 ? sources[0].Name : ManyFiles;
        return assembly.Root is { } root
            ? new ImportResult(options.Form.BlockOf(root.Node.Cid), root.Kind, assembly.Bytes, writer.Blocks, assembly.Files, name, scan.Unreadable, scan.Skipped)
            {
                Excluded = scan.Excluded,
                ExcludedCount = scan.ExcludedCount,
                BytesAlreadyThere = writer.BytesAlreadyThere,
            }
            : throw new P2PException(P2PErrorCode.Permission, $"Nothing of '{sources[0].Path}' could be read, so there is nothing to share: {string.Join("; ", scan.Unreadable.Concat(scan.Skipped).Take(10))}.");
    }

    /// <summary>Imports a stream from its position to its end; its blocks are copied into the store.</summary>
    /// <inheritdoc cref="ImportAsync(IReadOnlyCollection{string}, PinId, IProgress{ImportProgress}?, CancellationToken)"/>
    public async Task<ImportResult> ImportAsync(Stream content, PinId pin, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new Meter(progress);
        var writer = new ImportWriter(store, pin, options);
        await using ConfiguredAsyncDisposable closing = writer.ConfigureAwait(false);
        var builder = new BalancedBuilder(options.Profile, writer.AddOwned, options.Form);
        var hashing = new Queue<(BlockBuffer Chunk, Task<MadeLeaf> Leaf)>();
        var cuts = new StreamCuts(content, options.MakeChunker(), buffers);
        long bytes = 0;
        try
        {
            while (!cuts.IsAtEnd || hashing.Count > 0)
            {
                while (!cuts.IsAtEnd && hashing.Count < options.Workers)
                {
                    BlockBuffer chunk = await cuts.NextAsync(cancellationToken).ConfigureAwait(false);
                    hashing.Enqueue((chunk, Task.Run(() => options.Form.MakeLeaf(options.Profile, chunk.Span), CancellationToken.None)));
                }

                (BlockBuffer Chunk, Task<MadeLeaf> Leaf) next = hashing.Peek();
                MadeLeaf leaf = await next.Leaf.ConfigureAwait(false);
                if (next.Chunk.Length > 0 || bytes == 0)
                {
                    // at the end of a whole number of chunks an empty one is read: it is a leaf only when it is the first
                    writer.AddOwned(leaf.Node.Cid, leaf.BlockOf(next.Chunk.Span));
                    builder.Add(leaf.Node);
                }

                bytes += next.Chunk.Length;
                meter.Add(next.Chunk.Length, 0);
                hashing.Dequeue().Chunk.Dispose();
                leaf.Dispose();
                await writer.CommitIfFullAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            foreach ((BlockBuffer chunk, Task<MadeLeaf> leaf) in hashing)
            {
                await ((Task)leaf).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it reads from the buffer
                if (leaf.IsCompletedSuccessfully)
                    (await leaf.ConfigureAwait(false)).Dispose();
                chunk.Dispose();
            }
        }

        BuiltNode root = Wrap(builder.Finish(), writer);
        await writer.FinishAsync(cancellationToken).ConfigureAwait(false);
        meter.Add(0, 1);
        meter.Report();
        return new ImportResult(options.Form.BlockOf(root.Cid), ContentKind.File, bytes, writer.Blocks, 1, "", [], []) { BytesAlreadyThere = writer.BytesAlreadyThere };
    }

    // the root of a private share holds the name
    private BuiltNode Wrap(BuiltNode content, ImportWriter writer)
    {
        if (!options.Form.IsPrivate)
            return content;
        var root = new DirectoryBuilder(options.Profile, writer.AddOwned, options.Form);
        root.Add(NameBytes(ManyFiles), content);
        return root.Finish();
    }

    private byte[] NameBytes(string ownName) => Encoding.UTF8.GetBytes(options.Name ?? ownName);

    private static (string Path, string Name) Normalize(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string name = Path.GetFileName(full);
        return (full, name.Length == 0 ? "files" : name);
    }

    private static void RefuseEqualNames((string Path, string Name)[] sources)
    {
        if (sources.Length == 0)
            throw new ArgumentException("There is nothing to share: name a file or folder.", nameof(sources));
        if (sources.GroupBy(source => source.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } equal)
            throw new ArgumentException($"{string.Join(" and ", equal.Select(source => $"'{source.Path}'"))} have the same name. Share them one by one, or rename one.", nameof(sources));
    }

    private async Task ScanAsync(ImportScan scan, (string Path, string Name)[] sources, ChannelWriter<ImportStep> steps, ChannelWriter<HashJob> jobs, CancellationToken cancellationToken)
    {
        bool isPrivate = options.Form.IsPrivate;
        if (isPrivate)
            await scan.BeginWrapperAsync([], cancellationToken).ConfigureAwait(false);
        if (sources.Length > 1)
            await scan.BeginWrapperAsync(NameBytes(ManyFiles), cancellationToken).ConfigureAwait(false);
        foreach ((string path, string name) in sources)
            await scan.ScanAsync(path, isPrivate && sources.Length == 1 ? NameBytes(name) : Encoding.UTF8.GetBytes(name), sources.Length > 1 ? name : "", cancellationToken).ConfigureAwait(false);
        if (sources.Length > 1)
            await scan.EndWrapperAsync(cancellationToken).ConfigureAwait(false);
        if (isPrivate)
            await scan.EndWrapperAsync(cancellationToken).ConfigureAwait(false);
        await scan.FinishAsync(cancellationToken).ConfigureAwait(false);
        jobs.Complete();
        steps.Complete();
    }

    private async Task HashAsync(ChannelReader<HashJob> jobs, CancellationToken cancellationToken)
    {
        using BlockBuffer buffer = buffers.Rent(options.Profile.ChunkBytes + 1); // one more, to see that a file grew
        await foreach (HashJob job in jobs.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            job.Run(buffer, cancellationToken);
    }

    // the first failure ends the other parts; theirs are only its echo
    private static async Task JoinAsync(List<Task> parts, CancellationTokenSource stop)
    {
        Task all = Task.WhenAll(parts);
        var running = new List<Task>(parts);
        Task? failed = null;
        while (failed is null && running.Count > 0)
        {
            Task ended = await Task.WhenAny(running).ConfigureAwait(false);
            running.Remove(ended);
            if (!ended.IsCompletedSuccessfully)
                failed = ended;
        }

        if (failed is null)
            return;
        await stop.CancelAsync().ConfigureAwait(false);
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await failed.ConfigureAwait(false);
    }

    /// <summary>Counts what is done and tells it. Used by one thread but for the total.</summary>
    private sealed class Meter(IProgress<ImportProgress>? progress)
    {
        private long _bytes;
        private int _files;
        private long _total = -1;

        public void Add(long bytes, int files)
        {
            _bytes += bytes;
            _files += files;
            Report();
        }

        public void Report()
        {
            long total = Interlocked.Read(ref _total);
            progress?.Report(new ImportProgress(_bytes, total < 0 ? null : total, _files));
        }

        public void MeasureTotal((string Path, string Name)[] sources, Func<string, bool>? exclude, CancellationToken cancellationToken)
        {
            long total = 0;
            try
            {
                foreach ((string path, string name) in sources)
                    total += TreeSize.Of(path, sources.Length > 1 ? name : "", exclude, cancellationToken);
                Interlocked.Exchange(ref _total, total);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or OperationCanceledException)
            {
                return; // the scan meets the same and says so; the total stays unknown
            }
        }
    }
}
