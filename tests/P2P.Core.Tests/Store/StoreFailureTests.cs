using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>What happens when the disk does not do what it is told: the caller learns why, and nothing is claimed that is not there.</summary>
[TestClass]
public sealed class StoreFailureTests
{
    [TestMethod]
    [DataRow("create", P2PErrorCode.NoSpace)]
    [DataRow("write", P2PErrorCode.NoSpace)]
    [DataRow("flush", P2PErrorCode.NoSpace)]
    [DataRow("rename", P2PErrorCode.NoSpace)]
    [DataRow("flushfolder", P2PErrorCode.NoSpace)]
    [DataRow("create", P2PErrorCode.Permission)]
    [DataRow("rename", P2PErrorCode.Permission)]
    [DataRow("flush", P2PErrorCode.Store)]
    public async Task A_disk_that_fails_fails_the_commit_and_leaves_nothing_behind(string operation, object code)
    {
        FailingDisk disk = new();
        await using StoreFixture fixture = await StoreFixture.OpenAsync(disk: disk);
        PinId pin = await fixture.PinAsync();
        byte[] data = fixture.RandomBytes(100_000), small = fixture.RandomBytes(100);
        Cid cid = Cid.OfRaw(data);
        disk.FailingOperation = operation;
        disk.Error = () => (P2PErrorCode)code switch
        {
            P2PErrorCode.NoSpace => new IOException("No space left on device", 28),
            P2PErrorCode.Permission => new UnauthorizedAccessException("Access denied"),
            _ => new IOException("Input/output error", 5),
        };
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => fixture.AddOwnedAsync(data, pin));
        Assert.AreEqual((P2PErrorCode)code, error.Code);
        Assert.IsFalse(fixture.Store.Has(cid));

        // Blocks in the index do not need that disk; and once it works again, so does everything.
        await fixture.AddOwnedAsync(small, pin);
        disk.FailingOperation = null;
        await fixture.AddOwnedAsync(data, pin);
        await fixture.ReopenAsync();
        CollectionAssert.AreEqual(data, fixture.Serve(cid));
        CollectionAssert.AreEqual(small, fixture.Serve(Cid.OfRaw(small)));
        Assert.AreEqual(0, Directory.GetFiles(Path.Combine(fixture.DataPath, "tmp")).Length);
    }

    [TestMethod]
    public async Task One_bad_batch_does_not_take_its_neighbours_with_it()
    {
        FailingDisk disk = new();
        await using StoreFixture fixture = await StoreFixture.OpenAsync(disk: disk);
        disk.FailingOperation = "rename";
        List<Task<Cid>> good = [], bad = [];
        for (int i = 0; i < 30; i++)
            (i % 3 == 0 ? bad : good).Add(fixture.AddOwnedAsync(fixture.RandomBytes(i % 3 == 0 ? 70_000 : 100)));
        foreach (Task<Cid> task in bad)
            await Assert.ThrowsExactlyAsync<P2PException>(() => task);
        foreach (Task<Cid> task in good)
            Assert.IsTrue(fixture.Store.Has(await task));
        Assert.AreEqual(20, fixture.Store.GetUsage().Blocks);
    }

    [TestMethod]
    public async Task An_unreadable_block_file_is_an_error_and_not_damage()
    {
        FailingDisk disk = new();
        await using StoreFixture fixture = await StoreFixture.OpenAsync(disk: disk);
        Cid cid = await fixture.AddOwnedAsync(fixture.RandomBytes(70_000));
        disk.FailingOperation = "open";
        Assert.AreEqual(P2PErrorCode.Store, Assert.ThrowsExactly<P2PException>(() => fixture.Serve(cid)).Code);
        disk.FailingOperation = null;
        await fixture.SettleAsync();
        Assert.IsNotNull(fixture.Serve(cid));
        Assert.AreEqual(0, fixture.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task An_unreadable_source_is_told_and_not_served()
    {
        FailingDisk disk = new();
        await using StoreFixture fixture = await StoreFixture.OpenAsync(disk: disk);
        byte[] data = fixture.RandomBytes(1000);
        List<Cid> cids = await fixture.ShareFileAsync(fixture.WriteFile("a", data), 1000);
        disk.FailingOperation = "open";
        disk.Error = () => new UnauthorizedAccessException("Access denied");
        Assert.IsNull(fixture.Serve(cids[0]));
        Assert.IsTrue(fixture.Store.SourceChanges.TryRead(out SourceChangedNotice? notice));
        Assert.AreEqual(SourceChange.Denied, notice.Change);
        disk.FailingOperation = null;
        CollectionAssert.AreEqual(data, fixture.Serve(cids[0]));
    }

    [TestMethod]
    [DataRow(false, "its disk or file system fails")]
    [DataRow(true, "it was moved or deleted")]
    public async Task A_read_that_fails_while_a_block_is_sent_says_what_happened_in_a_sentence(bool isGone, string what)
    {
        FailingDisk disk = new();
        await using StoreFixture fixture = await StoreFixture.OpenAsync(disk: disk);
        string path = fixture.WriteFile("a", fixture.RandomBytes(1000));
        List<Cid> cids = await fixture.ShareFileAsync(path, 1000);
        Assert.IsTrue(fixture.Store.TryOpenBlock(cids[0], BlockReadPurpose.Serve, out StoredBlock block));
        using (block)
        {
            if (isGone)
                File.Delete(path);
            disk.FailingOperation = "read";
            P2PException error = Assert.ThrowsExactly<P2PException>(() => block.Read(new byte[1000], 0));
            Assert.AreEqual(P2PErrorCode.SourceChanged, error.Code);
            StringAssert.Contains(error.Message, what);
            StringAssert.Contains(error.Message, path);
            Assert.IsFalse(error.Message.Contains("Input/output", StringComparison.Ordinal), error.Message);
        }
    }

    [TestMethod]
    public async Task A_copy_of_the_folder_at_any_moment_holds_all_that_was_acknowledged()
    {
        // What a killed process leaves is what is in the files at that moment: no close, no checkpoint.
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        PinId pin = await fixture.PinAsync();
        List<byte[]> blocks = [];
        for (int i = 0; i < 20; i++)
        {
            blocks.Add(fixture.RandomBytes(i % 3 == 0 ? 80_000 : 3000));
            await fixture.AddOwnedAsync(blocks[^1], pin);
            using StoreBatch unfinished = fixture.Store.BeginBatch(pin);
            byte[] lost = fixture.RandomBytes(90_000);
            unfinished.AddOwned(Cid.OfRaw(lost), lost);
            if (i % 5 != 4)
                continue;
            await using StoreFixture copy = await StoreFixture.OpenAsync();
            await copy.CloseAsync();
            CopyFolder(fixture.DataPath, copy.DataPath);
            await copy.ReopenAsync();
            foreach (byte[] block in blocks)
            {
                CollectionAssert.AreEqual(block, copy.Serve(Cid.OfRaw(block)));
                Assert.IsTrue(copy.Store.MayServe(Cid.OfRaw(block), default));
            }
            Assert.IsFalse(copy.Store.Has(Cid.OfRaw(lost)));
            await BlockStoreTests.WaitUntilAsync(() => Directory.GetFiles(Path.Combine(copy.DataPath, "tmp")).Length == 0);
        }
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (string path in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, path));
            if (Path.GetFileName(path) is "lock" or "owner" or "index.db-shm")
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target, overwrite: true);
        }
    }

    /// <summary>The real disk, one operation of which fails.</summary>
    private sealed class FailingDisk : IDisk
    {
        private readonly FileSystemDisk _disk = FileSystemDisk.Instance;

        public string? FailingOperation { get; set; }

        public Func<Exception> Error { get; set; } = () => new IOException("Input/output error", 5);

        public bool TryGetIdentity(string path, out FileIdentity identity) => _disk.TryGetIdentity(path, out identity);

        public FileAttributes GetAttributes(string path) => _disk.GetAttributes(path);

        public IDiskFile OpenRead(string path)
        {
            Check("open");
            return new FailingFile(this, _disk.OpenRead(path));
        }

        public IDiskFile OpenWrite(string path) => new FailingFile(this, _disk.OpenWrite(path));

        public IDiskFile Create(string path)
        {
            Check("create");
            return new FailingFile(this, _disk.Create(path));
        }

        public void Rename(string from, string to)
        {
            Check("rename");
            _disk.Rename(from, to);
        }

        public void Delete(string path) => _disk.Delete(path);

        public void CreateFolder(string path) => _disk.CreateFolder(path);

        public bool FolderExists(string path) => _disk.FolderExists(path);

        public IDisposable Lock(string path) => _disk.Lock(path);

        public long StartedNs(long nowNs) => _disk.StartedNs(nowNs);

        public void FlushFolder(string path)
        {
            Check("flushfolder");
            _disk.FlushFolder(path);
        }

        public IEnumerable<string> ListFiles(string folder) => _disk.ListFiles(folder);

        private void Check(string operation)
        {
            if (FailingOperation == operation)
                throw Error();
        }

        private sealed class FailingFile(FailingDisk disk, IDiskFile file) : IDiskFile
        {
            public FileIdentity GetIdentity() => file.GetIdentity();

            public int Read(Span<byte> destination, long offset)
            {
                disk.Check("read");
                return file.Read(destination, offset);
            }

            public void Write(ReadOnlySpan<byte> data, long offset)
            {
                disk.Check("write");
                file.Write(data, offset);
            }

            public void Flush()
            {
                disk.Check("flush");
                file.Flush();
            }

            public void Dispose() => file.Dispose();
        }
    }
}
