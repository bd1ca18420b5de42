using Microsoft.Extensions.Logging;

namespace P2P.Core.Muxer;

internal static partial class MuxerLog // ids 1300-1399
{
    [LoggerMessage(1300, LogLevel.Debug, "Session with {Peer} ended: {Reason}")]
    public static partial void Ended(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1301, LogLevel.Error, "Session with {Peer} failed by our fault")]
    public static partial void Failed(ILogger logger, PeerId peer, Exception exception);

    [LoggerMessage(1302, LogLevel.Debug, "Refused stream {StreamId} of {Peer}: {InboundStreams} are open")]
    public static partial void Refused(ILogger logger, PeerId peer, uint streamId, int inboundStreams);
}
