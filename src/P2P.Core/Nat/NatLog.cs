using System.Net;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Nat;

internal static partial class NatLog // ids 2300-2399
{
    [LoggerMessage(2300, LogLevel.Information, "The router {Router} leads {External} to port {Port} here, asked by {Protocol}")]
    public static partial void Mapped(ILogger logger, IPEndPoint external, MappingProtocol protocol, IPAddress router, int port);

    [LoggerMessage(2301, LogLevel.Debug, "The router {Router} maps no port by {Protocols}: {Failure}")]
    public static partial void NotMapped(ILogger logger, IPAddress router, string protocols, string failure);

    [LoggerMessage(2302, LogLevel.Debug, "The mapping of {External} could not be looked after by the router {Router}: {Failure}")]
    public static partial void NotKept(ILogger logger, IPEndPoint external, IPAddress router, string failure);

    [LoggerMessage(2303, LogLevel.Information, "The mapping of {External} is lost: the router {Router} does not answer any more")]
    public static partial void Lost(ILogger logger, IPEndPoint external, IPAddress router);

    [LoggerMessage(2304, LogLevel.Debug, "The mapping of {External} is given back to the router {Router}")]
    public static partial void Removed(ILogger logger, IPEndPoint external, IPAddress router);

    [LoggerMessage(2305, LogLevel.Debug, "The mapping of {External} could not be given back to the router {Router}: {Failure}")]
    public static partial void NotRemoved(ILogger logger, IPEndPoint external, IPAddress router, string failure);

    [LoggerMessage(2306, LogLevel.Debug, "Peer {Peer} says of our address {Address}: {Verdict}")]
    public static partial void Judged(ILogger logger, PeerId peer, Multiaddress address, string verdict);

    [LoggerMessage(2307, LogLevel.Debug, "Peer {Peer} does not say whether it reaches us: {Error}")]
    public static partial void NotJudged(ILogger logger, PeerId peer, string error);

    [LoggerMessage(2308, LogLevel.Information, "Reachable from outside at {Address}")]
    public static partial void Reachable(ILogger logger, Multiaddress address);

    [LoggerMessage(2309, LogLevel.Information, "Not reachable from outside at {Address}")]
    public static partial void Unreachable(ILogger logger, Multiaddress address);

    [LoggerMessage(2310, LogLevel.Debug, "A dial back to {Address} for peer {Peer}: {Outcome}")]
    public static partial void DialedBack(ILogger logger, PeerId peer, Multiaddress address, string outcome);

    [LoggerMessage(2311, LogLevel.Error, "Work on reachability failed")]
    public static partial void BackgroundFailed(ILogger logger, Exception error);
}
