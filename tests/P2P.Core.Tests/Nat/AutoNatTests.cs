using System.Net;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Connections;
using P2P.Core.Nat;
using P2P.Core.Protocols;
using P2P.Core.Tests.Connections;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Nat;

/// <summary>Goal: a peer learns whether it is reached, and cannot have others dialed for less than it costs. Method: real connections in memory.</summary>
[TestClass]
public sealed class AutoNatTests
{
    private const int Limit = 60_000; // ms

    private readonly MemoryNetwork _network = new();

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task An_address_that_is_listened_on_is_reached_and_another_is_not()
    {
        await using TestPeer asker = await TestPeer.InMemory(_network).ListenAsync(Token), server = await ServerAsync();
        AutoNatClient client = Client(asker);
        Connection connection = await asker.ConnectAsync(server, Token);
        Assert.IsTrue(await client.AskAsync(connection, asker.Pool.ListenAddresses[0], Token));
        asker.Pool.ListenAddresses[0].TryGetEndPoint(out IPEndPoint? end);
        Assert.IsFalse(await client.AskAsync(connection, Multiaddress.FromEndPoint(new IPEndPoint(end!.Address, 9)), Token));
        Assert.AreEqual(1, asker.Events.Count(static e => e.Kind == "connected" && !e.Connection.IsOutbound), "it was dialed by somebody new");
        Assert.IsFalse(asker.Events.Any(e => e.Kind == "connected" && !e.Connection.IsOutbound && e.Connection.RemotePeer == server.Id));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Private_addresses_are_not_dialed_nor_anything_for_who_is_seen_at_one()
    {
        await using TestPeer asker = await TestPeer.InMemory(_network).ListenAsync(Token), server = await ServerAsync(isPublic: static _ => false);
        Assert.IsNull(await Client(asker).AskAsync(await asker.ConnectAsync(server, Token), asker.Pool.ListenAddresses[0], Token));
        Assert.AreEqual(1, _network.ConnectionCount);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task An_address_that_is_not_the_askers_own_costs_it_more_than_a_dial()
    {
        await using TestPeer asker = await TestPeer.InMemory(_network).ListenAsync(Token), server = await ServerAsync(), victim = await TestPeer.InMemory(_network).ListenAsync(Token);
        AutoNatClient client = Client(asker);
        Connection connection = await asker.ConnectAsync(server, Token);
        Assert.AreNotEqual(true, await client.AskAsync(connection, victim.Pool.ListenAddresses[0], Token), "another peer answers there");

        // by hand: the data has to come before the dial
        int before = _network.ConnectionCount;
        await using PeerStream stream = await connection.OpenStreamAsync(AutoNatProtocol.DialRequestId, Token);
        var request = new AutoNatMessage { DialRequest = new() { Nonce = 1 } };
        request.DialRequest.Addrs.Add(ByteString.CopyFrom(victim.Pool.ListenAddresses[0].AsSpan()));
        await AutoNatProtocol.WriteAsync(stream, request, Token);
        AutoNatMessage wanted = await AutoNatProtocol.ReadAsync(stream, Token);
        Assert.IsTrue(wanted.DialDataRequest.NumBytes is >= AutoNatProtocol.LeastData and <= AutoNatProtocol.MostData);
        await AutoNatProtocol.WriteAsync(stream, new AutoNatMessage { DialDataResponse = new() { Data = ByteString.CopyFrom(new byte[AutoNatProtocol.MaxDataBytes]) } }, Token);
        await AutoNatProtocol.WriteAsync(stream, new AutoNatMessage { DialResponse = new() }, Token);
        await Assert.ThrowsAsync<IOException>(() => AutoNatProtocol.ReadAsync(stream, Token).AsTask());
        Assert.AreEqual(before, _network.ConnectionCount, "nobody was dialed");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_server_that_says_yes_without_a_dial_is_not_believed()
    {
        await using TestPeer asker = await TestPeer.InMemory(_network).ListenAsync(Token), liar = await TestPeer.InMemory(_network).ListenAsync(Token);
        liar.Pool.Handle(AutoNatProtocol.DialRequestId, async (stream, token) =>
        {
            await AutoNatProtocol.ReadAsync(stream, token);
            await AutoNatProtocol.WriteAsync(stream, new AutoNatMessage { DialResponse = new() { Status = AutoNatProtocol.Ok, DialStatus = AutoNatProtocol.Ok } }, token);
        });
        Assert.IsNull(await Client(asker).AskAsync(await asker.ConnectAsync(liar, Token), asker.Pool.ListenAddresses[0], Token));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_server_that_wants_too_much_data_gets_none_and_a_dial_back_that_nobody_asked_for_is_reset()
    {
        await using TestPeer asker = await TestPeer.InMemory(_network).ListenAsync(Token), greedy = await TestPeer.InMemory(_network).ListenAsync(Token);
        greedy.Pool.Handle(AutoNatProtocol.DialRequestId, async (stream, token) =>
        {
            await AutoNatProtocol.ReadAsync(stream, token);
            await AutoNatProtocol.WriteAsync(stream, new AutoNatMessage { DialDataRequest = new() { NumBytes = AutoNatProtocol.MostData + 1 } }, token);
            await LengthPrefixed.ReadAsync(stream.Input, AutoNatProtocol.MaxMessageBytes, token);
        });
        Connection connection = await asker.ConnectAsync(greedy, Token);
        Assert.IsNull(await Client(asker).AskAsync(connection, asker.Pool.ListenAddresses[0], Token));

        Assert.IsTrue(greedy.Pool.TryGet(asker.Id, out Connection? back));
        await using PeerStream stream = await back.OpenStreamAsync(AutoNatProtocol.DialBackId, Token);
        await AutoNatProtocol.WriteAsync(stream, new AutoNatDialBack { Nonce = 7 }, Token);
        await Assert.ThrowsAsync<IOException>(() => LengthPrefixed.ReadAsync(stream.Input, 64, Token).AsTask());
    }

    private static AutoNatClient Client(TestPeer peer)
    {
        var client = new AutoNatClient(peer.Pool, TimeProvider.System, NullLogger.Instance);
        client.Start();
        return client;
    }

    private async Task<TestPeer> ServerAsync(Func<IPAddress, bool>? isPublic = null)
    {
        TestPeer peer = await TestPeer.InMemory(_network).ListenAsync(Token);
        ITransport[] transports = [peer.Transport];
        new AutoNatServer(peer.Pool, transports, TimeProvider.System, new SeededRandom(1), NullLoggerFactory.Instance, isPublic ?? (static _ => true)).Start();
        return peer;
    }
}
