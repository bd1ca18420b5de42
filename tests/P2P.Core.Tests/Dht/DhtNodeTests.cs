using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Protocols;
using P2P.Core.Tests.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: the parts of the DHT work together over real connections. Method: nodes on a network in memory, some of which do not do what they should.</summary>
[TestClass]
public sealed class DhtNodeTests : IAsyncDisposable
{
    private const string Protocol = "/test/kad/1.0.0";
    private const int Known = 20;

    private readonly MemoryNetwork _network = new();
    private readonly List<TestPeer> _peers = [];
    private readonly List<DhtNode> _nodes = [];

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Who_says_to_take_part_and_does_not_answer_gets_into_no_table_that_has_contacts()
    {
        (TestPeer self, DhtNode node) = await StartAsync(Known);
        TestPeer silent = await StartPeerAsync();
        silent.Pool.Handle(Protocol, static (_, token) => Task.Delay(Timeout.Infinite, token), maxInboundPerPeer: 4);
        silent.Identify.Start();
        await silent.ConnectAsync(self, Token);
        await Eventually.TrueAsync(() => self.Events.Any(e => e.Kind == "identified" && e.Connection.RemotePeer == silent.Id), Token);

        (TestPeer honest, _) = await StartNodeAsync();
        await honest.ConnectAsync(self, Token);
        await Eventually.TrueAsync(() => node.GetContacts().Any(contact => contact.Peer == honest.Id), Token);

        Assert.IsFalse(node.GetContacts().Any(contact => contact.Peer == silent.Id));
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_search_that_was_led_to_nothing_is_made_again_along_several_paths()
    {
        byte[] key = [0x12, 0x20, .. Enumerable.Repeat((byte)7, 32)];
        (TestPeer self, DhtNode node) = await StartNodeAsync();
        var asked = new ConcurrentDictionary<PeerId, int>();
        List<TestPeer> others = [];
        while (others.Count < Known)
        {
            TestPeer other = await StartPeerAsync();
            other.Pool.Handle(Protocol, (stream, token) => AnswerAsync(stream, () => asked.AddOrUpdate(other.Id, 1, static (_, count) => count + 1), token), maxInboundPerPeer: 4);
            other.Identify.Start();
            await self.ConnectAsync(other, Token);
            others.Add(other);
        }

        await Eventually.TrueAsync(() => node.ContactCount == Known, Token);
        Assert.IsEmpty(await FindAsync(node, key));
        CollectionAssert.AreEquivalent(others.Select(static other => other.Id).ToArray(), asked.Keys.ToArray());
        Assert.IsTrue(asked.Values.All(static count => count == 2), "once along the plain path, and once along another");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow("5.5.5.5", 1)]
    [DataRow("10.9.9.9", 2)]
    public async Task Each_is_told_the_addresses_of_a_provider_that_are_of_use_there(string address, int count)
    {
        (TestPeer self, DhtNode node) = await StartNodeAsync();
        self.Pool.ExternalAddresses = [Multiaddress.Parse("/ip4/5.6.7.8/tcp/5")];
        TestPeer other = new(new MemoryTransport(_network, System.Net.IPAddress.Parse(address)));
        _peers.Add(other);
        var told = new TaskCompletionSource<DhtMessage>();
        other.Pool.Handle(Protocol, (stream, token) => ReadAsync(stream, told, token), maxInboundPerPeer: 4);
        await other.ConnectAsync(self, Token);
        await Eventually.TrueAsync(() => self.Pool.TryGet(other.Id, out _), Token);
        byte[] key = [0x12, 0x20, .. Enumerable.Repeat((byte)7, 32)];
        Assert.IsTrue(await node.TellProvidedAsync(new Contact(other.Id, []), [new ProvideKey(DhtKey.Of(key), key, IsNew: true)], Token));
        Assert.AreEqual(count, (await told.Task.WaitAsync(Token)).ProviderPeers[0].Addresses.Count);

        static async Task ReadAsync(PeerStream stream, TaskCompletionSource<DhtMessage> told, CancellationToken cancellationToken)
        {
            byte[] bytes = (await LengthPrefixed.ReadAsync(stream.Input, DhtMessageCodec.MaxMessageBytes, cancellationToken))!;
            Assert.IsTrue(DhtMessageCodec.TryDecode(bytes, out DhtMessage? message));
            told.TrySetResult(message);
        }
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Who_meets_one_of_another_network_finds_its_neighbours_there()
    {
        (TestPeer self, DhtNode node) = await StartAsync(Known);
        (TestPeer entrance, _) = await StartAsync(Known);
        DhtKey own = DhtKey.Of(self.Id);
        PeerId[] strangers = [.. _peers.Skip(Known + 1).Select(static peer => peer.Id).Where(id => id != entrance.Id).OrderBy(id => DhtKey.Of(id) ^ own)];
        await self.ConnectAsync(entrance, Token);
        await Eventually.TrueAsync(() => strangers.Take(5).All(id => node.GetContacts().Any(contact => contact.Peer == id)), Token);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task More_statements_than_the_rate_allows_are_all_taken()
    {
        (TestPeer self, DhtNode node) = await StartAsync(1);
        List<ProvideKey> keys = [];
        for (int i = 0; i < 1_150; i++)
        {
            byte[] name = [0x12, 0x20, .. new byte[28], .. BitConverter.GetBytes(i)];
            keys.Add(new ProvideKey(DhtKey.Of(name), name, IsNew: true));
        }

        Assert.IsTrue(await node.TellProvidedAsync(new Contact(_peers[1].Id, [_peers[1].Pool.ListenAddresses[0]]), keys, Token));
        await Eventually.TrueAsync(() => _nodes[1].ProviderCount == keys.Count, Token);
        Assert.IsTrue(self.Pool.TryGet(_peers[1].Id, out _), "and nobody was cut off");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DhtNode node in _nodes)
            await node.DisposeAsync();
        foreach (TestPeer peer in _peers)
            await peer.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A node that has so many others in its table.</summary>
    private async Task<(TestPeer Peer, DhtNode Node)> StartAsync(int others)
    {
        (TestPeer self, DhtNode node) = await StartNodeAsync();
        for (int i = 0; i < others; i++)
            await self.ConnectAsync((await StartNodeAsync()).Peer, Token);
        await Eventually.TrueAsync(() => node.ContactCount == others, Token);
        return (self, node);
    }

    private async Task<TestPeer> StartPeerAsync()
    {
        TestPeer peer = await TestPeer.InMemory(_network).ListenAsync(Token);
        _peers.Add(peer);
        return peer;
    }

    private async Task<(TestPeer Peer, DhtNode Node)> StartNodeAsync()
    {
        TestPeer peer = await StartPeerAsync();
        var node = new DhtNode(peer.Pool, new DhtNodeSettings { Protocol = Protocol, IsServer = true }, TimeProvider.System, new SeededRandom((ulong)_peers.Count), NullLoggerFactory.Instance);
        _nodes.Add(node);
        node.Start();
        peer.Identify.Start();
        return (peer, node);
    }

    /// <summary>Answers whatever is asked: it knows nobody and nothing.</summary>
    private static async Task AnswerAsync(PeerStream stream, Action onSearch, CancellationToken cancellationToken)
    {
        while (await LengthPrefixed.ReadAsync(stream.Input, DhtMessageCodec.MaxMessageBytes, cancellationToken) is { } bytes)
        {
            Assert.IsTrue(DhtMessageCodec.TryDecode(bytes, out DhtMessage? request));
            if (request.Type == DhtMessageType.GetProviders)
                onSearch();
            LengthPrefixed.Write(stream.Output, DhtMessageCodec.Encode(new DhtMessage { Type = request.Type, Key = request.Key }));
            await stream.Output.FlushAsync(cancellationToken);
        }
    }

    private async Task<List<PeerId>> FindAsync(DhtNode node, byte[] key)
    {
        List<PeerId> found = [];
        await foreach (Contact provider in node.FindProvidersAsync(key, 20, Token))
            found.Add(provider.Peer);
        return found;
    }
}
