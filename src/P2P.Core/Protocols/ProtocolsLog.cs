using Microsoft.Extensions.Logging;

namespace P2P.Core.Protocols;

/// <summary>What the small protocols say in the log. Ids 1400-1499. Peers' text is cleaned by the caller.</summary>
internal static partial class ProtocolsLog
{
    [LoggerMessage(1400, LogLevel.Debug, "Identified {Peer}: {Agent}, {Protocols} protocols, {Addresses} addresses")]
    public static partial void Identified(ILogger logger, PeerId peer, string agent, int protocols, int addresses);

    [LoggerMessage(1401, LogLevel.Debug, "Identify with {Peer} failed: {Reason}")]
    public static partial void IdentifyFailed(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1402, LogLevel.Error, "Background work of a protocol failed unexpectedly")]
    public static partial void BackgroundFailed(ILogger logger, Exception error);
}
