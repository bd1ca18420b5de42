namespace P2P.Core.Replication;

/// <summary>What a holder says that it holds in a part of the keyspace. Claims, to be audited.</summary>
/// <param name="Epoch">Which life of its store it is; empty: it holds nothing.</param>
/// <param name="Items">The leases.</param>
internal sealed record HolderInventory(ReadOnlyMemory<byte> Epoch, IReadOnlyList<InventoryItem> Items);
