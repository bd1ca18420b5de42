using System.Threading.Channels;

namespace P2P.Core.Content;

/// <summary>Takes the steps of an import in order, waits for their hashes and builds files and folders from the leaves up.</summary>
internal sealed class ImportAssembly(ImportOptions options, ImportWriter writer, ImportScan scan, Action<long, int> progress)
{
    private readonly List<BuiltNode> _chunks = [];
    private readonly Stack<OpenFolder> _folders = new();
    private BuiltNode? _root;
    private ContentKind _rootKind;
    private Exception? _chunkFailure;
    private BalancedBuilder? _large;

    /// <summary>Bytes of all files.</summary>
    public long Bytes { get; private set; }

    /// <summary>Files.</summary>
    public int Files { get; private set; }

    /// <summary>The root, when all steps were taken; null when all of it was unreadable.</summary>
    public (BuiltNode Node, ContentKind Kind)? Root => _root is { } root ? (root, _rootKind) : null;

    /// <summary>Takes all steps.</summary>
    public async Task RunAsync(ChannelReader<ImportStep> steps, CancellationToken cancellationToken)
    {
        await foreach (ImportStep step in steps.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            switch (step)
            {
                case ImportStep.BeginFolder begin:
                    _folders.Push(new OpenFolder(begin.Name, new DirectoryBuilder(options.Profile, writer.AddOwned, options.Form, begin.Metadata)));
                    break;
                case ImportStep.EndFolder:
                    OpenFolder folder = _folders.Pop();
                    if (_folders.Count > 0 || folder.Builder.Count > 0 || !options.Form.IsPrivate) // the root of a private share has its one entry, or there is none
                        Place(folder.Name, folder.Builder.Finish(), ContentKind.Directory);
                    break;
                case ImportStep.Link link:
                    AddLink(link);
                    break;
                case ImportStep.SmallFile small:
                    await small.Job.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
                    AddSmall(small);
                    break;
                case ImportStep.Chunk chunk:
                    await chunk.Job.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
                    AddChunk(chunk.Job);
                    break;
                case ImportStep.LargeFile large:
                    EndLarge(large.File);
                    break;
                case ImportStep.KnownFile known:
                    if (!writer.AddExisting(known.Blocks, known.File.Identity.Size))
                        throw known.File.Changed(); // a block went away between the look and now
                    Count(known.File, known.Root);
                    break;
            }

            await writer.CommitIfFullAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void AddLink(ImportStep.Link link)
    {
        byte[] node = DagPbCodec.Encode([], new UnixFsData(UnixFsType.Symlink) { Data = link.Target }.Encode());
        Place(link.Name, options.Form.MakeNode(options.Profile, node, 0, 0, writer.AddOwned), ContentKind.SymbolicLink);
    }

    private void AddSmall(ImportStep.SmallFile small)
    {
        if (!small.Job.TryGetLeaf(small.Piece, out BuiltNode leaf, out Exception? failure))
        {
            Fail(small.File, failure!);
            return;
        }

        writer.AddFile(small.File, in leaf, [leaf]);
        Count(small.File, leaf);
    }

    private void AddChunk(HashJob job)
    {
        _large ??= new BalancedBuilder(options.Profile, writer.AddOwned, options.Form);
        if (job.TryGetLeaf(0, out BuiltNode leaf, out Exception? failure))
        {
            _large.Add(leaf);
            _chunks.Add(leaf);
            progress(job.Bytes, 0);
        }
        else
        {
            _chunkFailure ??= failure;
        }
    }

    private void EndLarge(ImportFile file)
    {
        file.Handle!.Dispose();
        Exception? failure = _chunkFailure ?? file.Failure ?? (file.IsUnchanged() ? null : file.Changed());
        if (failure is not null)
        {
            Fail(file, failure);
        }
        else
        {
            BuiltNode root = _large!.Finish();
            writer.AddFile(file, in root, _chunks);
            Bytes += (long)root.FileBytes;
            Files++;
            progress(0, 1);
            Place(file.Name, Describe(file, in root), ContentKind.File);
        }

        _large = null;
        _chunkFailure = null;
        _chunks.Clear();
    }

    private void Fail(ImportFile file, Exception failure)
    {
        if (failure is P2PException && !options.ContinueOnUnreadable)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        scan.Refuse(file.Path, failure is P2PException ? new IOException("it was changed while it was being read") : failure);
    }

    private void Count(ImportFile file, BuiltNode root)
    {
        Bytes += (long)root.FileBytes;
        Files++;
        progress((long)root.FileBytes, 1);
        Place(file.Name, Describe(file, in root), ContentKind.File);
    }

    // permissions and time go into a node above the file's own root, so that the root stays the same with them and without, and leaves stay in place
    private BuiltNode Describe(ImportFile file, in BuiltNode root)
    {
        if (file.Metadata is not { } metadata)
            return root;
        UnixFsData data = metadata.ApplyTo(new UnixFsData(UnixFsType.File) { FileBytes = root.FileBytes, BlockBytes = [root.FileBytes] });
        byte[] node = DagPbCodec.Encode([new DagPbLink(options.Form.BlockOf(root.Cid), [], root.TreeBytes)], data.Encode());
        return options.Form.MakeNode(options.Profile, node, root.FileBytes, root.TreeBytes, writer.AddOwned);
    }

    private void Place(byte[] name, BuiltNode node, ContentKind kind)
    {
        if (_folders.TryPeek(out OpenFolder? folder))
        {
            folder.Builder.Add(name, node);
            return;
        }

        _root = node;
        _rootKind = kind;
    }

    private sealed record OpenFolder(byte[] Name, DirectoryBuilder Builder);
}
