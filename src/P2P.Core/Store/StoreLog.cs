using Microsoft.Extensions.Logging;

namespace P2P.Core.Store;

/// <summary>Log lines of the store: ids 1200-1299.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(1200, LogLevel.Debug, "Opened the store in {Folder}: {Pins} pins, {OwnedBytes} bytes in blocks of its own")]
    public static partial void Opened(ILogger logger, string folder, int pins, long ownedBytes);

    [LoggerMessage(1201, LogLevel.Debug, "A change of the index failed")]
    public static partial void CommitFailed(ILogger logger, Exception error);

    [LoggerMessage(1202, LogLevel.Error, "A transaction of the index could not be undone")]
    public static partial void RollbackFailed(ILogger logger, Exception error);

    [LoggerMessage(1203, LogLevel.Debug, "The log of the index could not be written back at the end")]
    public static partial void CheckpointFailed(ILogger logger, Exception error);

    [LoggerMessage(1204, LogLevel.Warning, "Shared file {Path} is not what it was ({Change}): block {Cid} at {Offset} is no longer served from it")]
    public static partial void SourceChanged(ILogger logger, string path, SourceChange change, Cid cid, long offset);

    [LoggerMessage(1205, LogLevel.Error, "Block {Cid} in the store is damaged and was taken out of service")]
    public static partial void OwnedBlockDamaged(ILogger logger, Cid cid);

    [LoggerMessage(1206, LogLevel.Debug, "Swept {Files} files that an earlier run left behind")]
    public static partial void Swept(ILogger logger, int files);

    [LoggerMessage(1207, LogLevel.Debug, "Sweeping files that an earlier run left behind ended early")]
    public static partial void SweepFailed(ILogger logger, Exception error);

    [LoggerMessage(1208, LogLevel.Debug, "Collected {Blocks} blocks, {Bytes} bytes")]
    public static partial void Collected(ILogger logger, long blocks, long bytes);

    [LoggerMessage(1209, LogLevel.Debug, "What follows a commit of the index could not be done")]
    public static partial void AfterCommitFailed(ILogger logger, Exception error);

    [LoggerMessage(1210, LogLevel.Warning, "Rebuilt the index {Path}; the old one is {Old}")]
    public static partial void Rebuilt(ILogger logger, string path, string old);

    [LoggerMessage(1211, LogLevel.Warning, "The record of pins could not be written; it is tried again with the next change")]
    public static partial void PinsNotRecorded(ILogger logger, Exception error);

    [LoggerMessage(1212, LogLevel.Error, "The block file {Path} could not be read while the index was rebuilt; it is kept in the data folder as unreadable-NAME")]
    public static partial void BlockNotSalvaged(ILogger logger, Exception error, string path);

    [LoggerMessage(1220, LogLevel.Warning, "The key {Number} of a private share cannot be unwrapped: was the identity replaced? What is sealed with it is not served; share it again")]
    public static partial void ShareKeyNotUnwrapped(ILogger logger, long number);
}
