using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Fetching into place over a source that delivers out of order.</summary>
[TestClass]
public sealed class TreeFetcherTests
{
    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(1 << 20)]
    [DataRow((1 << 20) + 1)]
    [DataRow(20_000_000)]
    public async Task A_file_arrives_byte_for_byte(int length)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(1, length);
        TreeFetchResult result = await FetchAsync(blocks, TestTree.AddFile(blocks, content).Cid, folder["f"]);
        Assert.IsTrue((await File.ReadAllBytesAsync(folder["f"])).AsSpan().SequenceEqual(content));
        Assert.AreEqual(length, result.Bytes);
        Assert.AreEqual(0, result.BytesReused);
        Assert.AreEqual(1, result.Files);
        AssertOnly(folder, "f");
        Assert.AreEqual(0, blocks.Buffers.RentedCount, string.Join(", ", blocks.Buffers.DescribeRented()));
    }

    [TestMethod]
    [DataRow("bafkqaaa", "")]
    [DataRow("bafkqablimvwgy3y", "hello")]
    public async Task Content_that_is_in_its_content_id_arrives(string cid, string content)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        await FetchAsync(blocks, Cid.Parse(cid, null), folder["f"]);
        Assert.AreEqual(content, await File.ReadAllTextAsync(folder["f"]));
        AssertOnly(folder, "f");
    }

    [TestMethod]
    public async Task The_old_layout_arrives_too()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(1, 1_500_000);
        await FetchAsync(blocks, TestTree.AddFile(blocks, content, UnixFsProfile.V0_2015).Cid, folder["f"]);
        Assert.IsTrue((await File.ReadAllBytesAsync(folder["f"])).AsSpan().SequenceEqual(content));
    }

    [TestMethod]
    public async Task A_tree_with_odd_names_arrives_and_imports_to_the_same_id()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = ImporterTests.OddTree();
        Cid root = tree.AddTo(blocks);
        TreeFetchResult result = await FetchAsync(blocks, root, folder["t"]);
        tree.AssertIsAt(folder["t"]);
        Assert.AreEqual(tree.Files.Count, result.Files);
        Assert.HasCount(0, result.Renamed);
        ImportResult again = await new Importer(null, blocks.Buffers, new ImportOptions { Workers = 2 }).ImportAsync([folder["t"]], default, null, CancellationToken.None);
        Assert.AreEqual(root, again.Root);
        Assert.AreEqual(again.Blocks, result.Blocks);
        AssertOnly(folder, "t");
    }

    [TestMethod]
    public async Task Thousands_of_small_files_arrive()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        var tree = new TestTree();
        for (int i = 0; i < 3000; i++)
            tree.File($"folder {i % 10}/a file with a rather long name, number {i:d6}", TestTree.Random(i, 2000));
        Cid root = tree.AddTo(blocks);
        await FetchAsync(blocks, root, folder["t"]);
        tree.AssertIsAt(folder["t"]);
    }

    [TestMethod]
    public async Task A_part_of_the_content_is_fetched_by_its_path()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = new TestTree().File("a/b/c", "deep").File("x", new byte[5_000_000]).AddTo(blocks);
        var fetcher = NewFetcher(blocks, new TreeFetchOptions { Workers = 2 });
        await fetcher.FetchAsync(root, "a/b/c", folder["c"], default, CancellationToken.None);
        Assert.AreEqual("deep", await File.ReadAllTextAsync(folder["c"]));
        Assert.IsLessThan(10_000, blocks.BytesServed);
    }

    [TestMethod]
    public async Task A_block_that_occurs_many_times_crosses_once_or_little_more()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        byte[] content = new byte[300 << 20];
        Cid root = TestTree.AddFile(blocks, content).Cid;
        TreeFetchResult result = await FetchAsync(blocks, root, folder["f"]);
        Assert.AreEqual(content.Length, new FileInfo(folder["f"]).Length);
        Assert.AreEqual(content.Length, result.Bytes);
        Assert.IsLessThan(200L << 20, blocks.BytesServed); // a source joins requests for one block that are on their way; this one does not
        Assert.AreEqual(root, (await new Importer(null, blocks.Buffers, new ImportOptions()).ImportAsync([folder["f"]], default, null, CancellationToken.None)).Root);
    }

    [TestMethod]
    public async Task An_aborted_fetch_goes_on_with_what_is_there_whenever_it_was_aborted()
    {
        // goal: at random moments, many times, nothing verified is lost and nothing wrong is kept
        const int Seed = 20_260_722;
        var random = new Random(Seed);
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks(Seed);
        var tree = new TestTree().File("big", TestTree.Random(1, 30 << 20)).Link("l", "big");
        for (int i = 0; i < 300; i++)
            tree.File($"small/{i}", TestTree.Random(i, random.Next(20_000)));
        Cid root = tree.AddTo(blocks);
        long total = tree.Files.Values.Sum(content => (long)content.Length);
        int aborted = 0;
        for (int round = 0; ; round++)
        {
            using var stop = new CancellationTokenSource();
            int deliveries = random.Next(20, 120);
            blocks.OnDeliver = _ =>
            {
                if (Interlocked.Decrement(ref deliveries) == 0)
                    stop.Cancel();
            };
            var fetcher = NewFetcher(blocks, new TreeFetchOptions { Workers = 2 });
            try
            {
                TreeFetchResult result = await fetcher.FetchAsync(root, null, folder["t"], default, stop.Token);
                Assert.IsGreaterThan(0L, result.BytesReused);
                break;
            }
            catch (OperationCanceledException)
            {
                aborted++;
                Assert.IsFalse(Directory.Exists(folder["t"]), "nothing stands under the final name");
                if (round == 1)
                    Damage(TreeFetcher.PartPathOf(root, folder["t"]));
            }
        }

        Assert.IsGreaterThan(2, aborted);
        tree.AssertIsAt(folder["t"]);
        AssertOnly(folder, "t");
        long most = total + ((long)aborted * (16 << 20)) + (4 << 20);
        Assert.IsLessThan(most, blocks.BytesServed, $"{aborted} aborts, {total} bytes, seed {Seed}");
    }

    [TestMethod]
    public async Task A_target_with_the_same_content_is_left_alone_and_nobody_is_asked()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(1, 3_000_000);
        Cid file = TestTree.AddFile(blocks, content).Cid;
        await File.WriteAllBytesAsync(folder["f"], content);
        TreeFetchResult result = await FetchAsync(blocks, file, folder["f"]);
        Assert.IsTrue(result.AlreadyThere);
        Assert.AreEqual(0, blocks.BytesServed);

        TestTree tree = ImporterTests.OddTree();
        tree.WriteTo(folder["t"]);
        await File.WriteAllTextAsync(folder["t/mine"], "stays");
        Cid root = tree.AddTo(blocks);
        result = await FetchAsync(blocks, root, folder["t"]);
        Assert.IsTrue(result.AlreadyThere);
        Assert.IsTrue(File.Exists(folder["t/mine"]));
    }

    [TestMethod]
    public async Task Other_content_at_the_target_is_an_error_before_any_data_is_fetched()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        string longName = new('n', 100); // ten of them are long
        var tree = new TestTree();
        for (int i = 0; i < 15; i++)
            tree.File($"f{i:d2}{longName}", TestTree.Random(i, 100_000));
        Cid root = tree.AddTo(blocks);
        tree.WriteTo(folder["t"]);
        for (int i = 1; i < 15; i++)
            await File.WriteAllTextAsync(folder[$"t/f{i:d2}{longName}"], "other");
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, folder["t"]));
        Assert.AreEqual(P2PErrorCode.Exists, error.Code);
        Assert.Contains("f01", error.Message);
        Assert.Contains("f10", error.Message);
        Assert.DoesNotContain("f11", error.Message);
        Assert.Contains("4 more", error.Message);
        Assert.IsLessThan(50_000, blocks.BytesServed);
        Assert.AreEqual("other", await File.ReadAllTextAsync(folder["t/f01" + longName]));
        AssertOnly(folder, "t");
    }

    [TestMethod]
    public async Task Overwriting_replaces_what_differs_and_deletes_nothing()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = new TestTree().File("a/same", TestTree.Random(1, 2_000_000)).File("a/other", "new").File("b/missing", "m").Link("l", "a");
        Cid root = tree.AddTo(blocks);
        new TestTree().File("a/same", TestTree.Random(1, 2_000_000)).File("a/other", "old").WriteTo(folder["t"]);
        TreeFetchResult result = await FetchAsync(blocks, root, folder["t"], new TreeFetchOptions { IfExists = IfExists.Overwrite, Workers = 2 });
        tree.AssertIsAt(folder["t"]);
        Assert.AreEqual(2_000_000, result.BytesReused);
        Assert.IsLessThan(100_000, blocks.BytesServed);
        AssertOnly(folder, "t");

        await File.WriteAllTextAsync(folder["f"], "old");
        await FetchAsync(blocks, TestTree.AddFile(blocks, [1, 2, 3]).Cid, folder["f"], new TreeFetchOptions { IfExists = IfExists.Overwrite });
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, await File.ReadAllBytesAsync(folder["f"]));
    }

    [TestMethod]
    public async Task Missing_files_are_added_to_an_existing_folder()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = new TestTree().File("a", "1").File("sub/b", "2");
        Cid root = tree.AddTo(blocks);
        new TestTree().File("a", "1").WriteTo(folder["t"]);
        await FetchAsync(blocks, root, folder["t"]);
        tree.AssertIsAt(folder["t"]);
    }

    [TestMethod]
    public async Task Renaming_writes_beside()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid file = TestTree.AddFile(blocks, [1, 2, 3]).Cid;
        await File.WriteAllTextAsync(folder["f.txt"], "old");
        await File.WriteAllTextAsync(folder["f (1).txt"], "old");
        TreeFetchResult result = await FetchAsync(blocks, file, folder["f.txt"], new TreeFetchOptions { IfExists = IfExists.Rename });
        Assert.AreEqual(folder["f (2).txt"], result.Path);
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, await File.ReadAllBytesAsync(folder["f (2).txt"]));
        Assert.AreEqual("old", await File.ReadAllTextAsync(folder["f.txt"]));
    }

    [TestMethod]
    public async Task Renaming_a_folder_copies_what_is_equal_and_fetches_the_rest()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = new TestTree().File("a/same", TestTree.Random(1, 3_500_000)).File("a/small", "same too").File("a/other", "new").File("missing", "m").Link("l", "a");
        Cid root = tree.AddTo(blocks);
        TestTree there = new TestTree().File("a/same", TestTree.Random(1, 3_500_000)).File("a/small", "same too").File("a/other", "old");
        there.WriteTo(folder["t"]);
        TreeFetchResult result = await FetchAsync(blocks, root, folder["t"], new TreeFetchOptions { IfExists = IfExists.Rename, Workers = 2 });
        Assert.AreEqual(folder["t (1)"], result.Path);
        tree.AssertIsAt(folder["t (1)"]);
        there.AssertIsAt(folder["t"]);
        Assert.AreEqual(3_500_008, result.BytesReused);
        Assert.IsLessThan(100_000L, blocks.BytesServed);
        AssertOnly(folder, "t", "t (1)");
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public async Task Renaming_writes_beside_what_is_of_another_kind(bool isFolderThere)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        if (isFolderThere)
            Directory.CreateDirectory(folder["t.x"]);
        else
            await File.WriteAllTextAsync(folder["t.x"], "old");
        Cid root = isFolderThere ? TestTree.AddFile(blocks, [1]).Cid : new TestTree().File("a", "b").AddTo(blocks);
        TreeFetchResult result = await FetchAsync(blocks, root, folder["t.x"], new TreeFetchOptions { IfExists = IfExists.Rename, Workers = 2 });
        Assert.AreEqual(folder["t (1).x"], result.Path);
        Assert.AreEqual(isFolderThere, File.Exists(folder["t (1).x"]));
        AssertOnly(folder, "t (1).x", "t.x");
    }

    [TestMethod]
    public async Task A_folder_is_never_replaced_by_a_file_nor_a_file_by_a_folder()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Directory.CreateDirectory(folder["d"]);
        await File.WriteAllTextAsync(folder["f"], "old");
        foreach (IfExists mode in new[] { IfExists.Fail, IfExists.Overwrite })
        {
            var options = new TreeFetchOptions { IfExists = mode };
            Assert.AreEqual(P2PErrorCode.Exists, (await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, TestTree.AddFile(blocks, [1]).Cid, folder["d"], options))).Code);
            Assert.AreEqual(P2PErrorCode.Exists, (await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, new TestTree().File("a", "b").AddTo(blocks), folder["f"], options))).Code);
        }
    }

    [TestMethod]
    public async Task A_second_fetch_of_the_same_target_is_told_who_has_it()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = TestTree.AddFile(blocks, TestTree.Random(1, 3_000_000)).Cid;
        P2PException? error = null;
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec && error is null)
                error = Assert.ThrowsExactly<P2PException>(() => TargetLock.Take(folder["f"]).Dispose());
        };
        await FetchAsync(blocks, root, folder["f"]);
        Assert.AreEqual(P2PErrorCode.InUse, error?.Code);
        if (OperatingSystem.IsLinux())
            Assert.Contains(Environment.ProcessId.ToString(), error!.Message);
        TargetLock.Take(folder["f"]).Dispose();
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task A_planted_part_is_not_followed()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = TestTree.AddFile(blocks, TestTree.Random(1, 3_000_000)).Cid;
        string part = TreeFetcher.PartPathOf(root, folder["f"]);
        await File.WriteAllTextAsync(folder["victim"], "precious");

        File.CreateSymbolicLink(part, folder["victim"]);
        Assert.AreEqual(P2PErrorCode.Permission, (await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, folder["f"]))).Code);
        File.Delete(part);
        using (System.Diagnostics.Process link = System.Diagnostics.Process.Start("ln", [folder["victim"], part]))
            await link.WaitForExitAsync();
        Assert.AreEqual(P2PErrorCode.Permission, (await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, folder["f"]))).Code);
        Assert.AreEqual("precious", await File.ReadAllTextAsync(folder["victim"]));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task Links_planted_inside_the_part_are_not_followed()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = new TestTree().File("sub/a", "content").File("b", "content b").File("c", TestTree.Random(1, 2_000_000));
        Cid root = tree.AddTo(blocks);
        string part = TreeFetcher.PartPathOf(root, folder["t"]);
        Directory.CreateDirectory(folder["outside"]);
        await File.WriteAllTextAsync(folder["victim"], "precious");
        Directory.CreateDirectory(part);
        File.CreateSymbolicLink(Path.Combine(part, "sub"), folder["outside"]);
        File.CreateSymbolicLink(Path.Combine(part, "b"), folder["victim"]);
        await FetchAsync(blocks, root, folder["t"]);
        tree.AssertIsAt(folder["t"]);
        Assert.AreEqual("precious", await File.ReadAllTextAsync(folder["victim"]));
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder["outside"]));
    }

    [TestMethod]
    public async Task Content_larger_than_the_disk_is_refused_before_anything_is_written()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = Huge(blocks, blocks.AddRaw(new byte[1 << 20]), levels: 3);
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, folder["f"]));
        Assert.AreEqual(P2PErrorCode.NoSpace, error.Code);
        AssertOnly(folder);
    }

    [TestMethod]
    [SmallDisk]
    public async Task A_folder_that_is_larger_than_the_disk_is_refused_before_the_first_file_comes()
    {
        using SmallDisk disk = SmallDisk.TryMount(20)!;
        await using var blocks = new MemoryBlocks();
        var tree = new TestTree();
        for (int i = 0; i < 25; i++)
            tree.File($"f{i:d2}", TestTree.Random(i, 1 << 20));
        Cid root = tree.AddTo(blocks);
        int data = 0;
        blocks.OnDeliver = cid => data += cid.Codec == Cid.RawCodec ? 1 : 0;
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, Path.Combine(disk.Path, "t")));
        Assert.AreEqual(P2PErrorCode.NoSpace, error.Code);
        Assert.AreEqual(0, data);

        // of what is there already only the rest has to fit
        for (int i = 0; i < 15; i++)
        {
            Directory.CreateDirectory(Path.Combine(disk.Path, "t"));
            await File.WriteAllBytesAsync(Path.Combine(disk.Path, "t", $"f{i:d2}"), TestTree.Random(i, 1 << 20));
        }

        await FetchAsync(blocks, root, Path.Combine(disk.Path, "t"), new TreeFetchOptions { Workers = 2, Select = ["f0*", "f10", "f11", "f12", "f13", "f14", "f15", "f16"] });
        Assert.HasCount(17, Directory.GetFiles(Path.Combine(disk.Path, "t")));
    }

    [TestMethod]
    [SmallDisk]
    public async Task A_disk_that_fills_up_is_said_and_the_fetch_goes_on_when_there_is_room()
    {
        using SmallDisk disk = SmallDisk.TryMount(20)!;
        await using var blocks = new MemoryBlocks();
        var tree = new TestTree();
        for (int i = 0; i < 12; i++)
            tree.File($"f{i}", TestTree.Random(i, 1_400_000));
        Cid root = tree.AddTo(blocks);
        string target = Path.Combine(disk.Path, "t"), filler = Path.Combine(disk.Path, "filler");
        int left = 4;
        blocks.OnDeliver = _ =>
        {
            if (Interlocked.Decrement(ref left) == 0)
                File.WriteAllBytes(filler, new byte[8 << 20]); // somebody else needs room too
        };
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, target));
        Assert.AreEqual(P2PErrorCode.NoSpace, error.Code, error.ToString());
        Assert.IsFalse(Directory.Exists(target));
        blocks.OnDeliver = null;
        File.Delete(filler);
        TreeFetchResult result = await FetchAsync(blocks, root, target);
        Assert.IsGreaterThan(0L, result.BytesReused);
        tree.AssertIsAt(target);
    }

    [TestMethod]
    public async Task A_missing_parent_is_said()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, TestTree.AddFile(blocks, [1]).Cid, folder["no/such/f"]));
        Assert.AreEqual(P2PErrorCode.NotFound, error.Code);
    }

    [TestMethod]
    public async Task A_source_that_gives_up_ends_the_fetch_with_its_reason_and_keeps_what_came()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(1, 10 << 20);
        Cid root = TestTree.AddFile(blocks, content).Cid;
        int left = 5;
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec && Interlocked.Decrement(ref left) < 0)
                throw new P2PException(P2PErrorCode.Unreachable, "gone");
        };
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, folder["f"]));
        Assert.AreEqual(P2PErrorCode.Unreachable, error.Code);
        Assert.IsFalse(File.Exists(folder["f"]));
        blocks.OnDeliver = null;
        TreeFetchResult result = await FetchAsync(blocks, root, folder["f"]);
        Assert.IsGreaterThan(0L, result.BytesReused);
        Assert.IsTrue((await File.ReadAllBytesAsync(folder["f"])).AsSpan().SequenceEqual(content));
    }

    [TestMethod]
    public async Task Two_targets_beside_each_other_never_gather_the_same_content_in_one_part()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(1, 3_000_000);
        Cid root = TestTree.AddFile(blocks, content).Cid;
        P2PException? error = null;
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec && error is null)
                error = Assert.ThrowsExactly<P2PException>(() => TargetLock.Take(TreeFetcher.PartPathOf(root, folder["g"])).Dispose());
        };
        await FetchAsync(blocks, root, folder["f"]);
        Assert.AreEqual(P2PErrorCode.InUse, error?.Code);
        await FetchAsync(blocks, root, folder["g"]);
        AssertOnly(folder, "f", "g");
    }

    [TestMethod]
    public async Task The_lock_that_a_fetch_killed_behind_its_rename_left_is_removed()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = TestTree.AddFile(blocks, TestTree.Random(1, 3_000_000)).Cid;
        await FetchAsync(blocks, root, folder["f"]);
        string part = TreeFetcher.PartPathOf(root, folder["f"]), left;
        using (TargetLock.Take(part))
        {
            left = Directory.GetFiles(folder[""], ".p2p-*.lock").Single();
            await FetchAsync(blocks, root, folder["f"]);
            Assert.IsTrue(File.Exists(left), "it is held");
        }

        await File.WriteAllTextAsync(left, "4711");
        await FetchAsync(blocks, root, folder["f"]);
        AssertOnly(folder, "f");
    }

    [TestMethod]
    public async Task A_part_that_is_taken_away_is_never_delivered_as_an_empty_file()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks(workers: 1);
        Cid root = TestTree.AddFile(blocks, TestTree.Random(1, 3_000_000)).Cid;
        await File.WriteAllTextAsync(folder["f"], "what was there");
        int leaves = 0;
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec && ++leaves == 3)
                File.Delete(TreeFetcher.PartPathOf(root, folder["f"]));
        };
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(blocks, root, folder["f"], new TreeFetchOptions { IfExists = IfExists.Overwrite }));
        Assert.AreEqual(P2PErrorCode.Permission, error.Code);
        Assert.AreEqual("what was there", await File.ReadAllTextAsync(folder["f"]));
    }

    [TestMethod]
    public async Task Progress_ends_at_the_total()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = new TestTree().File("a", new byte[2_000_000]).File("b", "x").AddTo(blocks);
        TreeFetcher fetcher = NewFetcher(blocks, new TreeFetchOptions { Workers = 2 });
        Assert.IsNull(fetcher.Progress.TotalBytes);
        await fetcher.FetchAsync(root, null, folder["t"], default, CancellationToken.None);
        Assert.AreEqual(2_000_001, fetcher.Progress.VerifiedBytes);
        Assert.AreEqual(2_000_001L, fetcher.Progress.TotalBytes);
        Assert.AreEqual(2, fetcher.Progress.Files);
    }

    [TestMethod]
    public async Task The_total_of_a_single_block_is_unknown_until_it_came()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TreeFetcher fetcher = NewFetcher(blocks, new TreeFetchOptions { Workers = 2 });
        long? total = 0;
        blocks.OnDeliver = _ => total = fetcher.Progress.TotalBytes;
        await fetcher.FetchAsync(blocks.AddRaw(new byte[1000]), null, folder["f"], default, CancellationToken.None);
        Assert.IsNull(total);
        Assert.AreEqual(1000L, fetcher.Progress.TotalBytes);
    }

    internal static TreeFetcher NewFetcher(MemoryBlocks blocks, TreeFetchOptions options) => new(blocks, null, blocks.Buffers, options, NullLogger.Instance);

    internal static Task<TreeFetchResult> FetchAsync(MemoryBlocks blocks, Cid root, string target, TreeFetchOptions? options = null) =>
        NewFetcher(blocks, options ?? new TreeFetchOptions { Workers = 2 }).FetchAsync(root, null, target, default, CancellationToken.None);

    internal static Cid Huge(MemoryBlocks blocks, Cid leaf, int levels)
    {
        Cid child = leaf;
        ulong bytes = 1 << 20;
        for (int level = 0; level < levels; level++)
        {
            var data = new UnixFsData(UnixFsType.File) { FileBytes = bytes * 1024, BlockBytes = [.. Enumerable.Repeat(bytes, 1024)] };
            child = blocks.AddNode(DagPbCodec.Encode([.. Enumerable.Repeat(new DagPbLink(child, [], bytes), 1024)], data.Encode()));
            bytes *= 1024;
            if (bytes > 1UL << 52)
                break;
        }

        return child;
    }

    internal static void AssertOnly(TempFolder folder, params string[] names) =>
        CollectionAssert.AreEqual(names, Directory.GetFileSystemEntries(folder.Path).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal).ToArray());

    private static void Damage(string part)
    {
        string big = Path.Combine(part, "big");
        if (!File.Exists(big))
            return;
        using FileStream stream = File.Open(big, FileMode.Open);
        stream.Write(TestTree.Random(9, 100_000));
    }
}
