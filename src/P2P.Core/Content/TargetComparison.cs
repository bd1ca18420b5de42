using System.Text;
using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>How an entry of the content relates to what stands at its place on disk.</summary>
internal enum ExistingState : byte
{
    /// <summary>Nothing is there.</summary>
    Missing,

    /// <summary>The same content is there.</summary>
    Equal,

    /// <summary>Something else is there.</summary>
    Different,
}

/// <summary>Compares content with what stands at the target, block by block against the ids: only nodes are fetched, no data.</summary>
/// <param name="loader">Gets the nodes.</param>
/// <param name="buffers">Buffers for reading.</param>
/// <param name="options">Limits and names.</param>
/// <param name="recorder">Told of equal files, so that they are served; null: nobody.</param>
/// <param name="progress">Told of bytes compared.</param>
/// <param name="selection">What of the content is wanted; null: all.</param>
internal sealed class TargetComparison(
    NodeLoader loader, BlockBufferPool buffers, TreeFetchOptions options, FetchRecorder? recorder, Action<long> progress, Selection? selection)
{
    private const int MaxNamed = 10;

    private readonly List<ExistingState> _states = []; // of files and links, in the order of the walk

    /// <summary>The first paths whose content differs, to be named.</summary>
    public List<string> Differing { get; } = [];

    /// <summary>How many differ.</summary>
    public int DifferingCount { get; private set; }

    /// <summary>Whether nothing has to be written.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Whether something of another kind stands in the way, which is never replaced: a folder where a file belongs, or the reverse.</summary>
    public bool HasObstacle { get; private set; }

    /// <summary>Bytes of the equal files.</summary>
    public long EqualBytes { get; private set; }

    /// <summary>Equal files.</summary>
    public int EqualFiles { get; private set; }

    /// <summary>What was found for a file or link by its number in the walk.</summary>
    public ExistingState StateOf(int entry) => _states[entry];

    /// <summary>Compares.</summary>
    public async Task CompareAsync(Cid root, string target, CancellationToken cancellationToken)
    {
        var walk = new PlacedWalk(new TreeWalk(loader, root, options.MaxEntries, cancellationToken, selection), options.System);
        await using (walk.ConfigureAwait(false))
        {
            while (await walk.MoveNextAsync().ConfigureAwait(false))
            {
                TreeEntry entry = walk.Current;
                string place = walk.Local.Length == 0 ? target : Path.Combine(target, walk.Local);
                if (entry.Step == TreeStep.EnterFolder)
                {
                    if (TargetDisk.Look(place).Kind is var kind && kind != PlaceKind.Folder)
                        Note(kind == PlaceKind.Nothing ? ExistingState.Missing : ExistingState.Different, walk.Local, isObstacle: kind != PlaceKind.Nothing);
                }
                else if (entry.Step != TreeStep.LeaveFolder)
                {
                    ExistingState state = entry.Step == TreeStep.Link ? CompareLink(entry, place) : await CompareFileAsync(entry, place, cancellationToken).ConfigureAwait(false);
                    _states.Add(state);
                    Note(state, walk.Local, isObstacle: state == ExistingState.Different && TargetDisk.Look(place).Kind is not (PlaceKind.File or PlaceKind.Link));
                }
            }
        }
    }

    private static ExistingState CompareLink(TreeEntry entry, string place) => TargetDisk.Look(place).Kind switch
    {
        PlaceKind.Nothing => ExistingState.Missing,
        PlaceKind.Link when new FileInfo(place).LinkTarget == Encoding.UTF8.GetString(entry.Node!.Data.Data ?? []) => ExistingState.Equal,
        _ => ExistingState.Different,
    };

    private async ValueTask<ExistingState> CompareFileAsync(TreeEntry entry, string place, CancellationToken cancellationToken)
    {
        Place found = TargetDisk.Look(place);
        if (found.Kind != PlaceKind.File)
            return found.Kind == PlaceKind.Nothing ? ExistingState.Missing : ExistingState.Different;
        if (entry.Node?.File is { } file ? file.Bytes != found.Bytes : found.Bytes > BlockVerification.MaxBlockBytes)
            return ExistingState.Different;

        using BlockBuffer buffer = buffers.Rent(BlockVerification.MaxBlockBytes);
        using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(place, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var segments = new List<FileSegment>();
        bool isEqual = true;
        if (entry.Node?.File is not { } node)
        {
            segments.Add(new FileSegment(0, (int)found.Bytes, entry.Cid, default));
            isEqual = ReadAndCompare(handle, segments[0], buffer);
        }
        else
        {
            var walk = new FileWalk(loader, node, 0, cancellationToken);
            await using (walk.ConfigureAwait(false))
            {
                while (isEqual && await walk.MoveNextAsync().ConfigureAwait(false))
                {
                    isEqual = ReadAndCompare(handle, walk.Current, buffer);
                    segments.Add(walk.Current);
                    progress(walk.Current.Length);
                }
            }
        }

        if (!isEqual)
            return ExistingState.Different;
        recorder?.Found(place, entry.Cid, segments);
        EqualBytes += found.Bytes;
        EqualFiles++;
        return ExistingState.Equal;
    }

    private bool ReadAndCompare(Microsoft.Win32.SafeHandles.SafeFileHandle handle, FileSegment segment, BlockBuffer buffer)
    {
        Span<byte> bytes = buffer.Memory.Span[..segment.Length];
        int count = 0;
        for (int read = -1; read != 0 && count < bytes.Length; count += read)
            read = RandomAccess.Read(handle, bytes[count..], segment.Offset + count);
        return count == bytes.Length
            && (segment.Leaf.IsEmpty ? bytes.SequenceEqual(segment.Known.Span) : loader.Form.Verify(segment.Leaf, bytes));
    }

    private void Note(ExistingState state, string local, bool isObstacle)
    {
        IsComplete &= state == ExistingState.Equal;
        HasObstacle |= isObstacle;
        if (state != ExistingState.Different)
            return;
        DifferingCount++;
        if (Differing.Count < MaxNamed)
            Differing.Add(local);
    }
}
