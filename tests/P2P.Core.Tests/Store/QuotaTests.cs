using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>The limit on owned blocks holds whatever happens at the same time, and garbage is freed before it is said that there is no room.</summary>
[TestClass]
public sealed class QuotaTests
{
    private const int Quota = 1 << 20;

    [TestMethod]
    public async Task Batches_that_are_open_at_the_same_time_cannot_exceed_it_together()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync(new StoreOptions { QuotaBytes = Quota });
        PinId pin = await fixture.PinAsync();
        List<StoreBatch> batches = [];
        int refused = 0;
        for (int i = 0; i < 30; i++)
        {
            StoreBatch batch = fixture.Store.BeginBatch(pin);
            batches.Add(batch);
            byte[] data = fixture.RandomBytes(i % 2 == 0 ? 100_000 : 50_000);
            try
            {
                batch.AddOwned(Cid.OfRaw(data), data);
            }
            catch (P2PException error) when (error.Code == P2PErrorCode.Quota)
            {
                StringAssert.Contains(error.Message, "storage.max_owned_bytes");
                refused++;
            }
        }
        Assert.IsGreaterThan(0, refused);
        await Task.WhenAll(batches.Select(batch => batch.CommitAsync(Durability.Flushed, CancellationToken.None)));
        foreach (StoreBatch batch in batches)
            batch.Dispose();
        Assert.IsLessThanOrEqualTo(Quota, fixture.Store.GetUsage().OwnedBytes);
        Assert.IsGreaterThan(Quota - 100_000, fixture.Store.GetUsage().OwnedBytes);
    }

    [TestMethod]
    public async Task What_a_batch_took_and_did_not_use_is_free_again()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync(new StoreOptions { QuotaBytes = Quota });
        byte[] big = fixture.RandomBytes(Quota);
        for (int i = 0; i < 3; i++)
        {
            using StoreBatch dropped = fixture.Store.BeginBatch();
            dropped.AddOwned(Cid.OfRaw(big), big);
        }
        Cid cid = await fixture.AddOwnedAsync(big);
        Assert.AreEqual(P2PErrorCode.Quota, (await Assert.ThrowsExactlyAsync<P2PException>(() => fixture.AddOwnedAsync([1]))).Code);
        await fixture.ReopenAsync();
        Assert.AreEqual(P2PErrorCode.Quota, (await Assert.ThrowsExactlyAsync<P2PException>(() => fixture.AddOwnedAsync([1]))).Code);
        Assert.IsTrue(fixture.Store.Has(cid));
    }

    [TestMethod]
    public async Task Making_room_frees_garbage_and_nothing_else()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync(new StoreOptions { QuotaBytes = Quota });
        PinId kept = await fixture.PinAsync(PinKind.Kept), gone = await fixture.PinAsync(PinKind.Kept);
        Cid keep = await fixture.AddOwnedAsync(fixture.RandomBytes(300_000), kept);
        Cid drop = await fixture.AddOwnedAsync(fixture.RandomBytes(600_000), gone);
        await fixture.Store.MakeRoomAsync(500_000, CancellationToken.None);
        Assert.IsTrue(fixture.Store.Has(drop), "there is nothing to free");
        await fixture.Store.RemovePinAsync(gone, CancellationToken.None);
        await fixture.Store.MakeRoomAsync(100_000, CancellationToken.None);
        Assert.IsTrue(fixture.Store.Has(drop), "there is room");
        await fixture.Store.MakeRoomAsync(500_000, CancellationToken.None);
        Assert.IsFalse(fixture.Store.Has(drop));
        await fixture.AddOwnedAsync(fixture.RandomBytes(500_000), kept);
        Assert.IsTrue(fixture.Store.Has(keep));
    }
}
