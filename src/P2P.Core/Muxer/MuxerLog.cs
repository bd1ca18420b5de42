using Microsoft.Extensions.Logging;

namespace P2P.Core.Muxer;

internal static partial class MuxerLog // ids 1800-1899
{
    [LoggerMessage(1800, LogLevel.Debug, "Session with {Peer} ended: {Reason}")]
    public static partial void Ended(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1801, LogLevel.Error, "Session with {Peer} failed by our fault")]
    public static partial void Failed(ILogger logger, PeerId peer, Exception exception);

    [LoggerMessage(1802, LogLevel.Debug, "Refused stream {StreamId} of {Peer}: {InboundStreams} are open")]
    public static partial void Refused(ILogger logger, PeerId peer, uint streamId, int inboundStreams);
}
