using P2P.Core.Connections;
using P2P.Core.Protocols;
using P2P.Core.Tests.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Protocols;

[TestClass]
public sealed class IdentifyProtocolTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Both_sides_learn_of_each_other_on_a_new_connection()
    {
        MemoryNetwork network = new();
        await using TestPeer a = await StartAsync(network);
        await using TestPeer b = await StartAsync(network);
        Connection connection = await a.ConnectAsync(b, Token);
        await Eventually.TrueAsync(() => a.Events.Any(e => e.Kind == "identified") && b.Events.Any(e => e.Kind == "identified"), Token);
        RemoteInfo remote = connection.Remote!;
        Assert.StartsWith("p2p-files/0.", remote.AgentVersion);
        Assert.DoesNotContain("+", remote.AgentVersion);
        Assert.IsTrue(remote.Protocols.SetEquals([TestPeer.Echo, IdentifyProtocol.Id, IdentifyProtocol.PushId]));
        Assert.AreEqual(connection.LocalAddress, remote.ObservedAddress);
        Assert.IsTrue(remote.IsSigned);
        CollectionAssert.AreEqual(b.Pool.ListenAddresses.ToArray(), remote.ListenAddresses.ToArray());

        // b can now dial a, whose listen address it never was told otherwise
        Assert.IsTrue(b.Pool.Addresses.Get(a.Id).Any(known => known.Address.Equals(a.Pool.ListenAddresses[0])));
        Assert.IsEmpty(a.Log.Problems);
        Assert.IsEmpty(b.Log.Problems);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_change_is_pushed_to_connected_peers()
    {
        MemoryNetwork network = new();
        await using TestPeer a = await StartAsync(network);
        await using TestPeer b = await StartAsync(network);
        Connection connection = await a.ConnectAsync(b, Token);
        await Eventually.TrueAsync(() => connection.Remote is not null && b.Pool.TryGet(a.Id, out Connection? back) && back.Remote is not null, Token);

        b.Pool.Handle("/test/new", TestPeer.EchoAsync);
        b.Pool.Unhandle(TestPeer.Echo);
        Multiaddress mapped = Multiaddress.Parse("/ip4/5.5.5.5/tcp/5");
        b.Pool.ExternalAddresses = [mapped];
        await b.Identify.PushAsync(Token);
        await Eventually.TrueAsync(() => connection.Remote!.Protocols.Contains("/test/new"), Token);
        Assert.DoesNotContain(TestPeer.Echo, connection.Remote!.Protocols);
        Assert.Contains(mapped, connection.Remote.ListenAddresses);
        await Eventually.TrueAsync(() => a.Events.Count(e => e.Kind == "identified") == 2, Token);

        // and in the other direction
        a.Pool.Handle("/test/newer", TestPeer.EchoAsync);
        await a.Identify.PushAsync(Token);
        Assert.IsTrue(b.Pool.TryGet(a.Id, out Connection? atB));
        await Eventually.TrueAsync(() => atB.Remote!.Protocols.Contains("/test/newer"), Token);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_peer_on_the_internet_is_told_no_address_of_our_own_networks()
    {
        MemoryNetwork network = new();
        await using TestPeer a = await StartAsync(network);
        await using TestPeer near = await StartAsync(network);
        await using TestPeer far = new(new MemoryTransport(network, System.Net.IPAddress.Parse("5.5.5.5")));
        far.Identify.Start();
        Multiaddress mapped = Multiaddress.Parse("/ip4/5.6.7.8/tcp/5");
        a.Pool.ExternalAddresses = [mapped];
        Connection toNear = await near.ConnectAsync(a, Token), toFar = await far.ConnectAsync(a, Token);
        await Eventually.TrueAsync(() => toNear.Remote is not null && toFar.Remote is not null, Token);
        CollectionAssert.AreEquivalent(new[] { mapped, a.Pool.ListenAddresses[0] }, toNear.Remote!.ListenAddresses.ToArray());
        CollectionAssert.AreEqual(new[] { mapped }, toFar.Remote!.ListenAddresses.ToArray(), "and the signed record holds no more");
        Assert.IsTrue(toFar.Remote.IsSigned);

        a.Pool.Handle("/test/new", TestPeer.EchoAsync);
        await Eventually.TrueAsync(() => a.Pool.TryGet(far.Id, out Connection? back) && back.Remote is not null, Token);
        await a.Identify.PushAsync(Token);
        await Eventually.TrueAsync(() => toFar.Remote!.Protocols.Contains("/test/new"), Token);
        CollectionAssert.AreEqual(new[] { mapped }, toFar.Remote!.ListenAddresses.ToArray(), "nor when it is told of a change");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Who_asks_or_pushes_without_end_is_not_answered_without_end()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        await using TestPeer b = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        b.Identify.Start();
        Connection connection = await a.ConnectAsync(b, Token);
        int answered = 0;
        for (int i = 0; i < 40; i++)
        {
            await using PeerStream stream = await connection.OpenStreamAsync(IdentifyProtocol.Id, Token);
            await stream.Output.FlushAsync(Token);
            try
            {
                answered += await LengthPrefixed.ReadAsync(stream.Input, IdentifyCodec.MaxReceivedMessageBytes, Token) is null ? 0 : 1;
            }
            catch (IOException)
            {
                // refused
            }
        }

        Assert.IsGreaterThanOrEqualTo(8, answered);
        Assert.IsLessThan(40, answered);
        Assert.IsTrue(b.Log.Contains("too often"));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_peer_that_never_identifies_is_kept_and_noted()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = await StartAsync(network, time);
        await using TestPeer b = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        b.Pool.Handle(IdentifyProtocol.Id, static async (_, token) => await Task.Delay(Timeout.Infinite, token));
        Connection connection = await a.ConnectAsync(b, Token);
        await time.AdvanceUntilAsync(() => a.Log.Contains("Identify with"), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8));
        Assert.IsTrue(connection.IsOpen);
        Assert.IsNull(connection.Remote);
    }

    [TestMethod]
    [DataRow(9000, 1, "more than 8192 bytes")]
    [DataRow(10, 12, "too many identify messages")]
    [DataRow(10, 1, "malformed")]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_oversized_or_malformed_identification_is_refused(int bytes, int messages, string reason)
    {
        MemoryNetwork network = new();
        await using TestPeer a = await StartAsync(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        b.Pool.Handle(IdentifyProtocol.Id, async (stream, token) =>
        {
            byte[] message = new byte[bytes];
            message.AsSpan().Fill(0xff);
            for (int i = 0; i < messages; i++)
            {
                LengthPrefixed.Write(stream.Output, message);
            }

            await stream.Output.FlushAsync(token);
        });
        Connection connection = await a.ConnectAsync(b, Token);
        await Eventually.TrueAsync(() => a.Log.Contains(reason), Token);
        Assert.IsNull(connection.Remote);
        await TestPeer.CheckEchoAsync(connection, 10, Token);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_ping_measures_a_round_trip_and_a_stream_serves_several()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time) { Latency = TimeSpan.FromMilliseconds(30) };
        TestPeer a = TestPeer.InMemory(network, time: time);
        TestPeer b = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        b.Ping.Start();
        Task<Connection> dial = a.ConnectAsync(b, Token);
        await time.AdvanceUntilAsync(() => dial.IsCompleted, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(4));
        Task<TimeSpan> ping = a.Ping.PingAsync(await dial, Token);
        await time.AdvanceUntilAsync(() => ping.IsCompleted, TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(4));
        Assert.IsGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(60), await ping);

        Task<IOException> refused = Assert.ThrowsAsync<IOException>(async () => await b.Ping.PingAsync(b.Pool.Connections[0], Token));
        await time.AdvanceUntilAsync(() => refused.IsCompleted, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(4));
        Assert.IsInstanceOfType<ProtocolNotSupportedException>(await refused);

        // the goodbyes take their time on the clock as well
        Task closing = Task.WhenAll(a.DisposeAsync().AsTask(), b.DisposeAsync().AsTask());
        await time.AdvanceUntilAsync(() => closing.IsCompleted, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(20));
        await closing;
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_ping_stream_echoes_again_and_again()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        b.Ping.Start();
        Connection connection = await a.ConnectAsync(b, Token);
        await using PeerStream stream = await connection.OpenStreamAsync(PingProtocol.Id, Token);
        for (byte i = 0; i < 5; i++)
        {
            byte[] sent = [.. Enumerable.Repeat(i, 32)];
            await stream.Output.WriteAsync(sent.AsMemory(0, 10), Token);
            await stream.Output.WriteAsync(sent.AsMemory(10), Token);
            System.IO.Pipelines.ReadResult read = await stream.Input.ReadAtLeastAsync(32, Token);
            CollectionAssert.AreEqual(sent, System.Buffers.BuffersExtensions.ToArray(read.Buffer));
            stream.Input.AdvanceTo(read.Buffer.End);
        }
    }

    private async Task<TestPeer> StartAsync(MemoryNetwork network, TimeProvider? time = null)
    {
        TestPeer peer = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        peer.Identify.Start();
        return peer;
    }
}
