using System.Buffers.Binary;
using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

[TestClass]
public sealed class BlockStoreTests
{
    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(StoreOptions.MaxInlineBytes)]
    [DataRow(StoreOptions.MaxInlineBytes + 1)]
    [DataRow(BlockVerification.MaxBlockBytes)]
    public async Task An_owned_block_comes_back_now_and_after_a_restart(int size)
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(size);
        Cid cid = await fixture.AddOwnedAsync(data, await fixture.PinAsync());
        for (int run = 0; run < 2; run++)
        {
            Assert.IsTrue(fixture.Store.Has(cid));
            Assert.AreEqual(size, fixture.Store.SizeOf(cid));
            CollectionAssert.AreEqual(data, fixture.Serve(cid));
            using (BlockBuffer? buffer = await fixture.Store.ReadAsync(cid, CancellationToken.None))
                CollectionAssert.AreEqual(data, buffer!.Span.ToArray());
            Assert.AreEqual(size, fixture.Store.GetUsage().OwnedBytes);
            await fixture.ReopenAsync();
        }
        Assert.AreEqual(0, fixture.Buffers.RentedCount);
        Assert.AreEqual(0, Directory.GetFiles(Path.Combine(fixture.DataPath, "tmp")).Length);
    }

    [TestMethod]
    public async Task A_block_is_known_by_its_hash_whatever_its_codec()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(100);
        await fixture.AddOwnedAsync(data);
        Assert.IsTrue(fixture.Store.Has(Cid.OfDagPb(data)));
        Assert.IsFalse(fixture.Store.Has(Cid.OfRaw(fixture.RandomBytes(100))));
        Assert.IsNull(fixture.Store.SizeOf(Cid.OfRaw(fixture.RandomBytes(100))));
        Assert.IsNull(await fixture.Store.ReadAsync(Cid.OfRaw(fixture.RandomBytes(100)), CancellationToken.None));
    }

    [TestMethod]
    public async Task Nothing_of_a_batch_is_seen_before_its_commit_or_without_it()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] small = fixture.RandomBytes(100), large = fixture.RandomBytes(1 << 20);
        using (StoreBatch batch = fixture.Store.BeginBatch())
        {
            batch.AddOwned(Cid.OfRaw(small), small);
            batch.AddOwned(Cid.OfRaw(large), large);
            Assert.IsFalse(fixture.Store.Has(Cid.OfRaw(small)));
            Assert.IsFalse(fixture.Store.Has(Cid.OfRaw(large)));
        }
        Assert.IsFalse(fixture.Store.Has(Cid.OfRaw(large)));
        Assert.AreEqual(0, Directory.GetFiles(Path.Combine(fixture.DataPath, "tmp")).Length);
        Assert.AreEqual(0, Directory.GetFiles(Path.Combine(fixture.DataPath, "blocks"), "*", SearchOption.AllDirectories).Length);
    }

    [TestMethod]
    public async Task What_a_crash_left_is_swept_at_the_next_start()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Cid kept = await fixture.AddOwnedAsync(fixture.RandomBytes(100_000), await fixture.PinAsync());
        await fixture.CloseAsync();
        string temporary = Path.Combine(fixture.DataPath, "tmp", "dead-1");
        string orphan = Path.Combine(fixture.DataPath, "blocks", "ff", "1220" + new string('f', 64));
        Directory.CreateDirectory(Path.GetDirectoryName(orphan)!);
        await File.WriteAllTextAsync(temporary, "half a block");
        await File.WriteAllTextAsync(orphan, "a block whose row was never committed");
        await fixture.ReopenAsync();
        await WaitUntilAsync(() => !File.Exists(orphan) && !File.Exists(temporary));
        Assert.IsNotNull(fixture.Serve(kept));
    }

    [TestMethod]
    public async Task A_damaged_block_file_is_found_when_read_and_taken_out_of_service()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(200_000);
        PinId pin = await fixture.PinAsync();
        Cid cid = await fixture.AddOwnedAsync(data, pin);
        string path = Directory.GetFiles(Path.Combine(fixture.DataPath, "blocks"), "*", SearchOption.AllDirectories).Single();
        SourceFileTests.Overwrite(path, 150_000, (byte)~data[150_000]);
        Assert.IsNull(fixture.Serve(cid));
        await fixture.SettleAsync();
        Assert.IsFalse(fixture.Store.Has(cid));
        Assert.IsFalse(File.Exists(path));

        await fixture.AddOwnedAsync(data, pin);
        CollectionAssert.AreEqual(data, fixture.Serve(cid));
        Assert.AreEqual(0, fixture.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task A_block_file_that_is_gone_is_no_longer_claimed()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Cid cid = await fixture.AddOwnedAsync(fixture.RandomBytes(200_000));
        File.Delete(Directory.GetFiles(Path.Combine(fixture.DataPath, "blocks"), "*", SearchOption.AllDirectories).Single());
        Assert.IsNull(fixture.Serve(cid));
        await fixture.SettleAsync();
        Assert.IsFalse(fixture.Store.Has(cid));
    }

    [TestMethod]
    public async Task Readers_see_whole_batches_while_a_writer_writes()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync(new StoreOptions { MaxReaders = 2 });
        const int Batches = 40, PerBatch = 50;
        byte[] Block(int batch, int index)
        {
            byte[] data = new byte[8];
            BinaryPrimitives.WriteInt32LittleEndian(data, batch);
            BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(4), index);
            return data;
        }

        int committed = 0;
        Task[] readers = [.. Enumerable.Range(0, 4).Select(reader => Task.Run(() =>
        {
            Random random = new(reader);
            while (Volatile.Read(ref committed) < Batches)
            {
                int batch = random.Next(Batches);

                // The last block of a batch is there only if the first one is.
                bool last = fixture.Store.Has(Cid.OfRaw(Block(batch, PerBatch - 1)));
                bool first = fixture.Store.Has(Cid.OfRaw(Block(batch, 0)));
                Assert.IsTrue(first || !last);
                if (first)
                    CollectionAssert.AreEqual(Block(batch, 7), fixture.Serve(Cid.OfRaw(Block(batch, 7))));
            }
        }))];
        for (int batch = 0; batch < Batches; batch++)
        {
            using StoreBatch changes = fixture.Store.BeginBatch();
            for (int i = 0; i < PerBatch; i++)
                changes.AddOwned(Cid.OfRaw(Block(batch, i)), Block(batch, i));
            await changes.CommitAsync(Durability.Visible, CancellationToken.None);
            Volatile.Write(ref committed, batch + 1);
        }
        await Task.WhenAll(readers);
        Assert.AreEqual(Batches * PerBatch, fixture.Store.GetUsage().Blocks);
    }

    [TestMethod]
    public async Task Many_committers_at_once_lose_nothing()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync(new StoreOptions { MaxQueuedBatches = 4 });
        PinId pin = await fixture.PinAsync();
        Cid[] cids = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => fixture.AddOwnedAsync(BitConverter.GetBytes(i), pin))));
        await fixture.ReopenAsync();
        Assert.IsTrue(cids.All(cid => fixture.Store.Has(cid)));
    }

    [TestMethod]
    public async Task One_hundred_thousand_blocks_open_and_answer_quickly()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        string path = fixture.WriteFile("big", []);
        FileIdentity identity = fixture.IdentityOf(path);
        PinId pin = await fixture.PinAsync();
        const int Count = 100_000;
        Cid Name(int i) => Cid.OfRaw(BitConverter.GetBytes(i));
        FileId file = default;
        for (int i = 0; i < Count;)
        {
            using StoreBatch batch = fixture.Store.BeginBatch(pin);
            if (file.IsNone)
                file = batch.AddFile(path, identity).Id;
            for (int last = i + 5000; i < last; i++)
                batch.AddReference(Name(i), file, i * 4L, 4);
            await batch.CommitAsync(Durability.Visible, CancellationToken.None);
        }
        await fixture.ReopenAsync();
        Assert.AreEqual(Count, fixture.Store.GetUsage().ReferencedBlocks);

        // Generous: a look-up takes some microseconds; a missing index would take milliseconds.
        long start = TimeProvider.System.GetTimestamp();
        for (int i = 0; i < Count; i += 20)
            Assert.IsTrue(fixture.Store.Has(Name(i)));
        double micros = TimeProvider.System.GetElapsedTime(start).TotalMicroseconds / (Count / 20);
        Assert.IsLessThan(1000, micros);
        Assert.IsFalse(fixture.Store.Has(Name(Count)));
    }

    [TestMethod]
    public async Task A_quota_is_kept()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync(new StoreOptions { QuotaBytes = 1000 });
        await fixture.AddOwnedAsync(fixture.RandomBytes(900));
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => fixture.AddOwnedAsync(fixture.RandomBytes(101)));
        Assert.AreEqual(P2PErrorCode.Quota, error.Code);
        await fixture.CloseAsync();
        await fixture.ReopenAsync();
        await Assert.ThrowsExactlyAsync<P2PException>(() => fixture.AddOwnedAsync(fixture.RandomBytes(101)));
        await fixture.AddOwnedAsync(fixture.RandomBytes(100));
    }

    [TestMethod]
    public async Task A_file_that_is_no_database_is_a_store_error_that_says_so()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        await fixture.CloseAsync();
        await File.WriteAllTextAsync(Path.Combine(fixture.DataPath, "index.db"), new string('x', 10_000));
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(fixture.ReopenAsync);
        Assert.AreEqual(P2PErrorCode.Store, error.Code);
        StringAssert.Contains(error.Message, "damaged");
    }

    [TestMethod]
    public async Task A_newer_index_is_refused()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        await fixture.CloseAsync();
        using (IndexConnection connection = IndexConnection.Open(Path.Combine(fixture.DataPath, "index.db"), null, 1 << 20))
            connection.Run($"PRAGMA user_version={IndexSchema.Version + 1}");
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(fixture.ReopenAsync);
        Assert.AreEqual(P2PErrorCode.Store, error.Code);
        StringAssert.Contains(error.Message, "newer version");
    }

    [TestMethod]
    public async Task Settings_and_resume_state_outlive_a_restart()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Cid root = Cid.OfRaw([1]);
        PinId pin = await fixture.PinAsync(PinKind.Temporary), other = await fixture.PinAsync(PinKind.Temporary);
        await fixture.Store.SetSettingAsync("port /ip4/0.0.0.0", "24817", CancellationToken.None);
        await Assert.ThrowsExactlyAsync<ArgumentException>(() => fixture.Store.SetSettingAsync("store.owned_bytes", "0", CancellationToken.None));
        using (StoreBatch batch = fixture.Store.BeginBatch(pin))
        {
            batch.SetResume(new ResumeState("fetch 1", root, "/t", "/p", pin));
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        await fixture.ReopenAsync();
        Assert.AreEqual("24817", fixture.Store.GetSetting("port /ip4/0.0.0.0"));
        Assert.IsNull(fixture.Store.GetSetting("none"));
        Assert.AreEqual(new ResumeState("fetch 1", root, "/t", "/p", pin), fixture.Store.GetResume("fetch 1"));
        Assert.AreEqual(1, fixture.Store.GetResumes().Count);

        // The pin of a fetch that can go on stays; one of an import that died goes.
        Assert.IsTrue(fixture.Store.TryGetPin(pin, out _));
        Assert.IsFalse(fixture.Store.TryGetPin(other, out _));
        using (StoreBatch batch = fixture.Store.BeginBatch())
        {
            batch.RemoveResume("fetch 1");
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        Assert.IsNull(fixture.Store.GetResume("fetch 1"));
    }

    [TestMethod]
    public async Task A_commit_that_is_cancelled_before_it_is_queued_changes_nothing_and_can_be_made_again()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(100_000);
        Cid cid = Cid.OfRaw(data);
        using StoreBatch batch = fixture.Store.BeginBatch();
        batch.AddOwned(cid, data);
        await Assert.ThrowsAsync<OperationCanceledException>(() => batch.CommitAsync(Durability.Flushed, new CancellationToken(canceled: true)));
        Assert.IsFalse(fixture.Store.Has(cid));
        await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        CollectionAssert.AreEqual(data, fixture.Serve(cid));
    }

    [TestMethod]
    public async Task After_disposal_a_commit_says_so()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        BlockStore store = fixture.Store;
        StoreBatch batch = store.BeginBatch();
        batch.AddOwned(Cid.OfRaw([1]), [1]);
        await fixture.CloseAsync();
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => batch.CommitAsync(Durability.Flushed, CancellationToken.None));
        Assert.ThrowsExactly<ObjectDisposedException>(() => store.Has(Cid.OfRaw([1])));
        Assert.ThrowsExactly<ObjectDisposedException>(() => store.BeginBatch());
    }

    internal static async Task WaitUntilAsync(Func<bool> condition)
    {
        for (int i = 0; i < 1000 && !condition(); i++)
            await Task.Delay(10);
        Assert.IsTrue(condition(), "it did not happen within 10 s");
    }

    [TestMethod]
    public async Task An_index_of_the_first_version_gets_what_it_lacks_and_keeps_its_blocks()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        Cid cid = await fixture.AddOwnedAsync(fixture.RandomBytes(100), await fixture.PinAsync());
        await fixture.CloseAsync();
        string path = Path.Combine(fixture.DataPath, "index.db");
        using (IndexConnection connection = IndexConnection.Open(path, null, 1 << 20))
            connection.Run(
                "ALTER TABLE files DROP COLUMN layout; ALTER TABLE files DROP COLUMN share_key; DROP TABLE share_keys; " +
                "ALTER TABLE pins DROP COLUMN hints; DROP TABLE usage; DROP TABLE leases; DROP TABLE receipts; DROP TABLE provides; DROP TABLE provided_pins; PRAGMA user_version=1");

        await fixture.ReopenAsync();
        Assert.IsTrue(fixture.Store.Has(cid));
        Assert.AreEqual((1L, 100L), (fixture.Store.GetUsage().Blocks, fixture.Store.GetUsage().OwnedBytes));
        Assert.AreEqual("test", fixture.Store.GetPins().Single().Name);
        await fixture.CloseAsync();
        using (IndexConnection connection = IndexConnection.Open(path, null, 1 << 20))
        {
            Assert.AreEqual(IndexSchema.Version, connection.Scalar("PRAGMA user_version"));
            Assert.AreEqual(2, connection.Scalar("SELECT count(*) FROM pragma_table_info('files') WHERE name IN ('layout', 'share_key')"));
        }
    }
}
