using Microsoft.Extensions.Logging;

namespace P2P.Core.Exchange;

/// <summary>Log lines of the exchange: ids 1600-1699. Everything that a peer can cause is Debug.</summary>
internal static partial class ExchangeLog
{
    [LoggerMessage(1600, LogLevel.Debug, "Wants to {Peer} end")]
    public static partial void WantSenderStopped(ILogger logger, PeerId peer);

    [LoggerMessage(1601, LogLevel.Debug, "The stream with wants to {Peer} broke: {Reason}")]
    public static partial void WantStreamBroken(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1602, LogLevel.Debug, "{Peer} broke bitswap: {Reason}")]
    public static partial void BadMessage(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1603, LogLevel.Debug, "A stream of {Peer} ended: {Reason}")]
    public static partial void InboundEnded(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1604, LogLevel.Debug, "{Peer} sent {Bytes} bytes that match nothing wanted")]
    public static partial void WrongBlock(ILogger logger, PeerId peer, int bytes);

    [LoggerMessage(1605, LogLevel.Debug, "{Peer} is of no use: {Reason}")]
    public static partial void PeerUseless(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1606, LogLevel.Debug, "Answering {Peer} failed: {Reason}")]
    public static partial void ServingFailed(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1607, LogLevel.Debug, "The block {Cid} could not be read for {Peer}: {Reason}")]
    public static partial void BlockUnreadable(ILogger logger, Cid cid, PeerId peer, string reason);

    [LoggerMessage(1608, LogLevel.Error, "A taker of block {Cid} failed")]
    public static partial void SinkFailed(ILogger logger, Cid cid, Exception error);

    [LoggerMessage(1609, LogLevel.Debug, "Provider {Peer} joined the session for {Root}")]
    public static partial void ProviderJoined(ILogger logger, PeerId peer, Cid root);

    [LoggerMessage(1610, LogLevel.Debug, "Provider {Peer} of {Root} was lost; dialing it again")]
    public static partial void ProviderLost(ILogger logger, PeerId peer, Cid root);

    [LoggerMessage(1611, LogLevel.Debug, "The search for providers of {Root} failed: {Reason}")]
    public static partial void SearchFailed(ILogger logger, Cid root, string reason);

    [LoggerMessage(1612, LogLevel.Debug, "The stored block {Cid} could not be used: {Reason}")]
    public static partial void LocalBlockUnusable(ILogger logger, Cid cid, string reason);

    [LoggerMessage(1613, LogLevel.Error, "A loop of the exchange failed")]
    public static partial void LoopFailed(ILogger logger, Exception error);
}
