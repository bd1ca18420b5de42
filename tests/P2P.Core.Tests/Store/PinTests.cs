using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>Who may have what (D9), what is kept, and what the collector takes.</summary>
[TestClass]
public sealed class PinTests
{
    private static readonly PeerId Alice = PeerId.Parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA");
    private static readonly PeerId Bob = PeerId.Parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");

    [TestMethod]
    [DataRow(PinKind.Temporary, false)]
    [DataRow(PinKind.Kept, false)]
    [DataRow(PinKind.Fetched, false)]
    [DataRow(PinKind.Shared, true)]
    [DataRow(PinKind.Seeded, true)]
    [DataRow(PinKind.Held, true)]
    public async Task Only_what_is_shared_seeded_or_held_is_served(object kind, bool served)
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Cid cid = await fixture.AddOwnedAsync([1, 2, 3], await fixture.PinAsync((PinKind)kind));
        Assert.AreEqual(served, fixture.Store.MayServe(cid, Alice));
        Assert.AreEqual(new BlockAvailability(true, served, 3), fixture.Store.Look(cid, Alice));
    }

    [TestMethod]
    public async Task A_block_without_a_pin_or_that_is_not_here_is_not_served()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Cid cid = await fixture.AddOwnedAsync([1, 2, 3]);
        Assert.AreEqual(new BlockAvailability(true, false, 3), fixture.Store.Look(cid, Alice));
        Assert.AreEqual(default, fixture.Store.Look(Cid.OfRaw([4]), Alice));
    }

    [TestMethod]
    public async Task An_allow_list_admits_only_its_peers_and_another_share_admits_more()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId narrow = await fixture.PinAsync(PinKind.Shared, Alice), open = await fixture.PinAsync();
        Cid both = await fixture.AddOwnedAsync([1], narrow), only = await fixture.AddOwnedAsync([2], narrow);
        Assert.IsTrue(fixture.Store.MayServe(both, Alice));
        Assert.IsFalse(fixture.Store.MayServe(both, Bob));
        await fixture.AddOwnedAsync([1], open);
        for (int run = 0; run < 2; run++)
        {
            Assert.IsTrue(fixture.Store.MayServe(both, Bob));
            Assert.IsTrue(fixture.Store.MayServe(only, Alice));
            Assert.IsFalse(fixture.Store.MayServe(only, Bob));
            await fixture.ReopenAsync();
        }
        await fixture.Store.RemovePinAsync(open, CancellationToken.None);
        Assert.IsFalse(fixture.Store.MayServe(both, Bob));
        Assert.IsTrue(fixture.Store.MayServe(both, Alice));
    }

    [TestMethod]
    public async Task After_unshare_nothing_is_served_and_sharing_again_serves_again()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId first = await fixture.PinAsync(), second = await fixture.PinAsync();
        Cid common = await fixture.AddOwnedAsync([1], first), own = await fixture.AddOwnedAsync([2], first);
        await fixture.AddOwnedAsync([1], second);
        Assert.IsTrue(await fixture.Store.RemovePinAsync(first, CancellationToken.None));
        Assert.IsFalse(await fixture.Store.RemovePinAsync(first, CancellationToken.None));
        for (int run = 0; run < 2; run++)
        {
            Assert.IsTrue(fixture.Store.MayServe(common, Alice));
            Assert.IsFalse(fixture.Store.MayServe(own, Alice));
            Assert.IsTrue(fixture.Store.Has(own));
            await fixture.ReopenAsync();
        }
        PinId third = await fixture.PinAsync();
        Assert.AreNotEqual(first, third);
        Assert.IsFalse(fixture.Store.MayServe(own, Alice));
        using (StoreBatch batch = fixture.Store.BeginBatch(third))
        {
            Assert.IsTrue(batch.AddExisting(own));
            Assert.IsFalse(batch.AddExisting(Cid.OfRaw([9])));
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        Assert.IsTrue(fixture.Store.MayServe(own, Alice));
    }

    [TestMethod]
    public async Task A_pin_number_is_never_used_twice_even_after_a_restart()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId first = await fixture.PinAsync();
        Cid cid = await fixture.AddOwnedAsync([1], first);
        await fixture.Store.RemovePinAsync(first, CancellationToken.None);
        await fixture.ReopenAsync();
        PinId second = await fixture.PinAsync();
        await fixture.AddOwnedAsync([2], second);
        Assert.IsFalse(fixture.Store.MayServe(cid, Alice), "its old set must not mean the new pin");
    }

    [TestMethod]
    public async Task A_temporary_pin_becomes_a_share_with_all_that_it_says()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId id = await fixture.PinAsync(PinKind.Temporary);
        Cid cid = await fixture.AddOwnedAsync([1], id);
        Assert.IsFalse(fixture.Store.MayServe(cid, Alice));
        Assert.IsTrue(fixture.Store.TryGetPin(id, out Pin? pin));
        Pin share = pin! with
        {
            Kind = PinKind.Shared,
            Root = cid,
            Name = "Ünï code",
            Path = "/somewhere/else",
            AllowedPeers = [Alice, Bob],
            Bytes = 12345,
            Blocks = 7,
            WrappedKey = new byte[] { 1, 2, 3 },
        };
        using (StoreBatch batch = fixture.Store.BeginBatch(id))
        {
            batch.UpdatePin(share);
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        Assert.IsTrue(fixture.Store.MayServe(cid, Bob));
        await fixture.ReopenAsync();
        Pin read = fixture.Store.GetPins().Single();
        Assert.AreEqual((share.Id, share.Kind, share.Root, share.Name, share.Path, 12345L, 7L), (read.Id, read.Kind, read.Root, read.Name, read.Path, read.Bytes, read.Blocks));
        CollectionAssert.AreEqual(new[] { Alice, Bob }, read.AllowedPeers.ToArray());
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, read.WrappedKey.ToArray());
        Assert.AreEqual(share.CreatedAt.ToUnixTimeMilliseconds(), read.CreatedAt.ToUnixTimeMilliseconds());
        Assert.IsTrue(fixture.Store.MayServe(cid, Bob));
    }

    [TestMethod]
    public async Task A_pin_that_was_removed_is_not_brought_back_by_a_late_change()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId id = await fixture.PinAsync(PinKind.Temporary);
        Cid cid = await fixture.AddOwnedAsync([1], id);
        Assert.IsTrue(fixture.Store.TryGetPin(id, out Pin? pin));
        using StoreBatch late = fixture.Store.BeginBatch(id);
        late.UpdatePin(pin! with { Kind = PinKind.Shared });
        await fixture.Store.RemovePinAsync(id, CancellationToken.None);
        await late.CommitAsync(Durability.Flushed, CancellationToken.None);
        Assert.IsFalse(fixture.Store.MayServe(cid, Alice));
        Assert.IsEmpty(fixture.Store.GetPins());

        // The other way round in one transaction.
        PinId other = await fixture.PinAsync(PinKind.Temporary);
        using StoreBatch both = fixture.Store.BeginBatch();
        both.UpdatePin(pin with { Id = other, Kind = PinKind.Shared });
        both.RemovePin(other);
        await both.CommitAsync(Durability.Flushed, CancellationToken.None);
        Assert.IsEmpty(fixture.Store.GetPins());
    }

    [TestMethod]
    public async Task The_collector_takes_what_no_pin_keeps_and_nothing_else()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId kept = await fixture.PinAsync(PinKind.Kept), gone = await fixture.PinAsync();
        List<Cid> keep = [], drop = [];
        foreach (PinId pin in new[] { kept, gone, default })
        {
            using StoreBatch batch = fixture.Store.BeginBatch(pin);
            for (int i = 0; i < 600; i++)
            {
                byte[] data = fixture.RandomBytes(i % 100 == 0 ? 70_000 : 100);
                Cid cid = Cid.OfRaw(data);
                batch.AddOwned(cid, data);
                (pin == kept ? keep : drop).Add(cid);
            }
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        await fixture.AddOwnedAsync([1], gone);
        await fixture.AddOwnedAsync([1], kept);
        keep.Add(Cid.OfRaw([1]));
        string path = fixture.WriteFile("a", fixture.RandomBytes(100));
        List<Cid> referenced = await fixture.ShareFileAsync(path, 100, gone);
        await fixture.Store.RemovePinAsync(gone, CancellationToken.None);

        StoreUsage before = fixture.Store.GetUsage();
        long freed = (await fixture.Store.CollectGarbageAsync(CancellationToken.None)).Bytes;
        Assert.AreEqual(before.ReclaimableBytes, freed);
        Assert.AreEqual(before.OwnedBytes - freed, fixture.Store.GetUsage().OwnedBytes);
        await fixture.ReopenAsync();
        Assert.IsTrue(keep.TrueForAll(cid => fixture.Serve(cid) is not null));
        Assert.IsTrue(drop.TrueForAll(cid => !fixture.Store.Has(cid)));
        Assert.IsFalse(fixture.Store.Has(referenced[0]));
        Assert.IsTrue(File.Exists(path));
        Assert.AreEqual(default, await fixture.Store.CollectGarbageAsync(CancellationToken.None));
        Assert.AreEqual(6, Directory.GetFiles(Path.Combine(fixture.DataPath, "blocks"), "*", SearchOption.AllDirectories).Length);
    }

    [TestMethod]
    public async Task The_collector_forgets_files_that_no_block_needs_and_the_others_stay()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId gone = await fixture.PinAsync(), kept = await fixture.PinAsync();
        byte[] shared = fixture.RandomBytes(1000), own = fixture.RandomBytes(1000);
        string a = fixture.WriteFile("a", fixture.RandomBytes(1000)), b = fixture.WriteFile("b", shared), c = fixture.WriteFile("c", shared), d = fixture.WriteFile("d", own);
        await fixture.ShareFileAsync(a, 1000, gone);
        List<Cid> cids = await fixture.ShareFileAsync(b, 1000, kept);
        await fixture.ShareFileAsync(c, 1000, gone);
        await fixture.ShareFileAsync(d, 1000, gone);
        await fixture.Store.RemovePinAsync(gone, CancellationToken.None);
        await fixture.ReopenAsync();
        bool IsKnown(string path) => fixture.Store.TryGetImportedFile(path, fixture.IdentityOf(path), out _);
        Assert.IsTrue(IsKnown(a) && IsKnown(b) && IsKnown(c) && IsKnown(d));

        // Imported again while the collector runs: its row is as old as the others and has to stay.
        PinId again = await fixture.PinAsync();
        using (StoreBatch batch = fixture.Store.BeginBatch(again))
        {
            FileRegistration file = batch.AddFile(d, fixture.IdentityOf(d));
            await fixture.Store.CollectGarbageAsync(CancellationToken.None);
            batch.AddReference(Cid.OfRaw(own), file.Id, 0, 1000);
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        Assert.IsFalse(IsKnown(a));
        Assert.IsTrue(IsKnown(b));
        Assert.IsTrue(IsKnown(c), "it is the second place of a block that is kept");
        Assert.IsTrue(IsKnown(d));
        File.Delete(b);
        CollectionAssert.AreEqual(shared, fixture.Serve(cids[0]));
        CollectionAssert.AreEqual(own, fixture.Serve(Cid.OfRaw(own)));
    }

    [TestMethod]
    public async Task A_batch_that_relies_on_a_block_keeps_the_collector_off_it()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Cid cid = await fixture.AddOwnedAsync([1]);
        PinId pin = await fixture.PinAsync();
        Cid other = await fixture.AddOwnedAsync([2]);
        using (StoreBatch batch = fixture.Store.BeginBatch(pin))
        {
            Assert.IsTrue(batch.AddExisting(cid));

            // What no batch relies on goes all the same: a fetch that stands still does not hold the collector up.
            Assert.AreEqual(1, (await fixture.Store.CollectGarbageAsync(CancellationToken.None)).Blocks);
            Assert.IsFalse(fixture.Store.Has(other));
            Assert.IsTrue(fixture.Store.Has(cid));
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        Assert.AreEqual(0, (await fixture.Store.CollectGarbageAsync(CancellationToken.None)).Blocks);
        Assert.IsTrue(fixture.Store.Has(cid));

        // Once nothing relies on it and no pin has it, it goes.
        await fixture.Store.RemovePinAsync(pin, CancellationToken.None);
        using (StoreBatch dropped = fixture.Store.BeginBatch(pin))
            Assert.IsTrue(dropped.AddExisting(cid));
        Assert.AreEqual(1, (await fixture.Store.CollectGarbageAsync(CancellationToken.None)).Blocks);
    }

    [TestMethod]
    public async Task Blocks_added_and_collected_at_the_same_time_are_there_in_the_end()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[][] data = [.. Enumerable.Range(0, 40).Select(i => fixture.RandomBytes(i % 4 == 0 ? 70_000 : 50))];
        using CancellationTokenSource stop = new();
        Task collector = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await fixture.Store.CollectGarbageAsync(CancellationToken.None);
        });
        foreach (byte[] block in data)
        {
            await fixture.AddOwnedAsync(block);
            PinId pin = await fixture.PinAsync();
            await fixture.AddOwnedAsync(block, pin);
            CollectionAssert.AreEqual(block, fixture.Serve(Cid.OfRaw(block)));
        }
        await stop.CancelAsync();
        await collector;
        await fixture.ReopenAsync();
        foreach (byte[] block in data)
            CollectionAssert.AreEqual(block, fixture.Serve(Cid.OfRaw(block)));
    }
}
