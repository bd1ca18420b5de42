using P2P.Core.Store;

namespace P2P.Core;

/// <summary>What a node's data folder keeps: pins and usage.</summary>
public sealed class ContentStore
{
    private readonly BlockStore _store;

    internal ContentStore(BlockStore store) => _store = store;

    /// <summary>What the store holds.</summary>
    /// <param name="cancellationToken">Ends the counting.</param>
    public Task<StoreUsage> GetUsageAsync(CancellationToken cancellationToken = default)
    {
        return Task.Run(Count, cancellationToken);

        StoreUsage Count()
        {
            Core.Store.StoreUsage usage = _store.GetUsage();
            return new StoreUsage(usage.Blocks, usage.OwnedBytes, usage.ReferencedBytes);
        }
    }
}

/// <summary>What a store holds.</summary>
/// <param name="Blocks">Blocks known.</param>
/// <param name="OwnedBytes">Bytes of blocks that lie in the data folder.</param>
/// <param name="ReferencedBytes">Bytes of blocks that lie in the user's own files.</param>
public sealed record StoreUsage(long Blocks, long OwnedBytes, long ReferencedBytes);
