using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Discovery;

/// <summary>What discovery says in the log. Ids 2200-2299.</summary>
internal static partial class DiscoveryLog
{
    [LoggerMessage(2200, LogLevel.Debug, "Multicast DNS on {Interface}, {Family}")]
    public static partial void LinkOpened(ILogger logger, string @interface, AddressFamily family);

    [LoggerMessage(2201, LogLevel.Debug, "Multicast DNS on {Interface} failed: {Reason}")]
    public static partial void LinkFailed(ILogger logger, string @interface, string reason);

    [LoggerMessage(2202, LogLevel.Debug, "Peer {Peer} of the local network {What}")]
    public static partial void Told(ILogger logger, PeerId peer, string what);

    [LoggerMessage(2203, LogLevel.Debug, "Beacons on {Interface}")]
    public static partial void BeaconOpened(ILogger logger, string @interface);

    [LoggerMessage(2204, LogLevel.Debug, "Beacons on {Interface} failed: {Reason}")]
    public static partial void BeaconFailed(ILogger logger, string @interface, string reason);
}
