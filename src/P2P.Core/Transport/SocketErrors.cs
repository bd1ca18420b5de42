using System.Net.Sockets;

namespace P2P.Core.Transport;

/// <summary>What a socket reports, in the few words that end up in a <see cref="DialAttempt"/> or a log line.</summary>
internal static class SocketErrors
{
    public static string Describe(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.HostUnreachable => "no route to host",
        SocketError.NetworkUnreachable => "network unreachable",
        SocketError.HostDown => "host is down",
        SocketError.NetworkDown => "network is down",
        SocketError.TimedOut => "timed out",
        SocketError.ConnectionReset => "connection reset by peer",
        SocketError.ConnectionAborted => "connection aborted",
        SocketError.AccessDenied => "not permitted",
        SocketError.AddressAlreadyInUse => "address already in use",
        SocketError.AddressNotAvailable => "address not available on this machine",
        SocketError.AddressFamilyNotSupported => "address family not supported",
        SocketError.TooManyOpenSockets => "too many open files",
        SocketError.NoBufferSpaceAvailable => "out of socket memory",
        SocketError.Shutdown => "connection closed",
        SocketError.OperationAborted => "connection closed",
        SocketError.Interrupted => "connection closed",
        _ => error.ToString(),
    };

    public static IOException ToIOException(SocketException exception) => new(Describe(exception.SocketErrorCode), exception);
}
