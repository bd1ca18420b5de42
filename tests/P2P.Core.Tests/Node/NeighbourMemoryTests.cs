using P2P.Core.Node;
using P2P.Core.Tests.Discovery;
using P2P.Core.Tests.Store;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: what is remembered of the local network outlives the node, and is never too much. Method: a store that is closed and opened again.</summary>
[TestClass]
public sealed class NeighbourMemoryTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    public async Task The_peers_that_were_reached_last_are_remembered_at_their_last_address()
    {
        await using StoreFixture store = await StoreFixture.OpenAsync();
        var known = new KnownNeighbours(store.Store);
        PeerId[] peers = [.. Enumerable.Range(0, KnownNeighbours.MaxPeers + 1).Select(_ => FakePeer.NewId())];
        for (int i = 0; i < peers.Length; i++)
            known.OnReached(peers[i], Multiaddress.Parse($"/ip4/10.7.0.{i + 1}/tcp/1"));
        known.OnReached(peers[1], Multiaddress.Parse("/ip4/10.7.0.2/tcp/9"));
        await known.SaveAsync(Token);

        await store.ReopenAsync();
        var after = new KnownNeighbours(store.Store);
        Assert.IsEmpty(after.All);
        after.Load();
        Assert.HasCount(KnownNeighbours.MaxPeers, after.All);
        Assert.AreEqual((peers[1], Multiaddress.Parse("/ip4/10.7.0.2/tcp/9")), after.All[0]);
        Assert.IsFalse(after.All.Any(one => one.Peer == peers[0]), "it was reached longest ago");
    }

    [TestMethod]
    public async Task Names_are_remembered_with_the_peer_that_they_came_from_last()
    {
        await using StoreFixture store = await StoreFixture.OpenAsync();
        var names = new LanNames(store.Store);
        PeerId first = FakePeer.NewId(), second = FakePeer.NewId();
        string[] odd = ["a b\n%20 ü", new('x', 255)];
        foreach (string name in odd)
            await names.SetAsync(name, first, Token);
        await names.SetAsync(odd[0], second, Token);

        await store.ReopenAsync();
        names = new LanNames(store.Store);
        Assert.AreEqual(second, names.Find(odd[0]));
        Assert.AreEqual(first, names.Find(odd[1]));
        Assert.IsNull(names.Find("a b"));
        for (int i = 0; i < LanNames.MaxNames - 1; i++)
            await names.SetAsync($"{i}", first, Token);
        Assert.IsNull(names.Find(odd[1]), "it was used longest ago");
        Assert.AreEqual(second, names.Find(odd[0]));
    }
}
