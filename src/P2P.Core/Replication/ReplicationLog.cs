using Microsoft.Extensions.Logging;

namespace P2P.Core.Replication;

/// <summary>What replication says in the log. Ids 2100-2199. Peers' text is cleaned by the caller.</summary>
internal static partial class ReplicationLog
{
    [LoggerMessage(2100, LogLevel.Debug, "Holding {Blocks} blocks, {Bytes} bytes for {Publisher} until {Until}")]
    public static partial void Holding(ILogger logger, PeerId publisher, int blocks, long bytes, DateTimeOffset until);

    [LoggerMessage(2101, LogLevel.Debug, "Refused {Bytes} bytes of {Publisher}: {Reason}")]
    public static partial void Refused(ILogger logger, PeerId publisher, long bytes, RefusalReason reason);

    [LoggerMessage(2102, LogLevel.Debug, "Could not pull {Bytes} bytes of {Publisher}: {Reason}")]
    public static partial void PullFailed(ILogger logger, PeerId publisher, long bytes, string reason);

    [LoggerMessage(2103, LogLevel.Debug, "Holder {Holder} took run {Run}")]
    public static partial void Placed(ILogger logger, PeerId holder, Dht.DhtKey run);

    [LoggerMessage(2104, LogLevel.Debug, "Holder {Holder} did not take run {Run}: {Reason}")]
    public static partial void NotPlaced(ILogger logger, PeerId holder, Dht.DhtKey run, string reason);

    [LoggerMessage(2105, LogLevel.Information, "Offering {Bytes} bytes of disk to {Audience}")]
    public static partial void Offering(ILogger logger, long bytes, OfferAudience audience);

    [LoggerMessage(2106, LogLevel.Debug, "Holder {Holder} lost a copy of run {Run}: {Reason}")]
    public static partial void CopyLost(ILogger logger, PeerId holder, Dht.DhtKey run, string reason);

    [LoggerMessage(2107, LogLevel.Debug, "Ended {Count} leases that were over")]
    public static partial void LeasesEnded(ILogger logger, int count);

    [LoggerMessage(2108, LogLevel.Debug, "{Publisher} released {Bytes} bytes")]
    public static partial void Released(ILogger logger, PeerId publisher, long bytes);

    [LoggerMessage(2109, LogLevel.Debug, "Holder {Holder} could not be told that run {Run} is released: {Reason}")]
    public static partial void NotReleased(ILogger logger, PeerId holder, Dht.DhtKey run, string reason);

    [LoggerMessage(2110, LogLevel.Warning, "The copies of {Root} could not be looked after")]
    public static partial void NotLookedAfter(ILogger logger, Exception error, Cid root);

    [LoggerMessage(2111, LogLevel.Debug, "Made a copy of run {Run} at {Holder}, of {Copies} that there were")]
    public static partial void Repaired(ILogger logger, Dht.DhtKey run, PeerId holder, int copies);

    [LoggerMessage(2112, LogLevel.Debug, "Holder {Holder} could not be compared with: {Reason}")]
    public static partial void NotCompared(ILogger logger, PeerId holder, string reason);

    [LoggerMessage(2113, LogLevel.Debug, "Let go of run {Run}: {Copies} copies are more than are wanted")]
    public static partial void Dropped(ILogger logger, Dht.DhtKey run, int copies);

    [LoggerMessage(2114, LogLevel.Debug, "What is held could not be looked after this time: {Reason}")]
    public static partial void RoundFailed(ILogger logger, string reason);
}
