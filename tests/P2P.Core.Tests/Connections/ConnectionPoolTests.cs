using System.Net;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Identity;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

/// <summary>Two or more peers over the memory transport, with the real handshake and muxer.</summary>
[TestClass]
public sealed class ConnectionPoolTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_carries_bytes_both_ways()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        Connection connection = await a.ConnectAsync(b, Token);
        Assert.AreEqual(b.Id, connection.RemotePeer);
        Assert.IsTrue(connection.IsOutbound);
        await TestPeer.CheckEchoAsync(connection, 1, Token);
        await TestPeer.CheckEchoAsync(connection, 3_000_000, Token);
        Assert.IsEmpty(a.Log.Problems);
        Assert.IsEmpty(b.Log.Problems);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_carries_bytes_over_loopback_tcp()
    {
        await using TestPeer a = TestPeer.OnLoopback();
        await using TestPeer b = await TestPeer.OnLoopback().ListenAsync(Token);
        Connection connection = await a.ConnectAsync(b, Token);
        await TestPeer.CheckEchoAsync(connection, 3_000_000, Token);
        Assert.IsTrue(b.Pool.TryGet(a.Id, out Connection? back));
        Assert.IsFalse(back.IsOutbound);
        await TestPeer.CheckEchoAsync(back, 1000, Token);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_open_connection_is_used_again()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        Connection first = await a.ConnectAsync(b, Token);
        Connection second = await a.ConnectAsync(b, Token);
        Assert.AreSame(first, second);
        Assert.AreEqual(1, network.ConnectionCount);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Concurrent_dials_of_one_peer_share_one_connection()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        Connection[] all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => a.ConnectAsync(b, Token))));
        Assert.HasCount(1, all.Distinct());
        Assert.AreEqual(1, network.ConnectionCount);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Canceling_one_of_two_waiters_leaves_the_dial_to_the_other()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time) { Latency = TimeSpan.FromMilliseconds(100) };
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        await using TestPeer b = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        using CancellationTokenSource impatient = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<Connection> first = a.ConnectAsync(b, impatient.Token);
        Task<Connection> second = a.ConnectAsync(b, Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => first);
        await time.AdvanceUntilAsync(() => second.IsCompleted, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(4));
        Assert.AreEqual(b.Id, (await second).RemotePeer);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Dialing_itself_is_refused()
    {
        MemoryNetwork network = new();
        await using TestPeer a = await TestPeer.InMemory(network).ListenAsync(Token);
        P2PException error = await Assert.ThrowsAsync<P2PException>(() => a.ConnectAsync(a, Token));
        Assert.AreEqual(P2PErrorCode.Unreachable, error.Code);
        Assert.AreEqual(0, network.ConnectionCount);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Another_peer_at_the_address_is_reported_with_its_id()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        using IdentityKey stranger = IdentityKey.Generate();
        Multiaddress wrong = b.Pool.ListenAddresses[0].WithPeerId(stranger.PeerId);
        P2PException error = await Assert.ThrowsAsync<P2PException>(() => a.Pool.ConnectAsync(wrong, AddressOrigin.User, Token));
        Assert.AreEqual(P2PErrorCode.Unreachable, error.Code);
        DialAttempt attempt = Assert.ContainsSingle(error.Attempts);
        Assert.Contains(b.Id.ToString(), attempt.Error);
        Assert.IsFalse(a.Pool.TryGet(b.Id, out _));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task All_attempts_of_a_failed_dial_are_reported()
    {
        await using TestPeer a = TestPeer.OnLoopback(new ConnectionOptions { ResolveTexts = static (_, _) => Task.FromResult<IReadOnlyList<string>>([]) });
        using IdentityKey stranger = IdentityKey.Generate();
        Multiaddress[] addresses =
        [
            Multiaddress.Parse("/ip4/127.0.0.1/tcp/1"),
            Multiaddress.Parse("/ip4/127.0.0.1/tcp/2"),
            Multiaddress.Parse("/ip4/127.0.0.1/tcp/2"),
            Multiaddress.Parse("/dnsaddr/example.invalid"),
        ];
        P2PException error = await Assert.ThrowsAsync<P2PException>(() => a.Pool.ConnectAsync(stranger.PeerId, addresses, AddressOrigin.User, Token));
        Assert.AreEqual(P2PErrorCode.Unreachable, error.Code);
        Assert.IsTrue(error.IsTransient);
        Assert.HasCount(3, error.Attempts);
        Assert.HasCount(2, error.Attempts.Where(attempt => attempt.Error == "connection refused"));
        Assert.ContainsSingle(error.Attempts.Where(attempt => attempt.Error == "example.invalid names no address of this peer (texts of _dnsaddr.example.invalid)"));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_peer_without_a_known_address_is_said_to_be_unknown()
    {
        await using TestPeer a = TestPeer.OnLoopback();
        using IdentityKey stranger = IdentityKey.Generate();
        P2PException error = await Assert.ThrowsAsync<P2PException>(() => a.Pool.ConnectAsync(stranger.PeerId, [], AddressOrigin.User, Token));
        Assert.Contains("no address", error.Message);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_loopback_address_told_by_a_peer_is_not_dialed()
    {
        await using TestPeer a = TestPeer.OnLoopback(new ConnectionOptions { OnLink = static () => [] });
        await using TestPeer b = await TestPeer.OnLoopback().ListenAsync(Token);
        P2PException error = await Assert.ThrowsAsync<P2PException>(() => a.Pool.ConnectAsync(b.Address, AddressOrigin.Peer, Token));
        Assert.Contains("not dialed", Assert.ContainsSingle(error.Attempts).Error);
        Assert.IsEmpty(b.Events);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_host_name_is_resolved_and_its_answers_keep_their_origin()
    {
        ConnectionOptions options = new() { OnLink = static () => [], ResolveHost = static (host, _) => Task.FromResult<IPAddress[]>(host == "here.test" ? [IPAddress.Loopback] : []) };
        await using TestPeer a = TestPeer.OnLoopback(options);
        await using TestPeer b = await TestPeer.OnLoopback().ListenAsync(Token);
        Assert.IsTrue(b.Address.TryGetEndPoint(out IPEndPoint? end));
        Multiaddress named = Multiaddress.Parse($"/dns4/here.test/tcp/{end.Port}/p2p/{b.Id}");
        P2PException told = await Assert.ThrowsAsync<P2PException>(() => a.Pool.ConnectAsync(named, AddressOrigin.Peer, Token));
        Assert.Contains("not dialed", told.Attempts[0].Error);
        Connection connection = await a.Pool.ConnectAsync(named, AddressOrigin.User, Token);
        Assert.AreEqual(b.Id, connection.RemotePeer);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_peer_is_dialed_at_the_addresses_that_a_name_lists_for_it()
    {
        await using TestPeer b = await TestPeer.OnLoopback().ListenAsync(Token);
        Assert.IsTrue(b.Address.TryGetEndPoint(out IPEndPoint? end));
        Multiaddress named = Multiaddress.Parse($"/dnsaddr/here.test/p2p/{b.Id}");
        ConnectionOptions options = new()
        {
            OnLink = static () => [],
            ResolveHost = static (host, _) => Task.FromResult<IPAddress[]>(host == "host.test" ? [IPAddress.Loopback] : []),
            ResolveTexts = (name, _) => Task.FromResult<IReadOnlyList<string>>(name == "_dnsaddr.here.test" ? [$"dnsaddr=/dns4/host.test/tcp/{end.Port}/p2p/{b.Id}"] : []),
        };
        await using TestPeer a = TestPeer.OnLoopback(options);
        P2PException told = await Assert.ThrowsAsync<P2PException>(() => a.Pool.ConnectAsync(named, AddressOrigin.Peer, Token));
        Assert.Contains("not dialed", told.Attempts[0].Error, "what a peer names may not lead to this machine, by two names either");
        Connection connection = await a.Pool.ConnectAsync(named, AddressOrigin.User, Token);
        Assert.AreEqual(b.Id, connection.RemotePeer);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_dead_address_delays_a_good_one_by_the_stagger_only()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        await using TestPeer b = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        MemoryTransport dead = network.NewHost();
        network.Cut(((MemoryTransport)a.Transport).Address, dead.Address);
        Task<Connection> dial = a.Pool.ConnectAsync(b.Id, [dead.ListenAddress(9), b.Address], AddressOrigin.User, Token);
        await time.AdvanceUntilAsync(() => dial.IsCompleted, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1));
        Assert.AreEqual(b.Id, (await dial).RemotePeer);
        Assert.IsGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(250), time.Elapsed);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_silent_address_is_given_up_after_the_dial_timeout()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        MemoryTransport dead = network.NewHost();
        network.Cut(((MemoryTransport)a.Transport).Address, dead.Address);
        using IdentityKey stranger = IdentityKey.Generate();
        Task<Connection> dial = a.Pool.ConnectAsync(stranger.PeerId, [dead.ListenAddress(9)], AddressOrigin.User, Token);
        await time.AdvanceUntilAsync(() => dial.IsCompleted, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(8));
        P2PException error = await Assert.ThrowsAsync<P2PException>(() => dial);
        Assert.AreEqual("no answer in 5 s", Assert.ContainsSingle(error.Attempts).Error);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Background_work_leaves_a_failed_peer_alone_and_a_user_does_not()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        MemoryTransport host = network.NewHost();
        using IdentityKey identity = IdentityKey.Generate();
        Multiaddress[] addresses = [host.ListenAddress(7)];
        Task<Connection> Dial(DialPurpose purpose) => a.Pool.ConnectAsync(identity.PeerId, addresses, AddressOrigin.User, purpose, Token);

        await Assert.ThrowsAsync<P2PException>(() => Dial(DialPurpose.Background));
        Assert.AreEqual(1, network.ConnectionCount);
        P2PException held = await Assert.ThrowsAsync<P2PException>(() => Dial(DialPurpose.Background));
        Assert.Contains("left alone", held.Message);
        Assert.AreEqual(1, network.ConnectionCount);
        await Assert.ThrowsAsync<P2PException>(() => Dial(DialPurpose.Awaited));
        Assert.AreEqual(2, network.ConnectionCount);

        await using TestPeer b = new(host, time: time, identity: identity);
        await b.Pool.ListenAsync(addresses, Token);
        await time.AdvanceAsync(TimeSpan.FromSeconds(30));
        Assert.AreEqual(b.Id, (await Dial(DialPurpose.Background)).RemotePeer);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Observers_hear_of_a_connection_in_order_and_why_it_ended()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        Connection connection = await a.ConnectAsync(b, Token);
        await connection.CloseAsync("enough");
        Assert.AreEqual("enough", await connection.Closed);
        await Eventually.TrueAsync(() => a.Events.Count == 2 && b.Events.Count == 2, Token);
        CollectionAssert.AreEqual(new[] { "connected", "disconnected" }, a.Events.Select(e => e.Kind).ToArray());
        CollectionAssert.AreEqual(new[] { "connected", "disconnected" }, b.Events.Select(e => e.Kind).ToArray());
        Assert.AreEqual("enough", a.Events.Last().Reason);
        Assert.IsFalse(a.Pool.TryGet(b.Id, out _));
        await Assert.ThrowsAsync<IOException>(async () => await connection.OpenStreamAsync(TestPeer.Echo, Token));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_connection_is_closed_when_idle_but_not_while_held_or_in_use()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, new ConnectionOptions { IdleTimeout = TimeSpan.FromMinutes(2) }, time);
        await using TestPeer b = await TestPeer.InMemory(network, new ConnectionOptions { IdleTimeout = TimeSpan.FromHours(10) }, time).ListenAsync(Token);
        Connection connection = await a.ConnectAsync(b, Token);

        TimeSpan step = TimeSpan.FromSeconds(2);
        IDisposable hold = connection.Hold("a test holds it");
        Assert.AreEqual("a test holds it", Assert.ContainsSingle(connection.Holds));
        await time.AdvanceAsync(TimeSpan.FromMinutes(4), step);
        Assert.IsTrue(connection.IsOpen);

        PeerStream stream = await connection.OpenStreamAsync(TestPeer.Echo, Token);
        hold.Dispose();
        hold.Dispose();
        await time.AdvanceAsync(TimeSpan.FromMinutes(4), step);
        Assert.IsTrue(connection.IsOpen);

        stream.Reset();
        await stream.DisposeAsync();
        await time.AdvanceAsync(TimeSpan.FromMinutes(1), step);
        Assert.IsTrue(connection.IsOpen);
        await time.AdvanceUntilAsync(() => connection.Closed.IsCompleted, step, TimeSpan.FromMinutes(2));
        Assert.AreEqual("idle", await connection.Closed);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Both_sides_dialing_at_once_keep_the_same_connection_and_never_none()
    {
        // 200 rounds; the race falls out differently each time. Streams are opened on what each side got at once and must all work.
        ConnectionOptions options = new() { SupersededGrace = TimeSpan.FromMilliseconds(40) };
        int doubled = 0;
        for (int round = 0; round < 200; round++)
        {
            MemoryNetwork network = new();
            await using TestPeer a = await TestPeer.InMemory(network, options).ListenAsync(Token);
            await using TestPeer b = await TestPeer.InMemory(network, options).ListenAsync(Token);
            await Task.WhenAll(UseAsync(a, b), UseAsync(b, a));
            await Eventually.TrueAsync(() => a.Pool.Connections.Count == 1 && b.Pool.Connections.Count == 1, Token);

            Assert.IsTrue(a.Pool.TryGet(b.Id, out Connection? atA));
            Assert.IsTrue(b.Pool.TryGet(a.Id, out Connection? atB));
            Assert.AreEqual(atA.LocalAddress, atB.RemoteAddress);
            Assert.AreEqual(atA.RemoteAddress, atB.LocalAddress);
            Assert.AreNotEqual(atA.IsOutbound, atB.IsOutbound);
            if (a.Events.Count(e => e.Kind == "connected") == 2)
            {
                doubled++;
                Assert.AreEqual(a.Id.CompareTo(b.Id) < 0, atA.IsOutbound);
            }

            await TestPeer.CheckEchoAsync(atA, 10, Token);
        }

        Assert.IsGreaterThan(0, doubled, "The race was never run.");

        async Task UseAsync(TestPeer from, TestPeer to)
        {
            Connection connection = await Task.Run(() => from.ConnectAsync(to, Token));
            for (int i = 0; i < 4; i++)
            {
                await TestPeer.CheckEchoAsync(connection, 2000, Token);
            }
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_full_pool_closes_an_idle_connection_for_a_new_one_and_refuses_when_none_is()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer hub = await TestPeer.InMemory(network, new ConnectionOptions { MaxConnections = 2, MaxInboundConnections = 2 }, time).ListenAsync(Token);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        await using TestPeer b = TestPeer.InMemory(network, time: time);
        await using TestPeer c = TestPeer.InMemory(network, time: time);
        Connection first = await a.ConnectAsync(hub, Token);
        Connection second = await b.ConnectAsync(hub, Token);
        await Eventually.TrueAsync(() => hub.Pool.Connections.Count == 2, Token);
        Assert.IsTrue(hub.Pool.TryGet(b.Id, out Connection? busy));
        using IDisposable hold = busy.Hold("test");
        await time.AdvanceAsync(TimeSpan.FromSeconds(2));

        Connection third = await c.ConnectAsync(hub, Token);
        await Eventually.TrueAsync(() => first.Closed.IsCompleted, Token);
        await TestPeer.CheckEchoAsync(third, 10, Token);
        Assert.IsTrue(second.IsOpen);

        // c was used just now, so nobody is idle: the next one is refused
        Connection fourth = await a.ConnectAsync(hub, Token);
        await Eventually.TrueAsync(() => fourth.Closed.IsCompleted, Token);
        await Eventually.TrueAsync(() => hub.Log.Contains("all places are in use"), Token);
        Assert.IsTrue(third.IsOpen);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Closing_the_pool_tells_the_peers_and_ends_in_time()
    {
        MemoryNetwork network = new();
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        TestPeer a = TestPeer.InMemory(network);
        Connection connection = await a.ConnectAsync(b, Token);
        await TestPeer.CheckEchoAsync(connection, 10, Token);
        Assert.IsTrue(b.Pool.TryGet(a.Id, out Connection? back));
        await a.DisposeAsync();
        Assert.AreEqual("the node stops", await connection.Closed);
        Assert.Contains("the peer ended the session", await back.Closed);
        await a.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => a.ConnectAsync(b, Token));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Listen_addresses_show_real_ports_and_each_interface()
    {
        await using TestPeer a = TestPeer.OnLoopback();
        IReadOnlyList<Multiaddress> bound = await a.Pool.ListenAsync([Multiaddress.Parse("/ip4/0.0.0.0/tcp/0")], Token);
        Assert.IsTrue(bound[0].TryGetEndPoint(out IPEndPoint? end));
        Assert.AreNotEqual(0, end.Port);
        Assert.Contains(Multiaddress.Parse($"/ip4/127.0.0.1/tcp/{end.Port}"), a.Pool.ListenAddresses);
        Assert.DoesNotContain(bound[0], a.Pool.ListenAddresses);
        P2PException taken = await Assert.ThrowsAsync<P2PException>(() => a.Pool.ListenAsync([Multiaddress.Parse($"/ip4/127.0.0.1/tcp/{end.Port}")], Token));
        Assert.AreEqual(P2PErrorCode.InUse, taken.Code);
    }
}
