using System.Net;
using System.Net.Sockets;
using System.Text;
using P2P.Core.Nat;

namespace P2P.Core.Tests.Nat;

/// <summary>Requests to a router by HTTP, and what routers answer.</summary>
[TestClass]
public sealed class RouterHttpTests
{
    private const int MaxBytes = 1000;

    [TestMethod]
    [DataRow("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello")]
    [DataRow("HTTP/1.0 200 OK\ncontent-length:5\n\nhello", 200, "hello")]
    [DataRow("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", 500, "")]
    [DataRow("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok")]
    [DataRow("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n02\r\nlo\r\n0\r\n\r\n", 200, "hello")]
    [DataRow("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", 204, "")]
    [DataRow("HTTP/1.1 404\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 404, "x")]
    public void An_answer_is_read_once_it_is_whole(string answer, int status, string body)
    {
        byte[] input = Encoding.ASCII.GetBytes(answer);
        int least = 0;
        for (int length = 0; length <= input.Length; length++)
        {
            GatewayReply? reply = HttpReply.Read(input.AsSpan(0, length), isEnd: false, MaxBytes, out int needed);
            if (reply is null)
            {
                Assert.IsGreaterThan(length, needed);
                least = Math.Max(least, needed);
                continue;
            }

            Assert.IsGreaterThanOrEqualTo(least, length, "it was whole before it was said to be worth a look");
            Assert.AreEqual(status, reply.Value.Status);
            Assert.AreEqual(body, Encoding.ASCII.GetString(reply.Value.Body));
            return;
        }

        Assert.Fail("It was never whole.");
    }

    [TestMethod]
    public void Without_a_length_the_answer_lasts_until_the_router_closes()
    {
        byte[] input = "HTTP/1.1 200 OK\r\n\r\nhello"u8.ToArray();
        Assert.IsNull(HttpReply.Read(input, isEnd: false, MaxBytes, out _));
        Assert.AreEqual("hello", Encoding.ASCII.GetString(HttpReply.Read(input, isEnd: true, MaxBytes, out _)!.Value.Body));
    }

    [TestMethod]
    [DataRow("SSH-2.0-dropbear\r\n", "no HTTP")]
    [DataRow("HTTP/1.1 2xx OK\r\n\r\n", "no HTTP")]
    [DataRow("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no length")]
    [DataRow("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "no length")]
    [DataRow("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "no length")]
    [DataRow("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "too long")]
    [DataRow("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "without a name")]
    [DataRow("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "encoded")]
    [DataRow("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", "without a length")]
    [DataRow("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "without a length")]
    [DataRow("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "too long")]
    [DataRow("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n", "longer than it says")]
    [DataRow("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "ended too early")]
    [DataRow("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell", "ended too early")]
    [DataRow("HTTP/1.1 100 Continue\r\n\r\n", "ended too early")]
    [DataRow("", "ended too early")]
    public void Other_answers_are_refused(string answer, string why)
    {
        IOException error = Assert.ThrowsExactly<IOException>(() => HttpReply.Read(Encoding.ASCII.GetBytes(answer), isEnd: true, MaxBytes, out _));
        Assert.Contains(why, error.Message);
    }

    [TestMethod]
    public void Endless_headers_are_refused()
    {
        string line = "HTTP/1.1 200 OK\r\n" + new string('x', HttpReply.MaxHeadBytes);
        Assert.ThrowsExactly<IOException>(() => HttpReply.Read(Encoding.ASCII.GetBytes(line), isEnd: false, MaxBytes, out _));
        string lines = "HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Repeat("a: b\r\n", HttpReply.MaxHeadBytes / 6));
        Assert.ThrowsExactly<IOException>(() => HttpReply.Read(Encoding.ASCII.GetBytes(lines), isEnd: false, MaxBytes, out _));
    }

    [TestMethod]
    [Timeout(30_000)]
    public async Task A_request_is_sent_whole_and_its_answer_read()
    {
        (string asked, GatewayReply reply) = await AskAsync("\"urn:x#Do\"", "<x/>", ["HTTP/1.1 200 OK\r\nContent-", "Length: 5\r\n\r\nhe", "llo"]);
        Assert.StartsWith("POST /ctl?a=1 HTTP/1.1\r\nHost: 127.0.0.1:", asked);
        Assert.Contains("\r\nConnection: close\r\nSOAPAction: \"urn:x#Do\"\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nContent-Length: 4\r\n\r\n<x/>", asked);
        Assert.AreEqual(200, reply.Status);
        Assert.AreEqual("hello", Encoding.ASCII.GetString(reply.Body));
    }

    [TestMethod]
    [Timeout(30_000)]
    public async Task A_redirect_is_an_answer_and_is_not_followed()
    {
        (string asked, GatewayReply reply) = await AskAsync(null, "", ["HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"]);
        Assert.StartsWith("GET /ctl?a=1 HTTP/1.1\r\n", asked);
        Assert.AreEqual(302, reply.Status);
    }

    [TestMethod]
    [Timeout(30_000)]
    public async Task An_answer_without_an_end_is_cut_off()
    {
        string[] endless = ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .. Enumerable.Repeat("1;" + new string('e', 2000) + "\r\nx\r\n", 1000)];
        IOException error = await Assert.ThrowsExactlyAsync<IOException>(() => AskAsync(null, "", endless));
        Assert.Contains("too long", error.Message);
    }

    [TestMethod]
    public async Task A_closed_port_is_said()
    {
        var gateway = new Gateway(IPAddress.Loopback, IPAddress.Loopback, "lo");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening: nobody else gets the port meanwhile
        var url = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}/");
        IOException error = await Assert.ThrowsExactlyAsync<IOException>(() => RouterHttp.RequestAsync(gateway, url, null, default, MaxBytes, CancellationToken.None));
        Assert.AreEqual("connection refused", error.Message);
    }

    private static async Task<(string Asked, GatewayReply Reply)> AskAsync(string? action, string body, string[] answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/ctl?a=1");
        Task<GatewayReply> request = RouterHttp.RequestAsync(new Gateway(IPAddress.Loopback, IPAddress.Loopback, "lo"), url, action, Encoding.ASCII.GetBytes(body), MaxBytes, CancellationToken.None);
        string asked;
        using (Socket router = await listener.AcceptSocketAsync())
        {
            byte[] buffer = new byte[4096];
            int filled = 0;
            do
                filled += await router.ReceiveAsync(buffer.AsMemory(filled));
            while (!Encoding.ASCII.GetString(buffer, 0, filled).EndsWith("\r\n\r\n" + body, StringComparison.Ordinal));
            asked = Encoding.ASCII.GetString(buffer, 0, filled);
            try
            {
                foreach (string part in answer)
                    await router.SendAsync(Encoding.ASCII.GetBytes(part));
                router.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // it was cut off
            }

            return (asked, await request);
        }
    }
}
