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
                    _folders.Push(new OpenFolder(begin.Name, new DirectoryBuilder(options.Profile, writer.AddOwned, options.Form)));
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
                    if (!writer.AddExisting(known.Blocks))
                        throw known.File.Changed(); // a block went away between the look and now
                    Count(known.File.Name, known.Root);
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
        Count(small.File.Name, leaf);
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
        BuiltNode root = _chunkFailure is null ? _large!.Finish() : default;
        if (_chunkFailure is { } failure)
        {
            Fail(file, failure);
        }
        else if (!file.IsUnchanged())
        {
            throw file.Changed();
        }
        else
        {
            writer.AddFile(file, in root, _chunks);
            Bytes += (long)root.FileBytes;
            Files++;
            progress(0, 1);
            Place(file.Name, root, ContentKind.File);
        }

        _large = null;
        _chunkFailure = null;
        _chunks.Clear();
    }

    private void Fail(ImportFile file, Exception failure)
    {
        if (failure is P2PException)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        scan.Refuse(file.Path, failure);
    }

    private void Count(byte[] name, BuiltNode file)
    {
        Bytes += (long)file.FileBytes;
        Files++;
        progress((long)file.FileBytes, 1);
        Place(name, file, ContentKind.File);
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
