
namespace P2P.Core.Connections;

/// <summary>Finds addresses of a peer that the address book does not know: the door for the DHT and local discovery.</summary>
internal interface IAddressSource
{
    /// <summary>Addresses told by others, possibly none. The dialer treats them as hints.</summary>
    ValueTask<IReadOnlyList<Multiaddress>> FindAsync(PeerId peer, CancellationToken cancellationToken);
}
