namespace P2P.Core;

/// <summary>Whether and how others reach a node, and what is in the way.</summary>
/// <param name="Internet">Whether peers on the internet reach it.</param>
/// <param name="Checks">What was looked at, in the order in which a person reads it.</param>
/// <param name="Advice">What to do, a sentence each; empty when all is well.</param>
public sealed record ReachabilityReport(Reachability Internet, IReadOnlyList<ReachabilityCheck> Checks, IReadOnlyList<string> Advice)
{
    /// <summary>Whether nothing needs doing.</summary>
    public bool IsWell => Checks.All(static check => check.State != CheckState.Failed);

    /// <summary>What it listens on.</summary>
    public IReadOnlyList<Multiaddress> ListenAddresses { get; init; } = [];

    /// <summary>Ports of routers that lead to it.</summary>
    public IReadOnlyList<MappedPort> Mappings { get; init; } = [];

    /// <summary>Public IP addresses that peers see it at, the most often named first.</summary>
    public IReadOnlyList<string> SeenAt { get; init; } = [];

    /// <summary>Addresses that peers outside were asked to dial.</summary>
    public IReadOnlyList<TestedAddress> Tested { get; init; } = [];
}

/// <summary>How one thing stands.</summary>
/// <param name="Subject">Listening, Router, Internet or LAN.</param>
/// <param name="State">How it stands.</param>
/// <param name="Text">What was found, in a sentence.</param>
public sealed record ReachabilityCheck(string Subject, CheckState State, string Text);

/// <summary>How one thing stands.</summary>
public enum CheckState
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Not known, or switched off on purpose.</summary>
    Unknown,

    /// <summary>Something needs doing.</summary>
    Failed,
}

/// <summary>A port of a router that leads to a node.</summary>
/// <param name="Protocol">How the router was asked.</param>
/// <param name="Router">The router's address in the home network.</param>
/// <param name="External">The address and port on its other side.</param>
/// <param name="InternalPort">The node's port.</param>
/// <param name="Lifetime">How long the router keeps it unless it is renewed; zero: until it is removed.</param>
public sealed record MappedPort(MappingProtocol Protocol, string Router, Multiaddress External, int InternalPort, TimeSpan Lifetime);

/// <summary>An address that peers outside were asked to dial.</summary>
/// <param name="Address">The address.</param>
/// <param name="Reachability">What came of it.</param>
/// <param name="Peers">Peers of different networks that tried (count).</param>
public sealed record TestedAddress(Multiaddress Address, Reachability Reachability, int Peers);
