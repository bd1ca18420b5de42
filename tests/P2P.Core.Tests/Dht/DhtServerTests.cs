using P2P.Core.Dht;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: each request is answered as the specification says, and addresses stay where they mean something.</summary>
[TestClass]
public sealed class DhtServerTests
{
    private static readonly byte[] Multihash = Cid.OfRaw("content"u8).ToArray()[2..];

    private readonly ProviderTable _providers = new(ProviderTableSettings.Default, new SeededRandom(1));

    [TestMethod]
    public void The_twenty_closest_are_told_but_not_who_asks()
    {
        RoutingTable table = DhtContacts.Table(200);
        DhtServer server = New(table);
        Contact asker = table.Closest(DhtKey.Of(Multihash), 1)[0];
        DhtMessage answer = server.Answer(new DhtMessage { Type = DhtMessageType.FindNode, Key = Multihash }, DhtContacts.Caller(asker, "/ip4/9.9.9.9/tcp/1"), default, default)!;
        Assert.AreEqual(
            string.Join(' ', table.Closest(DhtKey.Of(Multihash), 21).Skip(1).Select(contact => contact.Peer)),
            string.Join(' ', answer.CloserPeers.Select(contact => contact.Peer)));
        Assert.IsTrue(answer.Key.IsEmpty, "go does not repeat the key");
    }

    [TestMethod]
    public void A_provider_speaks_for_itself_only_and_is_not_answered()
    {
        DhtServer server = New(DhtContacts.Table(0));
        Contact provider = DhtContacts.Contact(1, "/ip4/9.9.9.9/tcp/1"), other = DhtContacts.Contact(2, "/ip4/9.9.9.8/tcp/1"), nowhere = DhtContacts.Contact(3);
        Assert.IsNull(server.Answer(new DhtMessage { Type = DhtMessageType.AddProvider, Key = Multihash, ProviderPeers = [other, provider] }, DhtContacts.Caller(provider, "/ip4/9.9.9.9/tcp/1"), default, default));
        Assert.IsNull(server.Answer(new DhtMessage { Type = DhtMessageType.AddProvider, Key = Multihash, ProviderPeers = [nowhere] }, DhtContacts.Caller(nowhere, "/ip4/9.9.9.7/tcp/1"), default, default));
        DhtMessage answer = server.Answer(new DhtMessage { Type = DhtMessageType.GetProviders, Key = Multihash }, DhtContacts.Caller(other, "/ip4/9.9.9.8/tcp/1"), default, default)!;
        Assert.AreEqual(provider.Peer, answer.ProviderPeers.Single().Peer);
    }

    [TestMethod]
    [DataRow("/ip4/9.9.9.8/tcp/1", "/ip4/9.9.9.9/tcp/1")]
    [DataRow("/ip4/192.168.1.8/tcp/1", "/ip4/9.9.9.9/tcp/1 /ip4/192.168.1.9/tcp/1")]
    [DataRow("/ip4/127.0.0.1/tcp/1", "/ip4/9.9.9.9/tcp/1 /ip4/192.168.1.9/tcp/1 /ip4/127.0.0.1/tcp/9")]
    public void Who_asks_is_told_the_addresses_that_can_mean_something_to_it(string from, string expected)
    {
        DhtServer server = New(DhtContacts.Table(0));
        Contact provider = DhtContacts.Contact(1, "/ip4/9.9.9.9/tcp/1", "/ip4/192.168.1.9/tcp/1", "/ip4/127.0.0.1/tcp/9");
        server.Answer(new DhtMessage { Type = DhtMessageType.AddProvider, Key = Multihash, ProviderPeers = [provider] }, DhtContacts.Caller(provider, "/ip4/127.0.0.1/tcp/9"), default, default);
        DhtMessage answer = server.Answer(new DhtMessage { Type = DhtMessageType.GetProviders, Key = Multihash }, DhtContacts.Caller(DhtContacts.Contact(2), from), default, default)!;
        Assert.AreEqual(expected, string.Join(' ', answer.ProviderPeers.Single().Addresses));
    }

    [TestMethod]
    public void From_the_internet_nobody_plants_private_addresses()
    {
        DhtServer server = New(DhtContacts.Table(0));
        Contact provider = DhtContacts.Contact(1, "/ip4/192.168.1.9/tcp/1", "/ip4/127.0.0.1/tcp/9");
        server.Answer(new DhtMessage { Type = DhtMessageType.AddProvider, Key = Multihash, ProviderPeers = [provider] }, DhtContacts.Caller(provider, "/ip4/9.9.9.9/tcp/9"), default, default);
        DhtMessage answer = server.Answer(new DhtMessage { Type = DhtMessageType.GetProviders, Key = Multihash }, DhtContacts.Caller(DhtContacts.Contact(2), "/ip4/127.0.0.1/tcp/1"), default, default)!;
        Assert.IsEmpty(answer.ProviderPeers.Single().Addresses);
    }

    [TestMethod]
    public void What_is_not_sound_resets_the_stream()
    {
        DhtServer server = New(DhtContacts.Table(0));
        DhtCaller caller = DhtContacts.Caller(DhtContacts.Contact(1), "/ip4/9.9.9.9/tcp/1");
        DhtMessage[] unsound =
        [
            new() { Type = DhtMessageType.FindNode },
            new() { Type = DhtMessageType.GetProviders },
            new() { Type = DhtMessageType.GetProviders, Key = new byte[81] },
            new() { Type = DhtMessageType.AddProvider, Key = new byte[81] },
            new() { Type = DhtMessageType.GetValue },
            new() { Type = DhtMessageType.FindNode, Key = new byte[1000] },
            new() { Type = DhtMessageType.PutValue, Key = "/pk/x"u8.ToArray(), Record = new DhtRecord("/pk/y"u8.ToArray(), new byte[1]) },
            new() { Type = DhtMessageType.PutValue, Key = "/other/x"u8.ToArray(), Record = new DhtRecord("/other/x"u8.ToArray(), new byte[1]) },
            new() { Type = DhtMessageType.PutValue, Key = "/pk/x"u8.ToArray() },
        ];
        foreach (DhtMessage request in unsound)
            Assert.ThrowsExactly<PeerProtocolException>(() => server.Answer(request, caller, default, default), $"{request.Type} {request.Key.Length}");
    }

    private DhtServer New(RoutingTable table) => new(table, _providers, new RecordTable());
}
