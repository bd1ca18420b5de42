using P2P.Core.Connections;
using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>Where holders are: the door through which the node brings in the network that holders form among themselves.</summary>
internal interface IHolderDirectory
{
    /// <summary>The holders closest to a point, the closest first, at most 20; this node is never among them.</summary>
    /// <param name="name">What the point is the hash of.</param>
    /// <param name="purpose">Whether somebody waits for it.</param>
    /// <param name="cancellationToken">Ends the lookup.</param>
    Task<IReadOnlyList<Contact>> FindClosestAsync(ReadOnlyMemory<byte> name, DialPurpose purpose, CancellationToken cancellationToken);

    /// <summary>The holders closest to a point among those that are known already, the closest first; this node is never among them.</summary>
    IReadOnlyList<Contact> GetClosest(DhtKey point, int count);

    /// <summary>Whether a peer is known to be a holder.</summary>
    bool IsHolder(PeerId peer);

    /// <summary>Holders known, this node not among them (count).</summary>
    int Count { get; }

    /// <summary>Whether this node is among the so many closest holders to a point that it knows.</summary>
    bool IsAmongClosest(DhtKey point, int count);
}
