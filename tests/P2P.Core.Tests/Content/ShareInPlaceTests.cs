using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Store;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

/// <summary>Trees as they are on real disks: hard links, sparse files, files that change at the wrong moment, permissions and times.</summary>
[TestClass]
public sealed class ShareInPlaceTests
{
    private const int MiB = 1 << 20;

    [TestMethod]
    public async Task An_edit_within_the_resolution_of_the_files_time_is_not_taken_for_the_old_content()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        string path = fixture.WriteFile("f", TestTree.Random(1, 3 * MiB));
        DateTime time = DateTime.UtcNow;
        File.SetLastWriteTimeUtc(path, time);
        ImportResult before = await ImportAsync(fixture, path);

        // in place, and with the very same time: what a coarse clock makes of two writes in a row
        byte[] edited = TestTree.Random(2, 3 * MiB);
        FileIdentity identity = fixture.IdentityOf(path);
        await File.WriteAllBytesAsync(path, edited);
        File.SetLastWriteTimeUtc(path, time);
        Assert.AreEqual(identity, fixture.IdentityOf(path));

        ImportResult after = await ImportAsync(fixture, path);
        Assert.AreEqual((await new Importer(null, fixture.Buffers, new ImportOptions()).ImportAsync([path], default, null, CancellationToken.None)).Root, after.Root);
        Assert.AreNotEqual(before.Root, after.Root);
        CollectionAssert.AreEqual(edited[..MiB], fixture.Serve(Cid.OfRaw(edited.AsSpan(0, MiB))));
        Assert.IsNull(fixture.Serve(Cid.OfRaw(TestTree.Random(1, 3 * MiB).AsSpan(0, MiB))), "what was there before is not, whatever the time says");
    }

    [TestMethod]
    public async Task An_edit_while_a_block_is_sent_ends_it_before_new_bytes_leave()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        string path = fixture.WriteFile("f", TestTree.Random(1, MiB));
        Cid leaf = (await ImportAsync(fixture, path)).Root;
        Assert.IsTrue(fixture.Store.TryOpenBlock(leaf, BlockReadPurpose.Serve, out StoredBlock block));
        using (block)
        {
            byte[] piece = new byte[1000];
            Assert.AreEqual(1000, block.Read(piece, 0));
            await File.WriteAllBytesAsync(path, TestTree.Random(2, MiB)); // in place, as long as before
            Assert.AreEqual(P2PErrorCode.SourceChanged, Assert.ThrowsExactly<P2PException>(() => block.Read(piece, 1000)).Code);
        }
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task A_hard_link_is_a_file_like_any_other_and_stays_when_the_other_name_goes()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        byte[] content = TestTree.Random(1, (2 * MiB) + 5);
        string path = fixture.WriteFile("t/first", content);
        using (var link = System.Diagnostics.Process.Start("ln", [path, Path.Combine(fixture.UserPath, "t", "second")]))
            await link.WaitForExitAsync();
        ImportResult result = await ImportAsync(fixture, Path.Combine(fixture.UserPath, "t"));
        Assert.AreEqual(2, result.Files);
        Assert.AreEqual(2 * content.Length, result.Bytes);
        File.Delete(path);
        CollectionAssert.AreEqual(content[..MiB], fixture.Serve(Cid.OfRaw(content.AsSpan(0, MiB))));
        Pin pin = fixture.Store.GetShares().Single() with { Path = Path.Combine(fixture.UserPath, "t") };
        (IReadOnlyList<SourceFinding> found, int count) = fixture.Store.FindChangedFiles(pin, 10, CancellationToken.None);
        Assert.AreEqual(1, count);
        Assert.AreEqual(new SourceFinding(path, IsMissing: true), found[0]);
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task Links_are_kept_and_never_lead_out_of_the_tree()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        byte[] secret = TestTree.Random(9, 1000);
        string outside = fixture.WriteFile("outside/secret", secret);
        fixture.WriteFile("t/file", "inside"u8);
        string tree = Path.Combine(fixture.UserPath, "t");
        File.CreateSymbolicLink(Path.Combine(tree, "absolute"), outside);
        File.CreateSymbolicLink(Path.Combine(tree, "dangling"), "no/such");
        Directory.CreateSymbolicLink(Path.Combine(tree, "folder"), "../outside");
        ImportResult result = await ImportAsync(fixture, tree);
        Assert.AreEqual(1, result.Files);
        Assert.IsNull(fixture.Serve(Cid.OfRaw(secret)));
        ContentNode folder = await NodeAsync(fixture, result.Root);
        var targets = new List<string>();
        foreach (P2P.Core.Content.DagPbLink link in folder.Links.Where(link => link.Cid.Codec == Cid.DagPbCodec))
        {
            ContentNode node = await NodeAsync(fixture, link.Cid);
            Assert.IsTrue(node.IsLink);
            targets.Add(System.Text.Encoding.UTF8.GetString(node.Data.Data!));
        }

        CollectionAssert.AreEqual(new[] { outside, "no/such", "../outside" }, targets);

        // a file that a link took the place of after it was listed is refused, not followed
        string swapped = Path.Combine(tree, "absolute");
        Assert.ThrowsExactly<IOException>(() => new ImportFile(swapped, "absolute"u8.ToArray(), fixture.IdentityOf(outside)).Open());
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task What_was_shared_by_the_name_of_a_link_is_looked_at_where_it_lies()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        string file = fixture.WriteFile("real/file", "1"u8);
        string link = Path.Combine(fixture.UserPath, "link");
        Directory.CreateSymbolicLink(link, "real");
        ImportResult result = await ImportAsync(fixture, link);
        Assert.AreEqual(1, result.Files);
        Pin pin = fixture.Store.GetShares().Single() with { Path = link };
        Assert.AreEqual(0, fixture.Store.FindChangedFiles(pin, 10, CancellationToken.None).Count);
        await File.WriteAllTextAsync(file, "22");
        (IReadOnlyList<SourceFinding> found, int count) = fixture.Store.FindChangedFiles(pin, 10, CancellationToken.None);
        Assert.AreEqual(1, count);
        Assert.AreEqual(new SourceFinding(file, IsMissing: false), found[0]);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task Sockets_are_passed_over_and_named_and_a_pipe_alone_is_nothing_to_share()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        fixture.WriteFile("t/file", "1"u8);
        string path = Path.Combine(fixture.UserPath, "t", "socket");
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
        ImportResult result = await ImportAsync(fixture, Path.Combine(fixture.UserPath, "t"));
        CollectionAssert.AreEqual(new[] { path }, result.Skipped.ToArray());
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => ImportAsync(fixture, path));
        StringAssert.Contains(error.Message, "nothing to share");
    }

    [TestMethod]
    public Task A_sparse_file_is_served_from_where_it_lies() => CheckSparseAsync(65L * MiB);

    [TestMethod]
    [SlowTest]
    public Task A_sparse_file_of_more_than_four_GiB_is_served_from_where_it_lies() => CheckSparseAsync((4L << 30) + (3 * MiB));

    [TestMethod]
    public async Task A_file_that_changes_while_it_is_read_fails_the_import_or_is_left_out_and_named()
    {
        foreach (bool goesOn in new[] { false, true })
        {
            await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
            string steady = fixture.WriteFile("t/a", TestTree.Random(1, MiB));
            string growing = fixture.WriteFile("t/b", TestTree.Random(2, 40 * MiB));
            PinId pin = await fixture.PinAsync();
            var importer = new Importer(fixture.Store, fixture.Buffers, new ImportOptions { ContinueOnUnreadable = goesOn, Workers = 1 });
            bool isGrown = false;
            var grow = new Reports(now =>
            {
                if (isGrown || now.Bytes < 4 * MiB)
                    return;
                isGrown = true;
                using FileStream file = new(growing, FileMode.Append);
                file.WriteByte(1);
            });
            Task<ImportResult> import = importer.ImportAsync([Path.Combine(fixture.UserPath, "t")], pin, grow, CancellationToken.None);
            if (!goesOn)
            {
                P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => import);
                Assert.AreEqual(P2PErrorCode.SourceChanged, error.Code);
                StringAssert.Contains(error.Message, growing);
                continue;
            }

            ImportResult result = await import;
            Assert.AreEqual(1, result.Files);
            StringAssert.StartsWith(result.Unreadable.Single(), growing);
            Assert.IsNotNull(fixture.Serve(Cid.OfRaw(await File.ReadAllBytesAsync(steady))));
        }
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task Permissions_and_times_are_kept_when_asked_for_and_leaves_stay_in_place()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        string small = fixture.WriteFile("t/run.sh", "#!/bin/sh"u8);
        string large = fixture.WriteFile("t/film", TestTree.Random(1, 3 * MiB));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(small, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.SetUser);
            File.SetUnixFileMode(Path.Combine(fixture.UserPath, "t"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        File.SetLastWriteTimeUtc(large, new DateTime(1969, 12, 31, 23, 59, 58, 750, DateTimeKind.Utc));
        Directory.SetLastWriteTimeUtc(Path.Combine(fixture.UserPath, "t"), new DateTime(2021, 5, 1, 0, 0, 0, DateTimeKind.Utc));
        ImportResult plain = await ImportAsync(fixture, Path.Combine(fixture.UserPath, "t"));
        ImportResult kept = await ImportAsync(fixture, Path.Combine(fixture.UserPath, "t"), new ImportOptions { PreserveMetadata = true, Workers = 2 });
        ImportResult again = await ImportAsync(fixture, Path.Combine(fixture.UserPath, "t"), new ImportOptions { PreserveMetadata = true, Workers = 2 });
        Assert.AreNotEqual(plain.Root, kept.Root);
        Assert.AreEqual(kept.Root, again.Root);
        Assert.AreEqual(kept.Bytes, again.BytesAlreadyThere);
        Assert.AreEqual(plain.Bytes, kept.Bytes);

        ContentNode folder = await NodeAsync(fixture, kept.Root);
        Assert.AreEqual(0b111_000_000u, folder.Data.Mode);
        Assert.AreEqual(new UnixFsTime(1_619_827_200, null), folder.Data.ModifiedAt);
        ContentNode script = await NodeAsync(fixture, folder.Links.Single(link => link.NameSpan.SequenceEqual("run.sh"u8)).Cid);
        Assert.AreEqual(0b100_101_100_000u, script.Data.Mode);
        Assert.AreEqual(new UnixFsTime(1_577_836_800, null), script.Data.ModifiedAt);
        Assert.AreEqual(Cid.OfRaw("#!/bin/sh"u8), script.File!.Children.Single());
        ContentNode film = await NodeAsync(fixture, folder.Links.Single(link => link.NameSpan.SequenceEqual("film"u8)).Cid);
        Assert.AreEqual(new UnixFsTime(-2, 750_000_000), film.Data.ModifiedAt);
        Assert.AreEqual(3 * MiB, film.File!.Bytes);
        Assert.IsLessThan(10_000, fixture.Store.GetUsage().OwnedBytes, "no content was copied");

        using var copy = new MemoryStream();
        await using (VerifiedStream stream = await new DagReader(new FastCdcTests.StoreSource(fixture.Store)).OpenAsync(kept.Root, "film", CancellationToken.None))
            await stream.CopyToAsync(copy);
        Assert.IsTrue(TestTree.Random(1, 3 * MiB).AsSpan().SequenceEqual(copy.ToArray()));
    }

    [TestMethod]
    public async Task A_sharded_folder_keeps_its_time_in_the_shard_at_its_root()
    {
        using var folder = new TempFolder();
        for (int i = 0; i < 5000; i++)
            await File.WriteAllBytesAsync(folder[$"a file with a long name, so that few suffice, number {i:d6}"], []);
        Directory.SetLastWriteTimeUtc(folder.Path, new DateTime(2021, 5, 1, 0, 0, 0, DateTimeKind.Utc));
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        ImportResult kept = await ImportAsync(fixture, folder.Path, new ImportOptions { PreserveMetadata = true, Workers = 2 });
        ContentNode root = await NodeAsync(fixture, kept.Root);
        Assert.AreEqual(UnixFsType.HamtShard, root.Data.Type);
        Assert.AreEqual(new UnixFsTime(1_619_827_200, null), root.Data.ModifiedAt);
        ContentNode shard = await NodeAsync(fixture, root.Links.First(link => link.NameSpan.Length == 2).Cid);
        Assert.IsNull(shard.Data.ModifiedAt);
    }

    private static async Task CheckSparseAsync(long bytes)
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        string path = Path.Combine(fixture.UserPath, "sparse");
        byte[] tail = TestTree.Random(1, MiB);
        await using (FileStream file = new(path, FileMode.CreateNew))
        {
            file.SetLength(bytes);
            file.Position = bytes - MiB;
            await file.WriteAsync(tail);
        }

        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        ImportResult result = await ImportAsync(fixture, path);
        Assert.AreEqual(bytes, result.Bytes);
        Assert.AreEqual(bytes, (await NodeAsync(fixture, result.Root)).File!.Bytes);
        CollectionAssert.AreEqual(tail, fixture.Serve(Cid.OfRaw(tail)), "what lies behind the hole");
        CollectionAssert.AreEqual(new byte[MiB], fixture.Serve(Cid.OfRaw(new byte[MiB])));
        ImportResult again = await ImportAsync(fixture, path);
        Assert.AreEqual(bytes, again.BytesAlreadyThere);
        Assert.AreEqual(result.Root, again.Root);
    }

    private static async Task<ImportResult> ImportAsync(Store.StoreFixture fixture, string path, ImportOptions? options = null)
    {
        PinId pin = await fixture.PinAsync();
        return await new Importer(fixture.Store, fixture.Buffers, options ?? new ImportOptions { Workers = 2 }).ImportAsync([path], pin, null, CancellationToken.None);
    }

    private static async Task<ContentNode> NodeAsync(Store.StoreFixture fixture, Cid cid)
    {
        using BlockBuffer? block = await fixture.Store.ReadAsync(cid, CancellationToken.None);
        return ContentNode.Decode(in cid, block!.Span);
    }

    private sealed class Reports(Action<ImportProgress> report) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => report(value);
    }
}
