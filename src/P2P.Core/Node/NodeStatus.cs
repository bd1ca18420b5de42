namespace P2P.Core;

/// <summary>What a node is doing.</summary>
/// <param name="State">Whether it runs.</param>
/// <param name="Id">Who it is.</param>
/// <param name="Addresses">What it listens on, with real ports and without the peer id.</param>
/// <param name="Peers">Open connections.</param>
/// <param name="Shares">What it shares.</param>
/// <param name="BytesServed">Bytes of content served since start.</param>
/// <param name="BytesFetched">Bytes of content fetched and verified since start.</param>
public sealed record NodeStatus(NodeState State, PeerId Id, IReadOnlyList<Multiaddress> Addresses, int Peers, int Shares, long BytesServed, long BytesFetched)
{
    /// <summary>Whether peers on the internet reach it.</summary>
    public Reachability Internet { get; init; }

    /// <summary>Ports of routers that lead to it.</summary>
    public IReadOnlyList<MappedPort> Mappings { get; init; } = [];

    /// <summary>Bytes of content served since start, by peer; the last 1,024 peers.</summary>
    public IReadOnlyDictionary<PeerId, long> BytesServedByPeer { get; init; } = new Dictionary<PeerId, long>();

    /// <summary>How it stands in the DHT; null while it does not run or takes no part.</summary>
    public DhtStatus? Dht { get; init; }

    /// <summary>What the operator should know: a shared file that changed, a port that was taken. The last 100.</summary>
    public IReadOnlyList<NodeWarning> Warnings { get; init; } = [];
}
