using System.Net;
using P2P.Core.Nat;

namespace P2P.Core.Node;

/// <summary>What <see cref="Diagnosis"/> is made of.</summary>
internal sealed record ReachabilityFacts
{
    public Reachability Internet { get; init; }

    public required IReadOnlyList<Multiaddress> ListenAddresses { get; init; }

    public bool MapsPorts { get; init; }

    public IReadOnlyList<Gateway> Routers { get; init; } = [];

    public IReadOnlyList<MappedPort> Mappings { get; init; } = [];

    public IReadOnlyList<MappingAttempt> MappingFailures { get; init; } = [];

    public IReadOnlyList<IPAddress> SeenAt { get; init; } = [];

    public IReadOnlyList<TestedAddress> Tested { get; init; } = [];

    /// <summary>Addresses that peers dialed of their own accord.</summary>
    public IReadOnlyList<Multiaddress> Confirmed { get; init; } = [];

    /// <summary>Interfaces to local networks, and whether packets get through there; null: not looked at.</summary>
    public IReadOnlyList<(string Name, bool Works)>? Lan { get; init; }

    public int Neighbours { get; init; }
}
