using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>A DAG as far as it is in the store: walked without a network, to put it under a pin and to find what is missing.</summary>
/// <param name="store">The store.</param>
/// <param name="missing">Blocks that were linked to and are not here, over several walks.</param>
internal sealed class StoredDag(BlockStore store, HashSet<MultihashKey> missing)
{
    /// <summary>Missing blocks told apart (count); more are not counted. An archive of wide folders alone names millions.</summary>
    private const int MaxMissing = 1_000_000;

    /// <summary>Blocks of one walk remembered (count): some 1.5 GB, and more than a store on a disk of today holds.</summary>
    private const int MaxVisited = 10_000_000;

    private const int MaxBatchBlocks = 4_096;

    /// <summary>Puts every block below a root that is here under a pin.</summary>
    public async Task JoinAsync(Cid root, PinId pin, CancellationToken cancellationToken)
    {
        var visited = new HashSet<(MultihashKey, ulong)>(); // the codec too: what is linked to as plain bytes first may be a node
        var waiting = new Stack<Cid>();
        var links = new List<Cid>();
        waiting.Push(root);
        using StoreBatch batch = store.BeginBatch(pin);
        while (waiting.TryPop(out Cid cid))
        {
            cancellationToken.ThrowIfCancellationRequested();
            bool isKnown = KnownBlocks.TryGet(cid, out ReadOnlyMemory<byte> known);


            // An id that holds its own bytes costs little to look at again and much to remember; what is inside one ends by itself.
            if ((!isKnown && !visited.Add((cid.Key, cid.Codec))) || !BlockVerification.IsAccepted(cid, out _))
                continue;
            if (visited.Count > MaxVisited)
                throw ContentFault.Contradiction(in root, $"leads to more than {MaxVisited} blocks");
            links.Clear();
            if (isKnown)
                _ = BlockLinks.TryAdd(cid, known.Span, links);
            else if (!batch.AddExisting(cid))
                Miss(cid);
            else if (BlockLinks.MayHave(cid))
                await ReadAsync(cid, links, cancellationToken).ConfigureAwait(false);
            if (waiting.Count + links.Count > DagWalk.MaxWaitingLinks)
                throw ContentFault.Contradiction(in cid, $"makes more than {DagWalk.MaxWaitingLinks} links wait");
            foreach (Cid link in links)
                waiting.Push(link);
            if (batch.Count >= MaxBatchBlocks)
                await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
        }

        await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReadAsync(Cid cid, List<Cid> links, CancellationToken cancellationToken)
    {
        using BlockBuffer? block = await store.ReadAsync(cid, cancellationToken).ConfigureAwait(false);
        if (block is null)
            Miss(cid);
        else if (!BlockLinks.TryAdd(cid, block.Span, links))
            links.Clear(); // kept as it is; what it links to cannot be told
    }

    private void Miss(in Cid cid)
    {
        if (missing.Count < MaxMissing)
            missing.Add(cid.Key);
    }
}
