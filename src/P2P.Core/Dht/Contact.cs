using System.Net;
using P2P.Core.Addresses;

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

    /// <summary>The network of its first public address, as it is told; none when it has no such address.</summary>
    public NetworkGroup Group { get; } = GroupOf(addresses);

    /// <inheritdoc/>
    public override string ToString() => $"{Peer} ({Key})";

    private static NetworkGroup GroupOf(IReadOnlyList<Multiaddress> addresses)
    {
        for (int i = 0; i < addresses.Count; i++)
        {
            if (addresses[i].TryGetIPAddress(out IPAddress? address) && AddressScopes.Of(address) == AddressScope.Public)
                return NetworkGroup.Of(address, isPublic: true);
        }

        return NetworkGroup.None;
    }
}
