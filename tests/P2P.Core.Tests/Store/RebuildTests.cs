using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>A new index is made of what is left of the old one, of the record of pins and of the block files; nothing that was there is lost with a damaged page.</summary>
[TestClass]
public sealed class RebuildTests
{
    private const int PageBytes = 4096;

    [TestMethod]
    public async Task Everything_that_can_be_read_comes_over()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Expected expected = await FillAsync(fixture);
        await fixture.CloseAsync();
        Rebuild(fixture);
        await fixture.ReopenAsync();
        await CheckAsync(fixture, expected, maxLost: 0);
        Assert.IsTrue(File.Exists(Path.Combine(fixture.DataPath, "index.damaged-1")));
        Assert.AreEqual("yes", fixture.Store.GetSetting("mine"));

        // Once everything has its pins, what was only found is let go.
        await fixture.Store.EndRebuildAsync(CancellationToken.None);
        Assert.IsFalse(fixture.Store.WasRebuilt);
        await fixture.Store.CollectGarbageAsync(CancellationToken.None);
        await CheckAsync(fixture, expected, maxLost: 0);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    public async Task Damaged_pages_cost_their_own_rows_and_no_pin(int seed)
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Expected expected = await FillAsync(fixture);
        await fixture.CloseAsync();
        string index = Path.Combine(fixture.DataPath, "index.db");
        Random random = new(seed);
        const int Damaged = 3;
        byte[] bytes = await File.ReadAllBytesAsync(index);
        for (int i = 0; i < Damaged; i++)
            random.NextBytes(bytes.AsSpan(PageBytes * random.Next(1, bytes.Length / PageBytes), PageBytes));
        await File.WriteAllBytesAsync(index, bytes);
        Rebuild(fixture);
        await fixture.ReopenAsync();
        await CheckAsync(fixture, expected, maxLost: 400);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public async Task Pins_and_block_files_outlive_the_index_and_pins_outlive_their_record(bool recordIsLost)
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Expected expected = await FillAsync(fixture);
        await fixture.CloseAsync();
        string lost = Path.Combine(fixture.DataPath, recordIsLost ? "pins" : "index.db");
        File.Delete(lost);
        if (!recordIsLost)
        {
            P2PException refused = await Assert.ThrowsExactlyAsync<P2PException>(fixture.ReopenAsync);
            Assert.AreEqual(lost, refused.DamagedFile);
            await fixture.CloseAsync();
        }
        Rebuild(fixture);
        await fixture.ReopenAsync();
        CollectionAssert.IsSubsetOf(expected.Pins.Select(pin => pin.Name).ToArray(), fixture.Store.GetPins().Select(pin => pin.Name).ToArray());
        foreach ((Cid cid, byte[] data) in expected.Blocks.Where(block => block.Data.Length > StoreOptions.MaxInlineBytes))
            CollectionAssert.AreEqual(data, fixture.Serve(cid));
        await fixture.Store.CollectGarbageAsync(CancellationToken.None);
        Assert.IsTrue(expected.Blocks.TrueForAll(block => block.Data.Length <= StoreOptions.MaxInlineBytes || fixture.Store.Has(block.Cid)), "what was found is kept until it is known what it belongs to");
    }

    [TestMethod]
    public async Task A_rebuild_that_was_interrupted_begins_anew()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Expected expected = await FillAsync(fixture);
        await fixture.CloseAsync();
        using (CancellationTokenSource stop = new())
        {
            await stop.CancelAsync();
            Assert.ThrowsExactly<OperationCanceledException>(() => Rebuild(fixture, stop.Token));
        }
        await Assert.ThrowsExactlyAsync<P2PException>(fixture.ReopenAsync, "the folder is not taken for a new one");
        await fixture.CloseAsync();
        Rebuild(fixture);
        await fixture.ReopenAsync();
        await CheckAsync(fixture, expected, maxLost: 0);
    }

    [TestMethod]
    public async Task An_acknowledged_pin_is_in_the_record_when_it_is_acknowledged()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        string path = Path.Combine(fixture.DataPath, "pins");
        await fixture.PinAsync(PinKind.Temporary);
        Assert.IsFalse(File.Exists(path), "what a restart drops is not worth two flushes");
        for (int i = 1; i < 4; i++)
        {
            PinId pin = await fixture.PinAsync(PinKind.Kept);
            Assert.HasCount(i, Read().Pins);
            Assert.AreEqual(pin, Read().Pins[^1].Id);
        }
        PinId gone = fixture.Store.GetPins()[^1].Id;
        await fixture.Store.RemovePinAsync(gone, CancellationToken.None);
        Assert.HasCount(2, Read().Pins);
        using (StoreBatch batch = fixture.Store.BeginBatch())
        {
            batch.SetResume(new ResumeState("k", Cid.OfRaw([1]), "/target", "/part", gone));
            await batch.CommitAsync(Durability.Visible, CancellationToken.None);
        }
        await fixture.CloseAsync();
        Assert.AreEqual("/part", Read().Resumes.Single().PartPath);

        // A crash between record and index is put right by the next start.
        await File.WriteAllTextAsync(path, "p2p-pins 1 nonsense\n{}");
        await fixture.ReopenAsync();
        Assert.HasCount(2, Read().Pins);

        PinRecord Read() => PinRecord.TryRead(FileSystemDisk.Instance, path) ?? throw new InvalidOperationException("no record");
    }

    [TestMethod]
    public void A_damaged_record_is_none()
    {
        PinRecord record = new([new Pin { Id = new PinId(7), Kind = PinKind.Shared, Root = Cid.OfRaw([1]), Name = "a \"b\" \u202E", Path = "/x", WrappedKey = new byte[] { 1, 2 }, Hints = new byte[] { 3 } }], []);
        byte[] bytes = record.ToBytes();
        PinRecord read = PinRecord.TryParse(bytes)!;
        Assert.AreEqual((record.Pins[0].Id, record.Pins[0].Name, record.Pins[0].Path, record.Pins[0].Root), (read.Pins[0].Id, read.Pins[0].Name, read.Pins[0].Path, read.Pins[0].Root));
        CollectionAssert.AreEqual(bytes, read.ToBytes());
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] flipped = [.. bytes];
            flipped[i] ^= 1;
            Assert.IsNull(PinRecord.TryParse(flipped), $"byte {i}");
            Assert.IsNull(PinRecord.TryParse(bytes.AsMemory(0, i)), $"{i} bytes");
        }
    }

    private static void Rebuild(StoreFixture fixture, CancellationToken cancellationToken = default)
    {
        using DataFolder folder = DataFolder.Open(fixture.DataPath);
        folder.Lock();
        new IndexSalvage(folder, fixture.Options, fixture.Disk, fixture.Time, NullLogger.Instance).Rebuild(cancellationToken);
    }

    private static async Task<Expected> FillAsync(StoreFixture fixture)
    {
        PinId kept = await fixture.PinAsync(PinKind.Kept), shared = await fixture.PinAsync(PinKind.Shared);
        List<(Cid Cid, byte[] Data)> blocks = [];
        using (StoreBatch batch = fixture.Store.BeginBatch(kept))
        {
            for (int i = 0; i < 800; i++)
            {
                byte[] data = fixture.RandomBytes(i % 40 == 0 ? 70_000 : 500);
                blocks.Add((Cid.OfRaw(data), data));
                batch.AddOwned(blocks[^1].Cid, data);
            }
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        byte[] file = fixture.RandomBytes(200_000);
        List<Cid> referenced = await fixture.ShareFileAsync(fixture.WriteFile("sub/shared", file), 1000, shared);
        blocks.AddRange(referenced.Select((cid, i) => (cid, file[(i * 1000)..((i + 1) * 1000)])));
        byte[] again = fixture.RandomBytes(1000);
        await fixture.ShareFileAsync(fixture.WriteFile("one", again), 1000, shared);
        await fixture.ShareFileAsync(fixture.WriteFile("two", again), 1000, shared);
        File.Delete(Path.Combine(fixture.UserPath, "one"));
        blocks.Add((Cid.OfRaw(again), again));
        await fixture.Store.SetSettingAsync("mine", "yes", CancellationToken.None);
        return new Expected(blocks, fixture.Store.GetPins());
    }

    private static async Task CheckAsync(StoreFixture fixture, Expected expected, int maxLost)
    {
        Pin[] pins = [.. fixture.Store.GetPins().Where(pin => pin.Name != IndexSalvage.RecoveredName)];
        CollectionAssert.AreEqual(expected.Pins.Select(pin => (pin.Id, pin.Kind, pin.Name)).ToArray(), pins.Select(pin => (pin.Id, pin.Kind, pin.Name)).ToArray());
        int lost = 0;
        foreach ((Cid cid, byte[] data) in expected.Blocks)
        {
            byte[]? served = fixture.Serve(cid);
            if (served is null)
                lost++;
            else
                CollectionAssert.AreEqual(data, served);
        }
        Assert.IsLessThanOrEqualTo(maxLost, lost);
        Assert.IsFalse((await VerifyTests.VerifyAsync(fixture)).Exists(finding => finding.Kind == FindingKind.Index));
    }

    private sealed record Expected(List<(Cid Cid, byte[] Data)> Blocks, IReadOnlyList<Pin> Pins);
}
