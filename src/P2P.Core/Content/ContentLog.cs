using Microsoft.Extensions.Logging;

namespace P2P.Core.Content;

/// <summary>Log lines of this room: ids 1700 to 1799.</summary>
internal static partial class ContentLog
{
    [LoggerMessage(1700, LogLevel.Information, "Going on with {Root} in {Part}")]
    public static partial void FetchResumed(ILogger logger, Cid root, string part);

    [LoggerMessage(1701, LogLevel.Information, "Fetched {Root}: {Bytes} bytes, {Reused} of them were here")]
    public static partial void FetchFinished(ILogger logger, Cid root, long bytes, long reused);

    [LoggerMessage(1702, LogLevel.Debug, "{Target} cannot be compared")]
    public static partial void TargetNotReadable(ILogger logger, Exception error, string target);

    [LoggerMessage(1703, LogLevel.Warning, "{Count} folders of {Root} keep neither mode nor time: there are too many to remember")]
    public static partial void FolderMetadataDropped(ILogger logger, Cid root, long count);
}
