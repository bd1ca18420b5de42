using P2P.Core.Dht;

namespace P2P.Simulation;

/// <summary>A node of the simulated network: the real routing table, and whether it is there.</summary>
internal sealed class SimNode(Contact contact, RoutingTableSettings settings, int index)
{
    public Contact Contact { get; } = contact;

    public DhtKey Key => Contact.Key;

    /// <summary>Its number; also the order in which nodes came.</summary>
    public int Index { get; } = index;

    public RoutingTable Table { get; private set; } = new(contact.Key, settings);

    public bool IsOnline { get; set; } = true;

    /// <summary>Whether it only asks, as a node behind a router that lets nobody in: it stands in nobody's table.</summary>
    public bool IsClient { get; init; }

    /// <summary>Starts anew with an empty table, as a process does that was ended.</summary>
    public void Restart() => (Table, IsOnline) = (new RoutingTable(Contact.Key, settings), true);
}
