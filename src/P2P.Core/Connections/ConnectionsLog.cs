using Microsoft.Extensions.Logging;

namespace P2P.Core.Connections;

/// <summary>What the connections say in the log. Ids 1300-1399. Whatever a peer can cause is Debug, its text cleaned by the caller.</summary>
internal static partial class ConnectionsLog
{
    [LoggerMessage(1300, LogLevel.Debug, "Connected to {Peer} at {Address}, outbound {IsOutbound}")]
    public static partial void Connected(ILogger logger, PeerId peer, Multiaddress address, bool isOutbound);

    [LoggerMessage(1301, LogLevel.Debug, "Disconnected from {Peer} at {Address}: {Reason}")]
    public static partial void Disconnected(ILogger logger, PeerId peer, Multiaddress address, string reason);

    [LoggerMessage(1302, LogLevel.Debug, "Handshake with {Address} failed: {Reason}")]
    public static partial void HandshakeFailed(ILogger logger, Multiaddress address, string reason);

    [LoggerMessage(1303, LogLevel.Debug, "Refused the connection from {Address}: {Reason}")]
    public static partial void Refused(ILogger logger, Multiaddress address, string reason);

    [LoggerMessage(1304, LogLevel.Debug, "Dial of {Peer} at {Address} failed: {Reason}")]
    public static partial void DialFailed(ILogger logger, PeerId peer, string address, string reason);

    [LoggerMessage(1305, LogLevel.Debug, "Refused a stream of {Peer} for {Protocol}: it has as many as it may, or all places are taken")]
    public static partial void StreamRefused(ILogger logger, PeerId peer, string protocol);

    [LoggerMessage(1306, LogLevel.Debug, "A stream of {Peer} for {Protocol} failed: {Reason}")]
    public static partial void StreamFailed(ILogger logger, PeerId peer, string protocol, string reason);

    [LoggerMessage(1307, LogLevel.Error, "The handler of {Protocol} failed unexpectedly")]
    public static partial void HandlerFailed(ILogger logger, Exception error, string protocol);

    [LoggerMessage(1308, LogLevel.Debug, "The connection to {Peer} closed without a full goodbye: {Reason}")]
    public static partial void CloseHurried(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1309, LogLevel.Error, "A connection observer failed unexpectedly")]
    public static partial void ObserverFailed(ILogger logger, Exception error);

    [LoggerMessage(1310, LogLevel.Information, "Listening on {Address}")]
    public static partial void Listening(ILogger logger, Multiaddress address);

    [LoggerMessage(1311, LogLevel.Warning, "Accepting connections on {Address} failed: {Reason}. Trying again in {Delay}.")]
    public static partial void AcceptFailed(ILogger logger, Multiaddress address, string reason, TimeSpan delay);

    [LoggerMessage(1312, LogLevel.Debug, "Two connections to {Peer}: keeping the one at {Kept}, outbound {IsOutbound}")]
    public static partial void Superseded(ILogger logger, PeerId peer, Multiaddress kept, bool isOutbound);

    [LoggerMessage(1313, LogLevel.Error, "Background work of the connections failed unexpectedly")]
    public static partial void BackgroundFailed(ILogger logger, Exception error);

    [LoggerMessage(1314, LogLevel.Debug, "Some stream handlers still ran {Timeout} after they were told to stop")]
    public static partial void LeftBehind(ILogger logger, TimeSpan timeout);
}
