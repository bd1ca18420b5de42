using P2P.Core.Dht;
using P2P.Core.Node;
using P2P.Core.Store;
using P2P.Core.Tests.Store;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: the list of what is announced follows what is shared, in the order of the keyspace, and outlives the process.</summary>
[TestClass]
public sealed class ProvideJournalTests
{
    private const int Own = 1, Other = 2;

    private static readonly DhtKey End = DhtPrefix.All.Last;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    public async Task Blocks_of_what_is_shared_with_everybody_are_read_in_the_order_of_the_keyspace()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        List<Cid> shared = await AddAsync(fixture, PinKind.Shared, 300);
        await AddAsync(fixture, PinKind.Kept, 10);
        await AddAsync(fixture, PinKind.Shared, 10, PeerId.Parse("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"));
        var journal = new ProvideJournal(fixture.Store, "/x", Own);
        Assert.IsTrue(await UpdateAsync(fixture));
        Assert.IsFalse(await UpdateAsync(fixture), "all is listed");

        List<ProvideKey> all = journal.Read(default, End, 1_000, onlyNew: false);
        CollectionAssert.AreEqual(shared.Select(static cid => DhtKey.Of(cid.MultihashSpan)).Order().ToArray(), all.Select(static key => key.Key).ToArray());
        Assert.IsTrue(all.TrueForAll(static key => key.IsNew && DhtKey.Of(key.Name.Span) == key.Key));

        // in parts as in one
        List<ProvideKey> parts = [];
        for (DhtKey at = default; journal.Read(at, End, 7, onlyNew: true) is { Count: > 0 } part; at = part[^1].Key.Successor())
            parts.AddRange(part);
        CollectionAssert.AreEqual(all.Select(static key => key.Key).ToArray(), parts.Select(static key => key.Key).ToArray());
        DhtPrefix region = DhtPrefix.Of(all[100].Key, 4);
        CollectionAssert.AreEqual(
            all.Where(key => region.Contains(key.Key)).Select(static key => key.Key).ToArray(),
            journal.Read(region.First, region.Last, 1_000, onlyNew: false).Select(static key => key.Key).ToArray());
    }

    [TestMethod]
    public async Task Of_what_is_held_for_others_only_the_head_of_the_run_is_announced()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        List<Cid> held = await AddAsync(fixture, PinKind.Held, 5);
        await UpdateAsync(fixture);
        List<ProvideKey> all = new ProvideJournal(fixture.Store, "/x", Own).Read(default, End, 10, onlyNew: false);
        Assert.AreEqual(DhtKey.Of(held[0].MultihashSpan), all.Single().Key);
    }

    [TestMethod]
    public async Task Each_network_is_told_by_itself_and_a_restart_remembers_it()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        await AddAsync(fixture, PinKind.Shared, 20);
        await UpdateAsync(fixture);
        ProvideJournal own = await OpenAsync(fixture, Own), other = await OpenAsync(fixture, Other);
        List<ProvideKey> all = own.Read(default, End, 100, onlyNew: true);
        own.MarkProvided([.. all.Take(15)]);
        Assert.HasCount(5, own.Read(default, End, 100, onlyNew: true), "before it is written too");
        Assert.AreEqual(5, own.Read(default, End, 100, onlyNew: false).Count(static key => key.IsNew));
        var progress = new SweepProgress(all[15].Key, TimeSpan.FromDays(20_000.5), TimeSpan.FromDays(20_000.25), 1.0 / 3, "/ip4/10.0.0.1/tcp/1\n/ip4/10.0.0.2/tcp/1");
        own.SaveProgress(progress);
        await own.FlushAsync(TestContext.CancellationToken);
        Assert.HasCount(20, other.Read(default, End, 100, onlyNew: true));

        await fixture.ReopenAsync();
        own = await OpenAsync(fixture, Own);
        Assert.AreEqual(progress, own.LoadProgress());
        Assert.HasCount(5, own.Read(default, End, 100, onlyNew: true));
        Assert.AreEqual((20L, 20L), fixture.Store.CountProvides(), "the other network was told nothing");

        ProvideJournal stranger = await OpenAsync(fixture, Own, "/y");
        Assert.IsNull(stranger.LoadProgress());
        Assert.HasCount(20, stranger.Read(default, End, 100, onlyNew: true), "another network in its place knows nothing");
    }

    [TestMethod]
    public async Task What_is_shared_no_longer_goes_and_what_is_shared_again_comes_back()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        List<Cid> first = await AddAsync(fixture, PinKind.Shared, 20);
        await UpdateAsync(fixture);
        ProvideJournal journal = await OpenAsync(fixture, Own);
        Pin pin = fixture.Store.GetPins().Single();

        await ChangeAsync(pin with { AllowedPeers = [PeerId.Parse("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")] });
        Assert.IsEmpty(journal.Read(default, End, 100, onlyNew: false));
        await journal.FlushAsync(TestContext.CancellationToken);
        Assert.AreEqual((0L, 0L), fixture.Store.CountProvides());
        await ChangeAsync(pin);
        Assert.IsTrue(await UpdateAsync(fixture));
        Assert.HasCount(first.Count, journal.Read(default, End, 100, onlyNew: true));

        // a removal that comes late removes nothing that is shared again
        await fixture.Store.RemovePinAsync(pin.Id, TestContext.CancellationToken);
        Assert.IsEmpty(journal.Read(default, End, 100, onlyNew: false));
        PinId again = await fixture.Store.AddPinAsync(pin with { Id = default }, TestContext.CancellationToken);
        using (StoreBatch batch = fixture.Store.BeginBatch(again))
        {
            foreach (Cid cid in first)
                Assert.IsTrue(batch.AddExisting(cid));
            await batch.CommitAsync(Durability.Flushed, TestContext.CancellationToken);
        }

        await UpdateAsync(fixture);
        await journal.FlushAsync(TestContext.CancellationToken);
        Assert.HasCount(first.Count, journal.Read(default, End, 100, onlyNew: false));

        async Task ChangeAsync(Pin changed)
        {
            using StoreBatch batch = fixture.Store.BeginBatch(pin.Id);
            batch.UpdatePin(changed);
            await batch.CommitAsync(Durability.Flushed, TestContext.CancellationToken);
        }
    }

    private Task<bool> UpdateAsync(StoreFixture fixture) => new AnnouncedBlocks(fixture.Store, Own | Other).UpdateAsync(TestContext.CancellationToken);

    private async Task<ProvideJournal> OpenAsync(StoreFixture fixture, int network, string protocol = "/x")
    {
        var journal = new ProvideJournal(fixture.Store, protocol, network);
        await journal.OpenAsync(TestContext.CancellationToken);
        return journal;
    }

    private async Task<List<Cid>> AddAsync(StoreFixture fixture, PinKind kind, int blocks, params PeerId[] allowed)
    {
        List<byte[]> data = [.. Enumerable.Range(0, blocks).Select(_ => fixture.RandomBytes(50))];
        List<Cid> cids = [.. data.Select(static bytes => Cid.OfRaw(bytes))];
        PinId id = await fixture.Store.AddPinAsync(new Pin { Kind = kind, Root = cids[0], Name = "x", AllowedPeers = allowed, Blocks = blocks }, TestContext.CancellationToken);
        using StoreBatch batch = fixture.Store.BeginBatch(id);
        for (int i = 0; i < blocks; i++)
            batch.AddOwned(cids[i], data[i]);
        await batch.CommitAsync(Durability.Flushed, TestContext.CancellationToken);
        return cids;
    }
}
