using System.Net;
using System.Net.Sockets;
using System.Text;
using P2P.Core.Transport;

namespace P2P.Core.Nat;

/// <summary>
/// Single requests to a router by HTTP/1.1: from our address in its network, to it alone, over a connection of their own; no proxy, no redirect, nothing kept.
/// </summary>
/// <remarks>The library of the system would stay in memory with all that it can do besides: 4 to 5 MB of a node that asks once in twenty seconds.</remarks>
internal static class RouterHttp
{
    private const int FirstBytes = 4096;

    /// <inheritdoc cref="IGatewaySystem.RequestAsync"/>
    public static async Task<GatewayReply> RequestAsync(Gateway gateway, Uri url, string? soapAction, ReadOnlyMemory<byte> body, int maxBytes, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(gateway.Own, 0));
            await socket.ConnectAsync(new IPEndPoint(gateway.Router, url.Port), cancellationToken).ConfigureAwait(false);
            await SendAsync(socket, Encoding.ASCII.GetBytes(HeadOf(url, soapAction, body.Length)), cancellationToken).ConfigureAwait(false);
            await SendAsync(socket, body, cancellationToken).ConfigureAwait(false);
            return await ReceiveAsync(socket, maxBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            throw SocketErrors.ToIOException(error);
        }
    }

    // a Uri escapes what could end a line
    private static string HeadOf(Uri url, string? soapAction, int bodyBytes) => soapAction is null
        ? $"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {url.Authority}\r\nConnection: close\r\n\r\n"
        : $"POST {url.PathAndQuery} HTTP/1.1\r\nHost: {url.Authority}\r\nConnection: close\r\nSOAPAction: {soapAction}\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nContent-Length: {bodyBytes}\r\n\r\n";

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
    }

    private static async Task<GatewayReply> ReceiveAsync(Socket socket, int maxBytes, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[Math.Min(FirstBytes, HttpReply.MaxBytesOf(maxBytes))];
        int filled = 0, needed = 1;
        while (true)
        {
            if (filled == buffer.Length)
            {
                if (filled >= HttpReply.MaxBytesOf(maxBytes))
                    throw new IOException("the answer is too long");
                Array.Resize(ref buffer, Math.Min(2 * filled, HttpReply.MaxBytesOf(maxBytes)));
            }

            int read = await socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, cancellationToken).ConfigureAwait(false);
            filled += read;
            if ((read == 0 || filled >= needed) && HttpReply.Read(buffer.AsSpan(0, filled), read == 0, maxBytes, out needed) is { } reply)
                return reply;
        }
    }
}
