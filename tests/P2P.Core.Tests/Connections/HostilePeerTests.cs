using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

/// <summary>Peers that stall, flood or send nonsense: they are cut off with a reason, and others are served meanwhile.</summary>
[TestClass]
public sealed class HostilePeerTests
{
    private static readonly byte[] Proposal = MultistreamCodec.Encode(MultistreamCodec.Header, "/noise");

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    public static IEnumerable<object[]> Stalls =>
    [
        ["nothing", Array.Empty<byte>()],
        ["half a length", new byte[] { 0x93 }],
        ["half a header", MultistreamCodec.Encode(MultistreamCodec.Header)[..7]],
        ["the header", MultistreamCodec.Encode(MultistreamCodec.Header)],
        ["half a proposal", Proposal[..^3]],
        ["the proposal", Proposal],
        ["half of the first handshake message", (byte[])[.. Proposal, 0, 32, 1, 2, 3]],
        ["all of the first handshake message", (byte[])[.. Proposal, 0, 32, .. Enumerable.Repeat((byte)9, 32)]],
    ];

    [TestMethod]
    [DynamicData(nameof(Stalls))]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_handshake_that_stalls_anywhere_is_cut_by_its_deadline(string after, byte[] sent)
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer b = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        await using ITransportConnection raw = await network.NewHost().DialAsync(b.Pool.ListenAddresses[0], Token);
        if (sent.Length > 0)
        {
            await raw.SendAsync(sent, Token);
        }

        Task<bool> closed = IsClosedAsync(raw);
        await time.AdvanceAsync(TimeSpan.FromSeconds(9.5), TimeSpan.FromSeconds(1));
        Assert.IsFalse(closed.IsCompleted, $"Cut too early after {after}.");
        await time.AdvanceUntilAsync(() => closed.IsCompleted, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(3));
        await Eventually.TrueAsync(() => b.Log.Contains("the handshake took longer than 10 s"), Token);
        Assert.IsEmpty(b.Pool.Connections);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_listener_that_never_answers_fails_the_dial_in_time()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        MemoryTransport host = network.NewHost();
        await using ITransportListener listener = await host.ListenAsync(host.ListenAddress(), Token);
        Task<Connection> dial = a.Pool.ConnectAsync(listener.BoundAddress.WithPeerId(new PeerIdOfNobody().Id), AddressOrigin.User, Token);
        await using ITransportConnection? silent = await listener.AcceptAsync(Token);
        await time.AdvanceUntilAsync(() => dial.IsCompleted, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(12));
        P2PException error = await Assert.ThrowsAsync<P2PException>(() => dial);
        Assert.Contains("took longer than 10 s", Assert.ContainsSingle(error.Attempts).Error);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Random_bytes_are_cut_off()
    {
        SeededRandom random = new(11);
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        for (int i = 0; i < 200; i++)
        {
            byte[] noise = new byte[random.Next(4000) + 1100];
            random.NextBytes(noise);
            byte[] sent = (i % 4) switch
            {
                0 => noise,
                1 => [.. MultistreamCodec.Encode(MultistreamCodec.Header), .. noise],
                2 => [.. Proposal, .. noise],
                _ => [.. Proposal, 0, 32, .. noise],
            };
            await using ITransportConnection raw = await network.NewHost().DialAsync(b.Pool.ListenAddresses[0], Token);
            try
            {
                await raw.SendAsync(sent, Token);
                await raw.SendAsync(new byte[70_000], Token);
            }
            catch (IOException)
            {
                // cut off already
            }

            Assert.IsTrue(await IsClosedAsync(raw).WaitAsync(Token));
        }

        Assert.IsEmpty(b.Log.Problems);
        await TestPeer.CheckEchoAsync(await a.ConnectAsync(b, Token), 100, Token);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Endless_headers_are_cut_off()
    {
        MemoryNetwork network = new();
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        await using ITransportConnection raw = await network.NewHost().DialAsync(b.Pool.ListenAddresses[0], Token);
        byte[] header = MultistreamCodec.Encode(MultistreamCodec.Header);
        Task<bool> closed = IsClosedAsync(raw);
        int sent = 0;
        try
        {
            for (; sent < 1_000_000; sent++)
            {
                await raw.SendAsync(header, Token);
            }
        }
        catch (IOException)
        {
            // cut off
        }

        Assert.IsTrue(await closed.WaitAsync(Token));
        Assert.IsLessThan(1_000_000, sent);
        await Eventually.TrueAsync(() => b.Log.Contains("too many proposals"), Token);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Two_thousand_half_open_connections_leave_others_served()
    {
        await using TestPeer b = await TestPeer.OnLoopback().ListenAsync(Token);
        Assert.IsTrue(b.Address.TryGetEndPoint(out IPEndPoint? end));
        List<Socket> flood = [];
        try
        {
            for (int i = 0; i < 2000; i++)
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                flood.Add(socket);
                try
                {
                    await socket.ConnectAsync(end, Token);
                    if (i % 3 == 0)
                    {
                        await socket.SendAsync(Proposal, SocketFlags.None, Token); // some get one step further
                    }
                }
                catch (SocketException)
                {
                    // displaced already
                }

                if (i % 500 == 499)
                {
                    // in the midst of it, while all earlier ones are open
                    await using TestPeer a = TestPeer.OnLoopback();
                    Stopwatch watch = Stopwatch.StartNew();
                    await TestPeer.CheckEchoAsync(await a.ConnectAsync(b, Token), 1000, Token);
                    Assert.IsLessThan(8.0, watch.Elapsed.TotalSeconds);
                }
            }

            Assert.IsLessThanOrEqualTo(256, b.Pool.UnfinishedHandshakes);
            Assert.IsTrue(b.Log.Contains("too many handshakes under way"));
        }
        finally
        {
            flood.ForEach(socket => socket.Dispose());
        }
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_lying_address_is_left_alone_after_three_failed_handshakes()
    {
        // records that name one host for many peer ids must not aim our dials at it
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        await using TestPeer victim = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        for (int i = 0; i < 8; i++)
        {
            await Assert.ThrowsAsync<P2PException>(() => DialAsync(AddressOrigin.Peer));
        }

        Assert.AreEqual(3, network.ConnectionCount);
        P2PException held = await Assert.ThrowsAsync<P2PException>(() => DialAsync(AddressOrigin.Peer));
        Assert.Contains("held back", held.Attempts[0].Error);
        await Assert.ThrowsAsync<P2PException>(() => DialAsync(AddressOrigin.User));
        Assert.AreEqual(4, network.ConnectionCount);
        await time.AdvanceAsync(TimeSpan.FromMinutes(11), TimeSpan.FromMinutes(1));
        await Assert.ThrowsAsync<P2PException>(() => DialAsync(AddressOrigin.Peer));
        Assert.AreEqual(5, network.ConnectionCount);

        Task<Connection> DialAsync(AddressOrigin origin) =>
            a.Pool.ConnectAsync(victim.Pool.ListenAddresses[0].WithPeerId(new PeerIdOfNobody().Id), origin, Token);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Not_more_than_two_dials_go_to_one_address_at_once()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time) { Latency = TimeSpan.FromMilliseconds(200) };
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        MemoryTransport host = network.NewHost();
        Task[] dials = [.. Enumerable.Range(1, 6).Select(port =>
            a.Pool.ConnectAsync(host.ListenAddress(port).WithPeerId(new PeerIdOfNobody().Id), AddressOrigin.User, Token))];

        // each refusal takes two latencies, so three rounds of two
        int most = 0, before = 0;
        while (!dials.All(dial => dial.IsCompleted))
        {
            time.Advance(TimeSpan.FromMilliseconds(400));
            await Task.Delay(100, Token);
            most = Math.Max(most, network.ConnectionCount - before);
            before = network.ConnectionCount;
        }

        Assert.AreEqual(2, most);
        Assert.AreEqual(6, network.ConnectionCount);
    }

    private async Task<bool> IsClosedAsync(ITransportConnection raw)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (await raw.ReceiveAsync(buffer, Token) > 0)
            {
            }
        }
        catch (IOException)
        {
            // aborted
        }

        return true;
    }
}
