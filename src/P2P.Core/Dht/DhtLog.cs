using Microsoft.Extensions.Logging;

namespace P2P.Core.Dht;

/// <summary>What the DHT says in the log. Ids 2000-2099. Peers' text is cleaned by the caller.</summary>
internal static partial class DhtLog
{
    [LoggerMessage(2000, LogLevel.Debug, "Lookup for {Target}: {Asked} peers asked, {Found} answered of the closest, {ElapsedMs:F1} ms")]
    public static partial void LookupFinished(ILogger logger, DhtKey target, int asked, int found, double elapsedMs);

    [LoggerMessage(2001, LogLevel.Debug, "Request to {Peer} failed: {Reason}")]
    public static partial void RequestFailed(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(2002, LogLevel.Debug, "Contact {Peer}: {Outcome}, {Count} in the table")]
    public static partial void Offered(ILogger logger, PeerId peer, AdmitResult outcome, int count);

    [LoggerMessage(2003, LogLevel.Debug, "Contact {Peer} left the table: {Reason}")]
    public static partial void Left(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(2004, LogLevel.Debug, "Told {Told} of {Of} peers to provide {Key}")]
    public static partial void Provided(ILogger logger, DhtKey key, int told, int of);

    [LoggerMessage(2005, LogLevel.Information, "Taking part in {Protocol} as a {Role}")]
    public static partial void Started(ILogger logger, string protocol, string role);

    [LoggerMessage(2006, LogLevel.Debug, "Looked after the table: {Count} contacts, bucket {Bucket}")]
    public static partial void Refreshed(ILogger logger, int count, int bucket);

    [LoggerMessage(2007, LogLevel.Error, "Background work of the DHT failed unexpectedly")]
    public static partial void BackgroundFailed(ILogger logger, Exception error);

    [LoggerMessage(2008, LogLevel.Information, "The key {Target} is surrounded by nodes that stand far closer to it than any should: everybody in its region was asked, {Asked} peers")]
    public static partial void Surrounded(ILogger logger, DhtKey target, int asked);

    [LoggerMessage(2009, LogLevel.Debug, "Announced a region: {Regions} done since the start, {Waiting} wait for another try, {LagSeconds:F0} s behind")]
    public static partial void RegionDone(ILogger logger, int regions, int waiting, double lagSeconds);
}
