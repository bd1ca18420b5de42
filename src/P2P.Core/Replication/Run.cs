using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>Blocks that are placed together.</summary>
/// <param name="Head">The multihash whose hash is the run's place in the keyspace: that of its first block, or of the root of a small share.</param>
/// <param name="Entries">The blocks, in the order of the links.</param>
/// <param name="IsInner">Whether it is an inner node or a root: those get three more copies elsewhere, because everything below hangs on them.</param>
internal sealed record Run(ReadOnlyMemory<byte> Head, IReadOnlyList<ReplicaEntry> Entries, bool IsInner)
{
    /// <summary>Copies that an inner node gets at places of their own (count).</summary>
    public const int ExtraPlaces = 3;

    /// <summary>Where the run lies.</summary>
    public DhtKey Key => DhtKey.Of(Head.Span);

    /// <summary>Bytes of its blocks.</summary>
    public long Bytes => Entries.Sum(static entry => (long)entry.Size);

    /// <summary>What is looked up to find the run's other places: the names whose hashes are SHA-256("p2p-files/place/1" || multihash || i), i = 1..3.</summary>
    public static byte[] PlaceName(ReadOnlySpan<byte> multihash, int number) => [.. "p2p-files/place/1"u8, .. multihash, (byte)number];
}
