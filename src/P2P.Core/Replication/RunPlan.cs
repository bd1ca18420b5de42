using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>
/// Cuts a share into runs. A small one is one run under its root's key; of a larger one inner nodes are placed one by one and the leaves of one parent, in the
/// order of its links, in runs of at most 64 links and 64 MiB. Whoever has the parent can compute every run's key.
/// </summary>
/// <param name="store">Has the blocks.</param>
/// <param name="form">How the content stands in them.</param>
internal sealed class RunPlan(BlockStore store, BlockForm form)
{
    /// <summary>The most that one run holds (bytes).</summary>
    public const long MaxRunBytes = 64 << 20;

    /// <summary>Blocks of a share that is one run (count).</summary>
    public const int MaxBlocksOfOneRun = 4096;

    /// <summary>Links of one run of a larger share (count).</summary>
    public const int MaxLinks = 64;

    /// <summary>Inner nodes that are walked (count): 300 GB in a file, some millions of files in folders.</summary>
    private const int MaxNodes = 1 << 20;

    /// <summary>The runs of a share, the root's first.</summary>
    /// <exception cref="P2PException">SourceChanged: a block is not here any more.</exception>
    public async Task<IReadOnlyList<Run>> CutAsync(Cid root, CancellationToken cancellationToken)
    {
        List<Run> inner = [], leaves = [];
        HashSet<MultihashKey> seen = [];
        Stack<Cid> waiting = new([form.NodeOf(in root)]);
        long bytes = 0;
        int blocks = 0;
        while (waiting.TryPop(out Cid cid))
        {
            if (!seen.Add(cid.Key))
                continue;
            if (seen.Count > MaxNodes)
                throw new P2PException(P2PErrorCode.Quota, $"The share has more than {MaxNodes} inner nodes: more than can be placed.");
            if (cid.Codec == Cid.RawCodec)
            {
                AddLeaves([cid], leaves, ref blocks, ref bytes); // the root itself is a leaf
                continue;
            }

            using BlockBuffer block = await store.ReadAsync(cid, cancellationToken).ConfigureAwait(false) ?? throw Missing(cid);
            inner.Add(new Run(MultihashOf(cid), [new ReplicaEntry(form.BlockOf(in cid), block.Length)], IsInner: true));
            blocks++;
            bytes += block.Length;
            List<Cid> children = [];
            foreach (DagPbLink link in form.DecodeNode(in cid, block.Span).Links)
            {
                if (link.Cid.Codec == Cid.RawCodec)
                    children.Add(link.Cid);
                else
                    waiting.Push(link.Cid);
            }

            AddLeaves([.. children.Where(child => seen.Add(child.Key))], leaves, ref blocks, ref bytes);
        }

        if (bytes > MaxRunBytes || blocks > MaxBlocksOfOneRun)
            return [.. inner, .. leaves];
        return [new Run(MultihashOf(root), [.. inner.Concat(leaves).SelectMany(static run => run.Entries)], IsInner: true)];
    }

    private void AddLeaves(IReadOnlyList<Cid> children, List<Run> runs, ref int blocks, ref long bytes)
    {
        List<ReplicaEntry> entries = [];
        long size = 0;
        foreach (Cid leaf in children)
        {
            Cid block = form.BlockOf(in leaf);
            int length = store.SizeOf(in block) ?? throw Missing(block);
            if (entries.Count == MaxLinks || (entries.Count > 0 && size + length > MaxRunBytes))
            {
                runs.Add(new Run(MultihashOf(entries[0].Cid), entries, IsInner: false));
                (entries, size) = ([], 0);
            }

            entries.Add(new ReplicaEntry(block, length));
            size += length;
            blocks++;
            bytes += length;
        }

        if (entries.Count > 0)
            runs.Add(new Run(MultihashOf(entries[0].Cid), entries, IsInner: false));
    }

    private static byte[] MultihashOf(in Cid cid)
    {
        byte[] multihash = new byte[cid.Key.ByteLength];
        cid.Key.CopyTo(multihash);
        return multihash;
    }

    private static P2PException Missing(in Cid cid) =>
        new(P2PErrorCode.SourceChanged, $"Block {cid.ToShortString()} of the share is not here any more: a shared file was changed or moved. Share it again.");
}
