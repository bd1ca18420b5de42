using System.Net;
using P2P.Core.Catalogue;
using P2P.Core.Connections;
using P2P.Core.Tests.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Catalogue;

/// <summary>Goal: what is shared on a network is told to who asks from there, and to nobody else. Method: two peers on a network in memory, whose idea of what is near is set.</summary>
[TestClass]
public sealed class LanCatalogueTests
{
    private static readonly IPNetwork[] Near = [IPNetwork.Parse("10.0.0.0/8")], Far = [IPNetwork.Parse("192.0.2.0/24")];
    private static readonly CatalogueItem Film = new("film.mkv", Cid.OfRaw("a"u8), 5, false, DateTimeOffset.UnixEpoch), Folder = new("photos", Cid.OfRaw("b"u8), 6, true, DateTimeOffset.UnixEpoch);

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Who_is_near_asks_and_is_answered_and_nobody_else()
    {
        var network = new MemoryNetwork();
        await using TestPeer sharer = await TestPeer.InMemory(network).ListenAsync(Token), asker = await TestPeer.InMemory(network).ListenAsync(Token);
        IPNetwork[] nearSharer = Near, nearAsker = Near;
        var shared = new LanCatalogue(sharer.Pool, "alice", () => nearSharer, TimeProvider.System);
        var asking = new LanCatalogue(asker.Pool, "bob", () => nearAsker, TimeProvider.System);
        Assert.IsTrue(shared.Add(Film), "the first");
        Assert.IsFalse(shared.Add(Folder));
        sharer.Identify.Start();
        asker.Identify.Start();
        Connection connection = await asker.ConnectAsync(sharer, Token);
        await Eventually.TrueAsync(() => connection.Remote?.Protocols.Contains(CatalogueProtocol.Id) == true, Token);

        CatalogueList? list = await asking.AskAsync(connection, Token);
        Assert.AreEqual("alice", list!.NodeName);
        CollectionAssert.AreEquivalent(new[] { Film, Folder }, list.Items.ToArray());

        nearAsker = Far;
        Assert.IsNull(await asking.AskAsync(connection, Token), "nothing is asked of who is far");
        nearAsker = Near;
        nearSharer = Far;
        await Assert.ThrowsAsync<IOException>(() => asking.AskAsync(connection, Token), "nothing is told to who is far");

        nearSharer = Near;
        Assert.IsTrue(shared.Remove(Film.Root));
        Assert.IsFalse(shared.Remove(Film.Root));
        Assert.AreEqual(Folder, (await asking.AskAsync(connection, Token))!.Items.Single());
        Assert.IsTrue(shared.Remove(Folder.Root));
        Assert.IsFalse(sharer.Pool.Protocols.Contains(CatalogueProtocol.Id), "and nothing is offered while nothing is shared");
    }

    [TestMethod]
    public async Task No_more_is_told_of_than_a_list_may_hold()
    {
        await using TestPeer peer = await TestPeer.InMemory(new MemoryNetwork()).ListenAsync(Token);
        var catalogue = new LanCatalogue(peer.Pool, "alice", static () => Near, TimeProvider.System);
        for (int i = 0; i < CatalogueProtocol.MaxItems; i++)
            catalogue.Add(Film with { Root = Cid.OfRaw(BitConverter.GetBytes(i)) });
        catalogue.Add(Film with { Root = Cid.OfRaw(BitConverter.GetBytes(0)), Name = "renamed" });
        Assert.AreEqual(P2PErrorCode.Quota, Assert.ThrowsExactly<P2PException>(() => catalogue.Add(Film)).Code);
    }
}
