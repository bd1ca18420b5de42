using P2P.Core.Store;

namespace P2P.Core;

/// <summary>What a node's data folder keeps: pins and usage.</summary>
public sealed class ContentStore
{
    private readonly BlockStore _store;

    internal ContentStore(BlockStore store) => _store = store;

    /// <summary>What the store holds.</summary>
    /// <param name="cancellationToken">Ends the counting.</param>
    public Task<StoreUsage> GetUsageAsync(CancellationToken cancellationToken = default) => Task.Run(_store.GetUsage, cancellationToken);
}
