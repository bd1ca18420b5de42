using System.Net;
using Microsoft.Extensions.Logging;
using P2P.Core.Diagnostics;
using P2P.Core.Discovery;
using P2P.Core.Nat;
using P2P.Core.Transport;

namespace P2P.Core.Node;

/// <summary>Where a node touches the world: its clock, chance, network and log. Tests put others in their place.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Random">Chance for schedules, never for secrets.</param>
/// <param name="Transports">The network.</param>
/// <param name="Loggers">The log.</param>
/// <param name="Metrics">The meters.</param>
internal sealed record NodeSeams(TimeProvider Time, Random Random, IReadOnlyList<ITransport> Transports, ILoggerFactory Loggers, P2PMetrics Metrics)
{
    /// <summary>The networks that this machine has an interface in; null: asked of the system.</summary>
    public Func<IReadOnlyList<IPNetwork>>? OnLink { get; init; }

    /// <summary>The interfaces to local networks; null: peers there are not looked for.</summary>
    public ILanSystem? Lan { get; init; }

    /// <summary>The routers of this machine; null: none is asked for a port.</summary>
    public IGatewaySystem? Gateways { get; init; }

    /// <summary>A generator of its own for one room, so that rooms do not disturb each other's sequence.</summary>
    public Random ForkRandom() => new(Random.Next());
}
