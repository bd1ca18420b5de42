using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using P2P.Testing;

namespace P2P.Core.Tests.TestKit;

[TestClass]
public sealed class DelayRelayTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Bytes_arrive_whole_no_sooner_than_the_link_allows()
    {
        // lower bounds only: a busy machine may be slower, never faster
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await using DelayRelay relay = DelayRelay.Start(
            (IPEndPoint)listener.LocalEndPoint!, new DelayRelayOptions { RoundTrip = TimeSpan.FromMilliseconds(80), BitsPerSecond = 40_000_000 });
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(relay.EndPoint, Token);
        using Socket server = await listener.AcceptAsync(Token);

        byte[] one = new byte[1];
        Stopwatch watch = Stopwatch.StartNew();
        await client.SendAsync(new byte[] { 7 }, SocketFlags.None, Token);
        Assert.AreEqual(1, await server.ReceiveAsync(one, SocketFlags.None, Token));
        await server.SendAsync(one, SocketFlags.None, Token);
        Assert.AreEqual(1, await client.ReceiveAsync(one, SocketFlags.None, Token));
        Assert.AreEqual(7, one[0]);
        Assert.IsGreaterThan(77, watch.Elapsed.TotalMilliseconds);

        byte[] sent = new byte[2_000_000];
        new SeededRandom(1).NextBytes(sent);
        watch.Restart();
        Task sending = Task.Run(async () =>
        {
            for (int at = 0; at < sent.Length;)
            {
                at += await client.SendAsync(sent.AsMemory(at), SocketFlags.None, Token);
            }

            client.Shutdown(SocketShutdown.Send);
        });
        using MemoryStream received = new();
        byte[] buffer = new byte[65536];
        for (int count; (count = await server.ReceiveAsync(buffer, SocketFlags.None, Token)) > 0;)
        {
            await received.WriteAsync(buffer.AsMemory(0, count), Token);
        }

        await sending;
        CollectionAssert.AreEqual(sent, received.ToArray());
        Assert.IsGreaterThan(400 + 38, watch.Elapsed.TotalMilliseconds);
        Assert.AreEqual(sent.Length + 2, relay.BytesForwarded);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_target_that_refuses_closes_the_client()
    {
        await using DelayRelay relay = DelayRelay.Start(new IPEndPoint(IPAddress.Loopback, 1));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(relay.EndPoint, Token);
        try
        {
            Assert.AreEqual(0, await client.ReceiveAsync(new byte[1], SocketFlags.None, Token));
        }
        catch (SocketException)
        {
            // reset: closed as well
        }
    }
}
