using System.Runtime.CompilerServices;
using System.Text;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>Reads UnixFS content over a block source without writing it anywhere: paths, lists, byte ranges.</summary>
/// <param name="source">Where blocks come from.</param>
/// <param name="keeper">Where inner nodes are looked for first and kept; null: nowhere.</param>
/// <param name="form">How the content stands in blocks; null: as it is.</param>
internal sealed class DagReader(IBlockSource source, INodeKeeper? keeper = null, BlockForm? form = null)
{
    /// <summary>The most entries that a list gives (count). A hostile tree of few blocks can name endlessly many.</summary>
    public const long MaxEntries = 5_000_000;

    private const int MaxPathBytes = 32 << 10; // Windows takes no longer ones, Linux 4 KiB

    private readonly NodeLoader _loader = new(source, keeper, form);

    /// <summary>Finds an entry by its path inside the root; the path of the result is the one given, without empty segments.</summary>
    /// <exception cref="P2PException">NotFound: there is no such path; Integrity: the nodes contradict each other.</exception>
    public async Task<ContentEntry> ResolveAsync(Cid root, string? path, CancellationToken cancellationToken)
    {
        Located located = await LocateAsync(root, path, cancellationToken).ConfigureAwait(false);
        return ToEntry(located.Path, located.Cid, located.Node, located.ClaimedBytes);
    }

    /// <summary>The name that lies inside the content; null when none does, as in all that is public.</summary>
    /// <exception cref="P2PException">Integrity: it is not what the link promises.</exception>
    public async Task<string?> NameAsync(Cid root, CancellationToken cancellationToken) =>
        (await _loader.EnterAsync(root, cancellationToken).ConfigureAwait(false)).Name is { } name ? Encoding.UTF8.GetString(name) : null;

    /// <summary>Finds an entry as <see cref="ResolveAsync"/> does, with the id to walk from.</summary>
    public async Task<Cid> FindAsync(Cid root, string? path, CancellationToken cancellationToken) =>
        (await LocateAsync(root, path, cancellationToken).ConfigureAwait(false)).Cid;

    /// <summary>Lists what is below a path, folders before their entries and entries in the order of the nodes; a file or link gives itself.
    /// Paths are inside the root. A name that a folder has twice counts the first time; one that no system can hold is an error.</summary>
    public async IAsyncEnumerable<ContentEntry> ListAsync(Cid root, string? path, bool recursive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Located start = await LocateAsync(root, path, cancellationToken).ConfigureAwait(false);
        var walk = new TreeWalk(_loader, start.Cid, MaxEntries, cancellationToken);
        await using (walk.ConfigureAwait(false))
        {
            var folders = new Stack<(string Prefix, HashSet<ulong> Names)>();
            bool isRoot = true;
            while (await walk.MoveNextAsync().ConfigureAwait(false))
            {
                TreeEntry entry = walk.Current;
                if (entry.Step == TreeStep.LeaveFolder)
                {
                    folders.Pop();
                    continue;
                }

                string entryPath = start.Path;
                if (!isRoot)
                {
                    if (PathRules.IsForbidden(entry.Name.Span))
                        throw PathRules.ForbiddenName(entry.Name.Span);
                    bool isFirst = folders.Peek().Names.Add(Murmur3.Hash64(entry.Name.Span));
                    if (folders.Peek().Prefix.Length + entry.Name.Length > MaxPathBytes)
                        throw ContentFault.Contradiction(entry.Cid, $"has a path of more than {MaxPathBytes} bytes");
                    entryPath = folders.Peek().Prefix + Encoding.UTF8.GetString(entry.Name.Span);
                    if (entry.Step == TreeStep.EnterFolder && (!recursive || !isFirst))
                    {
                        walk.SkipFolder();
                        folders.Push((entryPath, []));
                    }
                    else if (entry.Step == TreeStep.EnterFolder)
                    {
                        folders.Push((entryPath + "/", []));
                    }

                    if (isFirst)
                        yield return ToEntry(entryPath, entry.Cid, entry.Node, entry.ClaimedBytes);
                }
                else if (entry.Step == TreeStep.EnterFolder)
                {
                    folders.Push((start.Path.Length == 0 ? "" : start.Path + "/", []));
                }
                else
                {
                    yield return ToEntry(start.Path, start.Cid, entry.Node, start.ClaimedBytes);
                }

                isRoot = false;
            }
        }
    }

    /// <summary>Opens one file for reading. Nothing but its root is fetched yet.</summary>
    /// <exception cref="P2PException">NotFound: no such path, or it is no file.</exception>
    public async Task<VerifiedStream> OpenAsync(Cid root, string? path, CancellationToken cancellationToken)
    {
        Located located = await LocateAsync(root, path, cancellationToken).ConfigureAwait(false);
        if (located.Cid.Codec == Cid.RawCodec)
        {
            // the size of a raw block is known only with its bytes
            using NodeBlock block = await _loader.LoadAsync(located.Cid, cancellationToken).ConfigureAwait(false);
            return new VerifiedStream(_loader, FileNode.Of(block.Bytes.Span));
        }

        FileNode file = located.Node?.File
            ?? throw new P2PException(P2PErrorCode.NotFound, $"'{Diagnostics.UntrustedText.Clean(located.Path)}' is a folder or a link, not a file. Name a file inside it.");
        return new VerifiedStream(_loader, file);
    }

    private ContentEntry ToEntry(string path, Cid cid, ContentNode? node, long claimedBytes)
    {
        Cid block = _loader.Form.BlockOf(in cid);
        return node switch
        {
            null => new ContentEntry(path, ContentKind.File, claimedBytes > 0 || _loader.Form.IsPrivate || cid == KnownBlocks.EmptyRaw ? claimedBytes : null, block),
            { File: { } file } => new ContentEntry(path, ContentKind.File, file.Bytes, block),
            { IsFolder: true } => new ContentEntry(path, ContentKind.Directory, null, block),
            _ => new ContentEntry(path, ContentKind.SymbolicLink, null, block),
        };
    }

    private async Task<Located> LocateAsync(Cid root, string? path, CancellationToken cancellationToken)
    {
        string[] segments = (path ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        string clean = string.Join('/', segments);
        if (clean.Length > MaxPathBytes)
            throw ContentFault.NoSuchPath(clean[..128]);
        ContentStart start = await _loader.EnterAsync(root, cancellationToken).ConfigureAwait(false);
        ContentNode? first = start.Cid.Codec == Cid.RawCodec ? null : await _loader.GetAsync(start.Cid, cancellationToken).ConfigureAwait(false);
        var here = new Located(clean, start.Cid, first, start.ClaimedBytes);
        foreach (string segment in segments)
        {
            if (here.Node is not { IsFolder: true } folder
                || await FindAsync(folder, Encoding.UTF8.GetBytes(segment), cancellationToken).ConfigureAwait(false) is not { } link)
                throw ContentFault.NoSuchPath(clean);
            ContentNode? node = link.Cid.Codec == Cid.RawCodec ? null : await _loader.GetAsync(link.Cid, cancellationToken).ConfigureAwait(false);
            here = new Located(clean, link.Cid, node, (long)Math.Min(link.TargetBytes ?? 0, long.MaxValue));
        }

        return here;
    }

    private async Task<DagPbLink?> FindAsync(ContentNode folder, byte[] name, CancellationToken cancellationToken)
    {
        if (folder.Data.Type == UnixFsType.Directory)
            return FindByName(folder.Links, name);

        ulong hash = Murmur3.Hash64(name);
        ContentNode shard = folder;
        for (int bitsUsed = 0; ;)
        {
            ShardLayout layout = ShardLayout.From(shard.Cid, shard.Data, bitsUsed); // ends the descent at 64 bits
            byte[] prefix = Encoding.ASCII.GetBytes(layout.PrefixOf(layout.BucketOf(hash)));
            if (FindByName(shard.Links, [.. prefix, .. name]) is { } entry)
                return entry;
            if (FindByName(shard.Links, prefix) is not { } below)
                return null;
            shard = await _loader.GetAsync(below.Cid, cancellationToken).ConfigureAwait(false);
            if (shard.Data.Type != UnixFsType.HamtShard)
                throw ContentFault.Contradiction(below.Cid, "stands where a shard of a folder belongs");
            bitsUsed += layout.Bits;
        }
    }

    private static DagPbLink? FindByName(DagPbLink[] links, ReadOnlySpan<byte> name)
    {
        foreach (DagPbLink link in links)
        {
            if (link.NameSpan.SequenceEqual(name))
                return link;
        }

        return null;
    }

    private sealed record Located(string Path, Cid Cid, ContentNode? Node, long ClaimedBytes);
}
