using Microsoft.Extensions.Logging;

namespace P2P.Core.Identity;

/// <summary>What the identity room logs: ids 1100-1199.</summary>
internal static partial class IdentityLog
{
    [LoggerMessage(1100, LogLevel.Information, "Created the identity {PeerId} in {Path}")]
    public static partial void Created(ILogger logger, PeerId peerId, string path);

    [LoggerMessage(1101, LogLevel.Warning, "Others could read the identity file {Path}; its permissions are now owner-only. If somebody may have copied it, delete it to get a new identity")]
    public static partial void Tightened(ILogger logger, string path);
}
