namespace P2P.Core.Dht;

/// <summary>A peer of the DHT as it is told to others: who, where in the keyspace, and where it listens. Immutable, so that tables and lookups share it.</summary>
/// <param name="peer">The peer.</param>
/// <param name="addresses">Where it listens, without its id at the end; may be empty.</param>
internal sealed class Contact(PeerId peer, IReadOnlyList<Multiaddress> addresses)
{
    /// <summary>Who.</summary>
    public PeerId Peer { get; } = peer;

    /// <summary>Its place in the keyspace.</summary>
    public DhtKey Key { get; } = DhtKey.Of(peer);

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<Multiaddress> Addresses { get; } = addresses;

    /// <inheritdoc/>
    public override string ToString() => $"{Peer} ({Key})";
}
