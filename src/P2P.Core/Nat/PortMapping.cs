using System.Net;

namespace P2P.Core.Nat;

/// <summary>A port of a router that leads to one of ours.</summary>
/// <param name="Protocol">How the router was asked.</param>
/// <param name="Gateway">The router.</param>
/// <param name="InternalPort">Our port.</param>
/// <param name="External">The router's address and port on its other side.</param>
/// <param name="Lifetime">How long the router keeps it; zero: until it is removed.</param>
internal sealed record PortMapping(MappingProtocol Protocol, Gateway Gateway, int InternalPort, IPEndPoint External, TimeSpan Lifetime);

/// <summary>A router does not map a port: the message says why, to be shown after the protocol's name and a colon.</summary>
internal sealed class MappingException(string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>Whether the router has answered and given none.</summary>
    public bool IsAnswer { get; init; }
}
