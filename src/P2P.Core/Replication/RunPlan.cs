using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Replication;

/// <summary>Reads the inner nodes of a share and cuts it into runs.</summary>
/// <param name="readNode">Gets the block of an inner node.</param>
/// <param name="sizeOf">The length of a leaf's block (bytes).</param>
/// <param name="form">How the content stands in blocks.</param>
internal sealed class RunPlan(Func<Cid, CancellationToken, ValueTask<BlockBuffer>> readNode, Func<BlockChild, int> sizeOf, BlockForm form)
{
    /// <summary>Inner nodes that are walked (count): 300 GB in a file, some millions of files in folders.</summary>
    private const int MaxNodes = 1 << 20;

    /// <summary>The runs of a share, the root's first.</summary>
    /// <exception cref="P2PException">What reading throws; Quota: the share has more inner nodes than can be placed.</exception>
    public async Task<IReadOnlyList<Run>> CutAsync(Cid root, CancellationToken cancellationToken)
    {
        var cutter = new RunCutter();
        Cid first = form.NodeOf(in root);
        if (first.Codec == Cid.RawCodec)
        {
            cutter.AddLeaves([new ReplicaEntry(root, sizeOf(new BlockChild(root, 0, IsLeaf: true)))]);
            return cutter.Cut(in root);
        }

        HashSet<MultihashKey> seen = [];
        Stack<Cid> waiting = new([first]);
        while (waiting.TryPop(out Cid cid))
        {
            if (!seen.Add(cid.Key))
                continue;
            if (seen.Count > MaxNodes)
                throw new P2PException(P2PErrorCode.Quota, $"The share has more than {MaxNodes} inner nodes: more than can be placed.");
            using BlockBuffer block = await readNode(form.BlockOf(in cid), cancellationToken).ConfigureAwait(false);
            cutter.AddNode(new ReplicaEntry(form.BlockOf(in cid), block.Length));
            DagPbLink[] links = form.DecodeNode(in cid, block.Span).Links;
            cutter.AddLeaves([.. form.ChildrenOf(links).Where(static child => child.IsLeaf).Select(child => new ReplicaEntry(child.Cid, sizeOf(child)))]);
            foreach (DagPbLink link in links)
            {
                if (link.Cid.Codec != Cid.RawCodec)
                    waiting.Push(link.Cid);
            }
        }

        return cutter.Cut(in root);
    }
}
