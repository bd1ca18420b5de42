using Microsoft.Data.Sqlite;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>What the store says of itself comes from counters; here they are held against the rows.</summary>
[TestClass]
public sealed class UsageTests
{
    [TestMethod]
    public async Task The_counters_are_what_the_rows_add_up_to_whatever_was_done()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Random random = new(7);
        List<PinId> pins = [];
        List<(Cid Cid, byte[] Data)> known = [];
        for (int i = 0; i < 120; i++)
        {
            switch (random.Next(6))
            {
                case 0:
                    pins.Add(await fixture.PinAsync((PinKind)random.Next(1, 6)));
                    break;
                case 1 when pins.Count > 0:
                    int index = random.Next(pins.Count);
                    await fixture.Store.RemovePinAsync(pins[index], CancellationToken.None);
                    pins.RemoveAt(index);
                    break;
                case 2:
                    await fixture.Store.CollectGarbageAsync(CancellationToken.None);
                    known.RemoveAll(block => !fixture.Store.Has(block.Cid));
                    break;
                case 3:
                    await fixture.ShareFileAsync(fixture.WriteFile($"f{i}", fixture.RandomBytes(3000)), 1000, PinOf(pins, random));
                    break;
                case 4 when known.Count > 0:
                    (Cid _, byte[] data) = known[random.Next(known.Count)];
                    await fixture.AddOwnedAsync(data, PinOf(pins, random));
                    break;
                default:
                    byte[] added = fixture.RandomBytes(random.Next(3) == 0 ? 70_000 : 500);
                    known.Add((await fixture.AddOwnedAsync(added, PinOf(pins, random)), added));
                    break;
            }
            if (i % 40 == 39)
                await fixture.ReopenAsync();
            AssertEqualToRows(fixture);
        }
    }

    [TestMethod]
    public async Task It_says_why_things_are_kept_and_what_can_be_freed()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId kept = await fixture.PinAsync(PinKind.Kept), shared = await fixture.PinAsync();
        await fixture.AddOwnedAsync(fixture.RandomBytes(100), kept);
        await fixture.AddOwnedAsync(fixture.RandomBytes(80_000), shared);
        await fixture.AddOwnedAsync(fixture.RandomBytes(7));
        await fixture.ShareFileAsync(fixture.WriteFile("a", fixture.RandomBytes(2000)), 1000, shared);
        StoreUsage usage = fixture.Store.GetUsage();
        Assert.AreEqual((5L, 3L, 80_107L, 2L, 2000L, 7L), (usage.Blocks, usage.OwnedBlocks, usage.OwnedBytes, usage.ReferencedBlocks, usage.ReferencedBytes, usage.ReclaimableBytes));
        Assert.AreEqual(80_000, usage.BlockFileBytes);
        Assert.IsGreaterThan(0, usage.DatabaseBytes);
        Assert.IsNull(usage.QuotaBytes);
        Assert.AreEqual(new PurposeUsage(PinPurpose.Pinned, 1, 1, 100, 0, 0), usage.ByPurpose!.Single(one => one.Purpose == PinPurpose.Pinned));
        Assert.AreEqual(new PurposeUsage(PinPurpose.Shared, 1, 1, 80_000, 2, 2000), usage.ByPurpose!.Single(one => one.Purpose == PinPurpose.Shared));
    }

    [TestMethod]
    public async Task Space_of_collected_blocks_goes_back_to_the_file_system()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId pin = await fixture.PinAsync();
        using (StoreBatch batch = fixture.Store.BeginBatch(pin))
        {
            for (int i = 0; i < 600; i++)
            {
                byte[] data = fixture.RandomBytes(60_000);
                batch.AddOwned(Cid.OfRaw(data), data);
            }
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        await fixture.Store.RemovePinAsync(pin, CancellationToken.None);
        Assert.AreEqual(600 * 60_000, (await fixture.Store.CollectGarbageAsync(CancellationToken.None)).Bytes);
        await fixture.CloseAsync();
        Assert.IsLessThan(8 << 20, new FileInfo(Path.Combine(fixture.DataPath, "index.db")).Length);
        await fixture.ReopenAsync();
    }

    [TestMethod]
    public async Task What_a_crash_left_is_freed_with_the_garbage()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        await fixture.Store.Swept;
        string left = Path.Combine(fixture.DataPath, "tmp", "damaged-x"), orphan = Path.Combine(fixture.DataPath, "blocks", "00", "1220" + new string('0', 64));
        await File.WriteAllBytesAsync(left, new byte[10]);
        Directory.CreateDirectory(Path.GetDirectoryName(orphan)!);
        await File.WriteAllBytesAsync(orphan, new byte[20]);
        GarbageReport report = await fixture.Store.CollectGarbageAsync(CancellationToken.None);
        Assert.AreEqual((2, 30L), (report.Files, report.FileBytes));
        Assert.IsFalse(File.Exists(left) || File.Exists(orphan));
    }

    private static PinId PinOf(List<PinId> pins, Random random) => pins.Count == 0 || random.Next(4) == 0 ? default : pins[random.Next(pins.Count)];

    private static void AssertEqualToRows(StoreFixture fixture)
    {
        using SqliteConnection connection = new($"Data Source={Path.Combine(fixture.DataPath, "index.db")};Pooling=False;Mode=ReadOnly");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT count(*), coalesce(sum(places & 3 <> 0), 0), coalesce(sum(CASE WHEN places & 3 THEN size END), 0), coalesce(sum(places & 3 = 0 AND places & 12 <> 0), 0), coalesce(sum(CASE WHEN places & 3 = 0 AND places & 12 THEN size END), 0) FROM blocks";
        using SqliteDataReader row = command.ExecuteReader();
        Assert.IsTrue(row.Read());
        StoreUsage usage = fixture.Store.GetUsage();
        Assert.AreEqual(
            (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)),
            (usage.Blocks, usage.OwnedBlocks, usage.OwnedBytes, usage.ReferencedBlocks, usage.ReferencedBytes));
    }
}
