using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>Every flipped bit is found and named by file and place, and none is invented.</summary>
[TestClass]
public sealed class VerifyTests
{
    private const int BlockBytes = 50_000;

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public async Task Flipped_bits_are_all_found_and_none_is_invented(int seed)
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Random random = new(seed);
        PinId pin = await fixture.PinAsync();
        List<(Cid Cid, byte[] Data)> inline = [], files = [];
        for (int i = 0; i < 60; i++)
        {
            byte[] small = fixture.RandomBytes(random.Next(1, 5000)), big = fixture.RandomBytes(70_000 + random.Next(50_000));
            inline.Add((await fixture.AddOwnedAsync(small, pin), small));
            files.Add((await fixture.AddOwnedAsync(big, i % 3 == 0 ? default : pin), big));
        }
        string first = fixture.WriteFile("first", fixture.RandomBytes((BlockBytes * 20) + 123)), second = fixture.WriteFile("sub/second", fixture.RandomBytes(BlockBytes * 7));
        List<Cid> firstCids = await fixture.ShareFileAsync(first, BlockBytes, pin), secondCids = await fixture.ShareFileAsync(second, BlockBytes, pin);
        string unkept = fixture.WriteFile("unkept", fixture.RandomBytes(BlockBytes));
        await fixture.ShareFileAsync(unkept, BlockBytes);
        Assert.IsEmpty(await VerifyAsync(fixture));

        HashSet<(string Path, long? Offset, string Cid)> expected = [];
        foreach ((Cid cid, byte[] data) in inline.Where(_ => random.Next(4) == 0))
        {
            await fixture.CloseAsync();
            FlipInIndex(fixture, data, random.Next(data.Length * 8));
            expected.Add((Path.Combine(fixture.DataPath, "index.db"), null, cid.ToString()));
        }
        foreach ((Cid cid, byte[] data) in files.Where(_ => random.Next(4) == 0))
        {
            string path = PathOf(fixture, cid);
            Flip(path, random.NextInt64(data.Length * 8L));
            expected.Add((path, 0, cid.ToString()));
        }
        foreach ((string path, List<Cid> cids) in new[] { (first, firstCids), (second, secondCids) })
        {
            for (int i = 0; i < cids.Count; i++)
            {
                if (random.Next(4) != 0)
                    continue;
                long from = (long)i * BlockBytes, length = Math.Min(BlockBytes, new FileInfo(path).Length - from);
                Flip(path, ((from + random.NextInt64(length)) * 8) + random.Next(8));
                expected.Add((path, from, cids[i].ToString()));
            }
        }
        Flip(unkept, 5);
        await fixture.ReopenAsync();

        List<StoreFinding> found = await VerifyAsync(fixture);
        CollectionAssert.AreEquivalent(expected.ToArray(), found.Select(finding => (finding.Path, finding.Offset, finding.Cid.ToString())).ToArray());
        Assert.IsTrue(found.TrueForAll(finding => finding.IsDamage && (finding.Affects.Count == 0 ? !finding.IsLost : finding.IsLost && finding.Affects[0] == "test")));
        CollectionAssert.AreEquivalent(expected.ToArray(), (await VerifyAsync(fixture)).Select(finding => (finding.Path, finding.Offset, finding.Cid.ToString())).ToArray(), "it changes nothing");
        Assert.AreEqual(0, fixture.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task A_block_with_another_good_place_is_damaged_but_not_lost()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId pin = await fixture.PinAsync();
        byte[] data = fixture.RandomBytes(1000);
        string a = fixture.WriteFile("a", data), b = fixture.WriteFile("b", data);
        await fixture.ShareFileAsync(a, 1000, pin);
        await fixture.ShareFileAsync(b, 1000, pin);
        Flip(b, 77);
        StoreFinding finding = (await VerifyAsync(fixture)).Single();
        Assert.AreEqual((FindingKind.Source, b, false), (finding.Kind, finding.Path, finding.IsLost));
    }

    [TestMethod]
    public async Task Files_that_are_gone_and_files_that_nothing_speaks_of_are_told_apart()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId pin = await fixture.PinAsync();
        Cid owned = await fixture.AddOwnedAsync(fixture.RandomBytes(80_000), pin);
        string shared = fixture.WriteFile("shared", fixture.RandomBytes(5000));
        await fixture.ShareFileAsync(shared, 1000, pin);
        File.Delete(PathOf(fixture, owned));
        File.Delete(shared);
        string orphan = Path.Combine(fixture.DataPath, "blocks", "00", "1220" + new string('0', 64)), left = Path.Combine(fixture.DataPath, "tmp", "left");
        await fixture.Store.Swept;
        Directory.CreateDirectory(Path.GetDirectoryName(orphan)!);
        await File.WriteAllBytesAsync(orphan, [1]);
        await File.WriteAllBytesAsync(left, [1, 2]);

        List<StoreFinding> found = await VerifyAsync(fixture);
        Assert.AreEqual(FindingKind.Block, found.Single(finding => finding.Path == PathOf(fixture, owned)).Kind);
        Assert.AreEqual(FindingKind.MissingSource, found.Single(finding => finding.Path == shared).Kind, "one finding for a file that is gone");
        CollectionAssert.AreEquivalent(new[] { orphan, left }, found.Where(finding => finding.Kind == FindingKind.Leftover).Select(finding => finding.Path).ToArray());
        await fixture.Store.CollectGarbageAsync(CancellationToken.None);
        Assert.HasCount(2, await VerifyAsync(fixture));
    }

    [TestMethod]
    public async Task Damage_of_the_index_is_told()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        await fixture.AddOwnedAsync(fixture.RandomBytes(100), await fixture.PinAsync());
        using (IndexConnection connection = IndexConnection.Open(Path.Combine(fixture.DataPath, "index.db"), null, 1 << 20))
            connection.Run("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql=replace(sql, 'files(folder, name)', 'files(name, folder)') WHERE name='files_by_name';");
        await fixture.ShareFileAsync(fixture.WriteFile("a", fixture.RandomBytes(1000)), 1000, await fixture.PinAsync());
        Assert.AreEqual(FindingKind.Index, (await VerifyAsync(fixture)).First().Kind);
    }

    [TestMethod]
    public async Task A_store_at_work_is_not_damaged()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        using CancellationTokenSource stop = new();
        Task work = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                PinId pin = await fixture.PinAsync();
                await fixture.AddOwnedAsync(new byte[70_000 + Random.Shared.Next(1000)], pin);
                await fixture.AddOwnedAsync(new byte[Random.Shared.Next(1000)], pin);
                await fixture.Store.RemovePinAsync(pin, CancellationToken.None);
                await fixture.Store.CollectGarbageAsync(CancellationToken.None);
            }
        });
        for (int i = 0; i < 20; i++)
            Assert.IsEmpty((await VerifyAsync(fixture)).Where(finding => finding.IsDamage));
        await stop.CancelAsync();
        await work;
    }

    [TestMethod]
    public async Task It_tells_how_far_it_is_and_ends_when_asked()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId pin = await fixture.PinAsync();
        for (int i = 0; i < 10; i++)
            await fixture.AddOwnedAsync(fixture.RandomBytes(100_000), pin);
        List<VerifyProgress> reports = [];
        Assert.IsEmpty(await VerifyAsync(fixture, new Collect(reports)));
        Assert.AreEqual(new VerifyProgress(10, 1_000_000, 1_000_000, 0), reports[^1]);
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await fixture.Store.VerifyAsync(null, new CancellationToken(canceled: true)).ToListAsync());
    }

    internal static async Task<List<StoreFinding>> VerifyAsync(StoreFixture fixture, IProgress<VerifyProgress>? progress = null) =>
        await fixture.Store.VerifyAsync(progress, CancellationToken.None).ToListAsync();

    internal static string PathOf(StoreFixture fixture, Cid cid)
    {
        string name = Convert.ToHexStringLower(cid.MultihashSpan);
        return Path.Combine(fixture.DataPath, "blocks", name[^2..], name);
    }

    /// <summary>Flips one bit and puts the file's time back, as a failing disk would.</summary>
    internal static void Flip(string path, long bit)
    {
        DateTime time = File.GetLastWriteTimeUtc(path);
        using (FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = bit / 8;
            int value = file.ReadByte();
            file.Position = bit / 8;
            file.WriteByte((byte)(value ^ (1 << (int)(bit % 8))));
        }
        File.SetLastWriteTimeUtc(path, time);
    }

    /// <summary>Flips one bit of an inline block; the store is closed.</summary>
    internal static void FlipInIndex(StoreFixture fixture, byte[] data, int bit)
    {
        byte[] flipped = [.. data];
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        using IndexConnection connection = IndexConnection.Open(Path.Combine(fixture.DataPath, "index.db"), null, 1 << 20);
        using IndexStatement update = connection.Prepare("UPDATE blobs SET data=?2 WHERE data=?1");
        update.Bind(1, data.AsSpan()).Bind(2, flipped.AsSpan()).Run();
    }

    private sealed class Collect(List<VerifyProgress> reports) : IProgress<VerifyProgress>
    {
        public void Report(VerifyProgress value) => reports.Add(value);
    }
}
