using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Transport;

internal static partial class TransportLog // ids 1500-1599
{
    [LoggerMessage(1500, LogLevel.Warning, "Accepting on {Address} failed ({Error}); trying again in {PauseMs} ms. If this repeats, raise the limit on open files")]
    public static partial void AcceptPaused(ILogger logger, Multiaddress address, SocketError error, int pauseMs);

    [LoggerMessage(1501, LogLevel.Debug, "A connection to {Address} was gone before it was accepted ({Error})")]
    public static partial void AcceptedTooLate(ILogger logger, Multiaddress address, SocketError error);
}
