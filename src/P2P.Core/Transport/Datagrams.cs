using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Transport;

/// <summary>Sending on UDP sockets.</summary>
internal static class Datagrams
{
    /// <summary>Hands a packet to the system, which takes it or refuses it at once and never waits for the network; so this does not wait either.</summary>
    /// <remarks>
    /// The socket must not block. An asynchronous send that the system refuses (a family without a route is enough) costs a stack trace with line numbers,
    /// and the first one 2.5 MB for the reader of symbols.
    /// </remarks>
    /// <param name="socket">A UDP socket whose <see cref="Socket.Blocking"/> is off.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="to">Whom to; nothing for the peer that the socket is connected with.</param>
    /// <exception cref="SocketException">The system refused it.</exception>
    public static void Send(Socket socket, ReadOnlySpan<byte> packet, IPEndPoint? to)
    {
        try
        {
            if (to is null)
                socket.Send(packet, SocketFlags.None);
            else
                socket.SendTo(packet, SocketFlags.None, to);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
        {
            // The socket's buffer is full: this one is lost, as others are on the way, and whoever sends datagrams sends again.
        }
    }
}
