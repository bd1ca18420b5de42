using Microsoft.Extensions.Logging;

namespace P2P.Core.Node;

/// <summary>The node's log; ids 9000-9099.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(9000, LogLevel.Information, "Node {Id} started with data folder {Folder}, listening on {Addresses}")]
    public static partial void Started(ILogger logger, PeerId id, string folder, string addresses);

    [LoggerMessage(9001, LogLevel.Information, "Node {Id} stopped")]
    public static partial void Stopped(ILogger logger, PeerId id);

    [LoggerMessage(9002, LogLevel.Warning, "{Message}")]
    public static partial void Warned(ILogger logger, string message);

    [LoggerMessage(9003, LogLevel.Information, "Shared {Name}: {Cid}, {Bytes} bytes in {Blocks} blocks")]
    public static partial void Shared(ILogger logger, string name, Cid cid, long bytes, long blocks);

    [LoggerMessage(9004, LogLevel.Information, "Fetched {Cid}: {Bytes} bytes, {Reused} of them were here, {Seconds:F1} s")]
    public static partial void Fetched(ILogger logger, Cid cid, long bytes, long reused, double seconds);

    [LoggerMessage(9005, LogLevel.Debug, "Bootstrap peer {Address}: {Reason}")]
    public static partial void BootstrapFailed(ILogger logger, Multiaddress address, string reason);

    [LoggerMessage(9006, LogLevel.Debug, "A part of the node ended with a failure while it was being stopped")]
    public static partial void StopFailed(ILogger logger, Exception error);

    [LoggerMessage(9007, LogLevel.Error, "A background loop of the node failed")]
    public static partial void LoopFailed(ILogger logger, Exception error);

    [LoggerMessage(9009, LogLevel.Debug, "Announced {Root} to {Told} of {Of} peers; found again: {Verified}")]
    public static partial void Announced(ILogger logger, Cid root, int told, int of, bool verified);

    [LoggerMessage(9010, LogLevel.Information, "No other node is known: no bootstrap peer was named and none is remembered. What is here can be shared by links with addresses")]
    public static partial void NobodyKnown(ILogger logger);

    [LoggerMessage(9011, LogLevel.Warning, "Announcing pauses: {Reason}")]
    public static partial void AnnouncingPaused(ILogger logger, string reason);

    [LoggerMessage(9012, LogLevel.Debug, "Peer {Peer} of the local network was not reached: {Reason}")]
    public static partial void NeighbourNotReached(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(9008, LogLevel.Warning, "What nothing keeps any more could not be freed")]
    public static partial void GarbageNotCollected(ILogger logger, Exception error);

    [LoggerMessage(9020, LogLevel.Information, "Took in an archive of {Root}: {Blocks} blocks, {Bytes} bytes, {Missing} linked ones missing")]
    public static partial void ArchiveImported(ILogger logger, Cid root, long blocks, long bytes, int missing);

    [LoggerMessage(9021, LogLevel.Warning, "Fetching lost blocks again ended early: {Reason}")]
    public static partial void RefetchStopped(ILogger logger, string reason);
}
