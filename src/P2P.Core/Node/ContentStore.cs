namespace P2P.Core;

/// <summary>What a node's data folder keeps: pins and usage.</summary>
public sealed class ContentStore
{
    internal ContentStore()
    {
    }

    /// <summary>What the store holds.</summary>
    /// <param name="cancellationToken">Ends the counting.</param>
    public Task<StoreUsage> GetUsageAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
}

/// <summary>What a store holds.</summary>
/// <param name="Blocks">Blocks known.</param>
/// <param name="OwnedBytes">Bytes of blocks that lie in the data folder.</param>
/// <param name="ReferencedBytes">Bytes of blocks that lie in the user's own files.</param>
public sealed record StoreUsage(long Blocks, long OwnedBytes, long ReferencedBytes);
