namespace P2P.Core.Dht;

/// <summary>Something that this node provides.</summary>
/// <param name="Key">Its place in the keyspace.</param>
/// <param name="Name">What goes on the wire: its multihash.</param>
/// <param name="IsNew">Whether it was never announced.</param>
internal readonly record struct ProvideKey(DhtKey Key, ReadOnlyMemory<byte> Name, bool IsNew);
