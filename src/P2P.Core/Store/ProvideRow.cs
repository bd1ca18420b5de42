namespace P2P.Core.Store;

/// <summary>Something that is announced, as the index remembers it.</summary>
/// <param name="Place">The first 64 bits of its key in the keyspace of the DHT.</param>
/// <param name="Key">The multihash.</param>
/// <param name="NewFor">Networks that were never told, a bit each.</param>
/// <param name="PinSet">The pins that keep the block, as a number; 0: it is not here any more, or nobody keeps it.</param>
internal readonly record struct ProvideRow(ulong Place, byte[] Key, int NewFor, long PinSet);
