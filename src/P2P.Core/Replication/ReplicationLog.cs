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
}
