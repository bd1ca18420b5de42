using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>Files that are shared where they lie (D4): whatever happens to them, what is served is what was imported, or nothing.</summary>
[TestClass]
public sealed class SourceFileTests
{
    private const int BlockSize = 100_000;

    [TestMethod]
    public async Task A_block_that_was_hashed_does_not_vouch_for_another_that_begins_where_it_does()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(1000);
        string path = fixture.WriteFile("f", data);
        FileIdentity identity = fixture.IdentityOf(path);
        (int Offset, int Length)[] stretches = [(0, 0), (0, 100), (0, 1000)];
        using (StoreBatch batch = fixture.Store.BeginBatch(await fixture.PinAsync()))
        {
            FileId file = batch.AddFile(path, identity).Id;
            foreach ((int offset, int length) in stretches)
                batch.AddReference(Cid.OfRaw(data.AsSpan(offset, length)), file, offset, length);
            batch.FinishFile(file, identity, Cid.OfDagPb(data));
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        Overwrite(path, 500, (byte)~data[500]);
        Assert.IsNotNull(fixture.Serve(Cid.OfRaw([])));
        Assert.IsNotNull(fixture.Serve(Cid.OfRaw(data.AsSpan(0, 100))));
        Assert.IsNull(fixture.Serve(Cid.OfRaw(data)));
    }

    [TestMethod]
    public async Task A_shared_file_is_served_from_where_it_lies_and_not_copied()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(950_000);
        string path = fixture.WriteFile("film.mkv", data);
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        for (int run = 0; run < 2; run++)
        {
            CollectionAssert.AreEqual(data, ServeAll(fixture, cids));
            Assert.AreEqual(0, fixture.Store.GetUsage().OwnedBytes);
            Assert.AreEqual(data.Length, fixture.Store.GetUsage().ReferencedBytes);
            await fixture.ReopenAsync();
        }
        Assert.IsFalse(fixture.Store.SourceChanges.TryRead(out _));
        Assert.AreEqual(0, fixture.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task An_edited_block_is_never_served_the_others_are_and_the_user_is_told_once()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(500_000);
        string path = fixture.WriteFile("a", data);
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        Assert.IsNotNull(fixture.Serve(cids[1]));
        Overwrite(path, 150_000, (byte)~data[150_000]);
        Assert.IsNull(fixture.Serve(cids[1]));
        foreach (int sound in new[] { 0, 2, 3, 4 })
            CollectionAssert.AreEqual(data[(sound * BlockSize)..((sound + 1) * BlockSize)], fixture.Serve(cids[sound]));
        await fixture.SettleAsync();
        Assert.IsFalse(fixture.Store.Has(cids[1]));
        Assert.IsTrue(fixture.Store.Has(cids[2]));
        Overwrite(path, 250_000, (byte)~data[250_000]);
        Assert.IsNull(fixture.Serve(cids[2]));

        Assert.IsTrue(fixture.Store.SourceChanges.TryRead(out SourceChangedNotice? notice));
        Assert.AreEqual((path, SourceChange.Edited, cids[1], 100_000L), (notice.Path, notice.Change, notice.Cid, notice.Offset));
        Assert.IsFalse(fixture.Store.SourceChanges.TryRead(out _));
        CollectionAssert.AreEqual(new[] { path }, fixture.Store.GetChangedFiles().ToArray());
        await fixture.ReopenAsync();
        Assert.IsNull(fixture.Serve(cids[1]));
        CollectionAssert.AreEqual(new[] { path }, fixture.Store.GetChangedFiles().ToArray());
    }

    [TestMethod]
    public async Task An_edit_that_keeps_size_and_time_is_found_on_the_second_question_of_a_peer()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(200_000);
        string path = fixture.WriteFile("a", data);
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        DateTime time = File.GetLastWriteTimeUtc(path);
        Overwrite(path, 5, (byte)~data[5]);
        File.SetLastWriteTimeUtc(path, time);
        Assert.IsNotNull(fixture.Serve(cids[0]), "nothing can be seen from outside: the fetcher finds it");
        Assert.IsNull(fixture.Serve(cids[0], BlockReadPurpose.Verify));
        await fixture.SettleAsync();
        Assert.IsFalse(fixture.Store.Has(cids[0]));
        Assert.IsNotNull(fixture.Serve(cids[1], BlockReadPurpose.Verify));
    }

    [TestMethod]
    public async Task A_file_that_was_fresh_when_imported_is_hashed_until_it_has_settled()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(BlockSize);
        string path = fixture.WriteFile("a", data);
        DateTime now = DateTime.UtcNow;
        File.SetLastWriteTimeUtc(path, now);
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);

        // An edit within the same tick of the file system's clock: size, time and inode are the same.
        Overwrite(path, 5, (byte)~data[5]);
        File.SetLastWriteTimeUtc(path, now);
        Assert.IsNull(fixture.Serve(cids[0]));
    }

    [TestMethod]
    public async Task A_truncated_file_serves_only_what_is_left()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(300_000);
        string path = fixture.WriteFile("a", data);
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        Truncate(path, 150_000);
        Assert.IsNotNull(fixture.Serve(cids[0]));
        Assert.IsNull(fixture.Serve(cids[1]));
        Assert.IsNull(fixture.Serve(cids[2]));
    }

    [TestMethod]
    public async Task Truncation_while_a_block_is_sent_ends_it_with_an_error()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        string path = fixture.WriteFile("a", fixture.RandomBytes(BlockSize));
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        Assert.IsTrue(fixture.Store.TryOpenBlock(cids[0], BlockReadPurpose.Serve, out StoredBlock block));
        using (block)
        {
            byte[] slice = new byte[60_000];
            Assert.AreEqual(60_000, block.Read(slice, 0));
            Truncate(path, 60_000);
            P2PException error = Assert.ThrowsExactly<P2PException>(() => block.Read(slice, 60_000));
            Assert.AreEqual(P2PErrorCode.SourceChanged, error.Code);
        }
    }

    [TestMethod]
    public async Task A_file_replaced_by_another_is_noticed_though_size_and_time_agree()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        string path = fixture.WriteFile("a", fixture.RandomBytes(BlockSize));
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        Assert.IsNotNull(fixture.Serve(cids[0]), "now its handle is cached");
        string other = fixture.WriteFile("b", fixture.RandomBytes(BlockSize));
        File.Move(other, path, overwrite: true);
        Assert.IsNull(fixture.Serve(cids[0]));
    }

    [TestMethod]
    public async Task A_file_replaced_by_its_copy_is_served_and_trusted_again()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(250_000);
        string path = fixture.WriteFile("a", data);
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        string copy = fixture.WriteFile("b", data);
        File.Move(copy, path, overwrite: true);
        File.SetLastWriteTimeUtc(path, new DateTime(2021, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        CollectionAssert.AreEqual(data, ServeAll(fixture, cids));
        Assert.IsFalse(fixture.Store.SourceChanges.TryRead(out _));

        // All of it was hashed and right: the index took over the new identity.
        await fixture.SettleAsync();
        Assert.IsTrue(fixture.Store.TryGetImportedFile(path, fixture.IdentityOf(path), out FileRegistration file));
        Assert.IsTrue(file.IsImported);
    }

    [TestMethod]
    public async Task What_happened_to_a_file_is_told_and_no_other_thing()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        string[] paths = [.. Enumerable.Range(0, 4).Select(i => fixture.WriteFile($"{i}", fixture.RandomBytes(BlockSize)))];
        List<Cid> cids = [];
        foreach (string path in paths)
            cids.AddRange(await fixture.ShareFileAsync(path, BlockSize));
        File.Delete(paths[0]);
        File.Delete(paths[1]);
        Directory.CreateDirectory(paths[1]);
        Overwrite(paths[2], 5, 0xFF);
        Overwrite(paths[2], 6, 0x00);
        File.Delete(paths[3]);
        if (!OperatingSystem.IsWindows())
            File.CreateSymbolicLink(paths[3], paths[3] + ".nowhere");

        (SourceChange Change, string Says)[] expected =
        [
            (SourceChange.Missing, "was moved or deleted"),
            (SourceChange.NotAFile, "such as a folder, has its name now"),
            (SourceChange.Edited, "was changed"),
            (SourceChange.Missing, "was moved or deleted"),
        ];
        for (int i = 0; i < paths.Length; i++)
        {
            Assert.IsNull(fixture.Serve(cids[i]));
            Assert.IsTrue(fixture.Store.SourceChanges.TryRead(out SourceChangedNotice? notice));
            Assert.AreEqual((paths[i], expected[i].Change), (notice.Path, notice.Change));
            string sentence = SourceDiagnosis.Describe(notice.Path, notice.Change);
            StringAssert.Contains(sentence, expected[i].Says);
            Assert.AreEqual(expected[i].Change == SourceChange.Edited, sentence.Contains("was changed", StringComparison.Ordinal), sentence);
        }
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task A_file_below_a_folder_that_may_not_be_entered_is_not_called_gone()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Inconclusive("The system refuses nothing to root.");
            return;
        }

        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        string path = fixture.WriteFile("closed/a", fixture.RandomBytes(BlockSize));
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        string folder = Path.GetDirectoryName(path)!;
        File.SetUnixFileMode(folder, UnixFileMode.None);
        try
        {
            Assert.IsNull(fixture.Serve(cids[0]));
            Assert.IsTrue(fixture.Store.SourceChanges.TryRead(out SourceChangedNotice? notice));
            Assert.AreEqual(SourceChange.Denied, notice.Change);
        }
        finally
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Assert.IsNotNull(fixture.Serve(cids[0]));
    }

    [TestMethod]
    public async Task A_file_that_is_gone_is_not_claimed_and_is_served_again_when_it_is_back()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(BlockSize);
        string path = fixture.WriteFile("a", data);
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        File.Move(path, path + ".away");
        Assert.IsNull(fixture.Serve(cids[0]));
        Assert.IsFalse(fixture.Store.Has(cids[0]));
        Assert.IsTrue(fixture.Store.SourceChanges.TryRead(out SourceChangedNotice? notice));
        Assert.AreEqual(SourceChange.Missing, notice.Change);
        await fixture.SettleAsync();
        await fixture.ReopenAsync();
        Assert.IsFalse(fixture.Store.Has(cids[0]));
        File.Move(path + ".away", path);
        Assert.IsTrue(fixture.Store.Has(cids[0]));
        CollectionAssert.AreEqual(data, fixture.Serve(cids[0]));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task A_pipe_in_place_of_the_file_does_not_stop_the_server()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        string path = fixture.WriteFile("a", fixture.RandomBytes(BlockSize));
        List<Cid> cids = await fixture.ShareFileAsync(path, BlockSize);
        File.Delete(path);
        using (System.Diagnostics.Process make = System.Diagnostics.Process.Start("mkfifo", [path]))
            await make.WaitForExitAsync();
        Assert.IsNull(await Task.Run(() => fixture.Serve(cids[0])).WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [TestMethod]
    public async Task The_same_content_in_two_places_is_served_when_one_goes()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(BlockSize);
        string first = fixture.WriteFile("a", data), second = fixture.WriteFile("sub/b", data), third = fixture.WriteFile("c", data);
        List<Cid> cids = await fixture.ShareFileAsync(first, BlockSize);
        await fixture.ShareFileAsync(second, BlockSize);
        await fixture.ShareFileAsync(third, BlockSize);
        File.Delete(first);
        CollectionAssert.AreEqual(data, fixture.Serve(cids[0]));
        Assert.IsTrue(fixture.Store.Has(cids[0]));
        Overwrite(second, 7, (byte)~data[7]);
        CollectionAssert.AreEqual(data, fixture.Serve(cids[0]));
        await fixture.SettleAsync();
        await fixture.ReopenAsync();
        CollectionAssert.AreEqual(data, fixture.Serve(cids[0]));
        File.Delete(third);
        Assert.IsNull(fixture.Serve(cids[0]));
        Assert.IsFalse(fixture.Store.Has(cids[0]));
    }

    [TestMethod]
    public async Task Importing_an_edited_file_again_serves_the_new_content_without_complaint()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(200_000);
        string path = fixture.WriteFile("a", data);
        List<Cid> before = await fixture.ShareFileAsync(path, BlockSize);
        data[150_000] ^= 1;
        fixture.WriteFile("a", data);
        File.SetLastWriteTimeUtc(path, new DateTime(2021, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        List<Cid> after = await fixture.ShareFileAsync(path, BlockSize);
        CollectionAssert.AreEqual(data, ServeAll(fixture, after));
        Assert.IsNull(fixture.Serve(before[1]));
        Assert.IsFalse(fixture.Store.SourceChanges.TryRead(out _));
        Assert.AreEqual(0, fixture.Store.GetChangedFiles().Count);
    }

    [TestMethod]
    public async Task The_import_cache_knows_a_file_by_path_size_time_and_inode()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(BlockSize);
        string path = fixture.WriteFile("a", data);
        await fixture.ShareFileAsync(path, BlockSize);
        FileIdentity identity = fixture.IdentityOf(path);
        await fixture.ReopenAsync();
        Assert.IsTrue(fixture.Store.TryGetImportedFile(path, identity, out FileRegistration file));
        Assert.AreEqual(Cid.OfDagPb(data), file.Root);
        Assert.IsFalse(fixture.Store.TryGetImportedFile(path + "x", identity, out _));
        Assert.IsFalse(fixture.Store.TryGetImportedFile(path, identity with { Size = identity.Size + 1 }, out _));
        Assert.IsFalse(fixture.Store.TryGetImportedFile(path, identity with { ModifiedNs = identity.ModifiedNs + 1 }, out _));
        Assert.IsFalse(fixture.Store.TryGetImportedFile(path, identity with { Inode = identity.Inode + 1 }, out _));
        using StoreBatch batch = fixture.Store.BeginBatch();
        Assert.AreEqual(file, batch.AddFile(path, identity));
    }

    [TestMethod]
    public async Task A_file_being_written_is_hashed_before_it_is_served_and_follows_its_rename()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(200_000);
        string part = Path.Combine(fixture.UserPath, ".p2p-abc.part", "sub", "name"), target = Path.Combine(fixture.UserPath, "target");
        Directory.CreateDirectory(Path.GetDirectoryName(part)!);
        await File.WriteAllBytesAsync(part, [.. data[..BlockSize], .. new byte[BlockSize]]);
        Cid first = Cid.OfRaw(data.AsSpan(0, BlockSize)), second = Cid.OfRaw(data.AsSpan(BlockSize));
        FileId file;
        using (StoreBatch batch = fixture.Store.BeginBatch())
        {
            file = batch.AddFileBeingWritten(part);
            batch.AddReference(first, file, 0, BlockSize);
            batch.AddReference(second, file, BlockSize, BlockSize);
            await batch.CommitAsync(Durability.Visible, CancellationToken.None);
        }
        Assert.IsNotNull(fixture.Serve(first));
        Assert.IsNull(fixture.Serve(second), "its bytes are not there yet");
        await File.WriteAllBytesAsync(part, data);
        Assert.IsNotNull(fixture.Serve(second));

        Directory.Move(Path.Combine(fixture.UserPath, ".p2p-abc.part"), target);
        Assert.IsNull(fixture.Serve(first), "between the rename and its commit");
        using (StoreBatch batch = fixture.Store.BeginBatch())
        {
            batch.Relocate(Path.Combine(fixture.UserPath, ".p2p-abc.part"), target);
            batch.FinishFile(file, fixture.IdentityOf(Path.Combine(target, "sub", "name")), Cid.OfDagPb(data));
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        Assert.IsFalse(fixture.Store.SourceChanges.TryRead(out _));
        for (int run = 0; run < 2; run++)
        {
            CollectionAssert.AreEqual(data, ServeAll(fixture, [first, second]));
            await fixture.ReopenAsync();
        }
        Assert.IsTrue(fixture.Store.TryGetImportedFile(
            Path.Combine(target, "sub", "name"), fixture.IdentityOf(Path.Combine(target, "sub", "name")), out FileRegistration known));
        Assert.AreEqual(file, known.Id);
    }

    [TestMethod]
    public async Task What_an_unfinished_fetch_wrote_is_not_claimed_once_it_is_removed()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(BlockSize);
        string part = fixture.WriteFile(".p2p-abc.part", data);
        Cid cid = Cid.OfRaw(data);
        using (StoreBatch batch = fixture.Store.BeginBatch())
        {
            batch.AddReference(cid, batch.AddFileBeingWritten(part), 0, BlockSize);
            await batch.CommitAsync(Durability.Visible, CancellationToken.None);
        }
        Assert.IsTrue(fixture.Store.Has(cid));
        await fixture.ReopenAsync();
        Assert.IsTrue(fixture.Store.Has(cid));
        CollectionAssert.AreEqual(data, fixture.Serve(cid));
        File.Delete(part);
        Assert.IsFalse(fixture.Store.Has(cid));
        Assert.IsNull(fixture.Serve(cid));
        Assert.IsFalse(fixture.Store.SourceChanges.TryRead(out _));
    }

    [TestMethod]
    public async Task A_single_file_follows_its_rename_and_folders_of_like_names_stay()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = fixture.RandomBytes(BlockSize), near = fixture.RandomBytes(BlockSize);
        string part = fixture.WriteFile("x.part", data), like = fixture.WriteFile("x.partly/y", near), target = Path.Combine(fixture.UserPath, "new", "x");
        List<Cid> cids = await fixture.ShareFileAsync(part, BlockSize), nearCids = await fixture.ShareFileAsync(like, BlockSize);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Move(part, target);
        using (StoreBatch batch = fixture.Store.BeginBatch())
        {
            batch.Relocate(part, target);
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }
        CollectionAssert.AreEqual(data, fixture.Serve(cids[0]));
        CollectionAssert.AreEqual(near, fixture.Serve(nearCids[0]));
    }

    [TestMethod]
    public async Task More_files_than_handles_are_served()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync(new StoreOptions { MaxOpenFiles = 3 });
        List<(Cid Cid, byte[] Data)> blocks = [];
        for (int i = 0; i < 20; i++)
        {
            byte[] data = fixture.RandomBytes(1000 + i);
            blocks.Add(((await fixture.ShareFileAsync(fixture.WriteFile($"f{i}", data), BlockSize))[0], data));
        }
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            Random random = new(worker);
            for (int i = 0; i < 200; i++)
            {
                (Cid cid, byte[] data) = blocks[random.Next(blocks.Count)];
                CollectionAssert.AreEqual(data, fixture.Serve(cid));
            }
        })));
        if (OperatingSystem.IsLinux())
        {
            int open = Directory.GetFiles("/proc/self/fd").Count(fd => new FileInfo(fd).LinkTarget?.StartsWith(fixture.UserPath, StringComparison.Ordinal) == true);
            Assert.IsLessThanOrEqualTo(3, open);
        }
    }

    [TestMethod]
    public async Task A_block_that_repeats_without_end_keeps_a_few_places()
    {
        await using StoreFixture fixture = await StoreFixture.OpenAsync();
        byte[] data = new byte[50 * 1000];
        string path = fixture.WriteFile("sparse", data);
        List<Cid> cids = await fixture.ShareFileAsync(path, 1000);
        Assert.AreEqual(1, cids.Distinct().Count());
        CollectionAssert.AreEqual(data[..1000], fixture.Serve(cids[0]));
        await fixture.CloseAsync();
        using IndexConnection connection = IndexConnection.Open(Path.Combine(fixture.DataPath, "index.db"), null, 1 << 20);
        Assert.AreEqual(7, connection.Scalar("SELECT count(*) FROM sources"));
    }

    private static byte[] ServeAll(StoreFixture fixture, List<Cid> cids) =>
        [.. cids.SelectMany(cid => fixture.Serve(cid) ?? throw new AssertFailedException($"{cid} is not served"))];

    private static void Truncate(string path, long length)
    {
        using FileStream file = File.OpenWrite(path);
        file.SetLength(length);
    }

    internal static void Overwrite(string path, long offset, byte value)
    {
        using FileStream file = File.OpenWrite(path);
        file.Position = offset;
        file.WriteByte(value);
    }
}
