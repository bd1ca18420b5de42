using P2P.Core.Content;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Content;

/// <summary>Content that lies: it ends with an integrity error, at no great cost, and nothing is written outside or under the final name.</summary>
[TestClass]
public sealed class HostileContentTests
{
    [TestMethod]
    public async Task Wrong_sizes_are_found()
    {
        await using var blocks = new MemoryBlocks();
        Cid leaf = blocks.AddRaw(new byte[1000]);
        Cid File(ulong? total, ulong[] sizes, params Cid[] children) =>
            blocks.AddNode(DagPbCodec.Encode([.. children.Select(child => new DagPbLink(child, [], 1000))], new UnixFsData(UnixFsType.File) { FileBytes = total, BlockBytes = sizes }.Encode()));

        Cid honest = File(1000, [1000], leaf);
        foreach (Cid root in new[]
        {
            File(1001, [1000], leaf), // the sum is not the whole
            File(999, [999], leaf), // the leaf is longer
            File(1001, [1001], leaf), // the leaf is shorter
            File(2000, [1000], leaf, leaf), // a child without a size
            File(2000, [1000, 1000], leaf), // a size without a child
            File(1001, [1001], honest), // an inner node is smaller
            File(ulong.MaxValue, [ulong.MaxValue], leaf),
            File(998, [ulong.MaxValue, 999], leaf, leaf), // overflows
            File(3 << 20, [3 << 20], leaf), // a leaf larger than any block
            File(1000, [1000], new TestTree().File("a", "b").AddTo(blocks)), // a folder in a file
        })
            await AssertRefusedAsync(blocks, root);
    }

    [TestMethod]
    public async Task A_file_of_one_block_is_no_longer_than_its_folder_claims()
    {
        await using var blocks = new MemoryBlocks();
        Cid leaf = blocks.AddRaw(new byte[100_000]);
        Cid Claiming(ulong? bytes) => blocks.AddNode(DagPbCodec.Encode([new DagPbLink(leaf, "a"u8.ToArray(), bytes)], new UnixFsData(UnixFsType.Directory).Encode()));
        await AssertRefusedAsync(blocks, Claiming(99_999));
        foreach (ulong? honest in new ulong?[] { 100_000, 200_000, 0, null })
        {
            using var folder = new TempFolder();
            Assert.AreEqual(100_000, (await TreeFetcherTests.FetchAsync(blocks, Claiming(honest), folder["t"])).Bytes);
        }
    }

    [TestMethod]
    [SmallDisk]
    public async Task Files_without_any_claim_cost_no_more_than_there_is_room()
    {
        // 30 files of 1 MiB that are claimed to have nothing, on a disk of 20 MiB
        using SmallDisk disk = SmallDisk.TryMount(20)!;
        await using var blocks = new MemoryBlocks();
        Cid root = blocks.AddNode(DagPbCodec.Encode(
            [.. Enumerable.Range(0, 30).Select(i => new DagPbLink(blocks.AddRaw(TestTree.Random(i, 1 << 20)), System.Text.Encoding.UTF8.GetBytes($"f{i:d2}"), 0))],
            new UnixFsData(UnixFsType.Directory).Encode()));
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => TreeFetcherTests.FetchAsync(blocks, root, Path.Combine(disk.Path, "t")));
        Assert.AreEqual(P2PErrorCode.NoSpace, error.Code);
        Assert.Contains("bytes free", error.Message, "said before the disk was full");
    }

    [TestMethod]
    [DataRow("..")]
    [DataRow("../up")]
    [DataRow("/etc/x")]
    [DataRow(".")]
    [DataRow("")]
    [DataRow("a\0b")]
    public async Task Names_that_lead_out_are_refused(string name)
    {
        await using var blocks = new MemoryBlocks();
        Cid leaf = blocks.AddRaw([1]);
        Cid root = Folder(blocks, (name, leaf));
        await AssertRefusedAsync(blocks, root);
        await AssertRefusedAsync(blocks, Folder(blocks, ("ok", root)));
        await Assert.ThrowsExactlyAsync<P2PException>(() => ListAsync(blocks, root));
    }

    [TestMethod]
    [P2P.Tests.Shared.Vectors]
    [DataRow("inside-root.car")]
    [DataRow("outside-root.car")]
    public async Task The_fixtures_whose_names_climb_are_refused_and_leave_nothing(string car)
    {
        string path = P2P.Tests.Shared.Vectors.Path("gateway-conformance", "fixtures", "path_gateway_tar", car);
        await using var blocks = new MemoryBlocks();
        Cid root = (await CarFixture.LoadAsync(path, blocks))[0];
        foreach (TargetSystem system in Enum.GetValues<TargetSystem>())
        {
            using var folder = new TempFolder();
            Directory.CreateDirectory(folder["in"]);
            P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() =>
                TreeFetcherTests.FetchAsync(blocks, root, folder["in/t"], new TreeFetchOptions { System = system, Workers = 2 }));
            Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
            TreeFetcherTests.AssertOnly(folder, "in");
            Assert.IsFalse(Path.Exists(folder["in/t"]));
            Assert.IsEmpty(Directory.GetFiles(folder["in"], "*", SearchOption.AllDirectories).Where(file => !file.Contains(".part", StringComparison.Ordinal)));
        }
    }

    [TestMethod]
    [DataRow("C:\\evil")]
    [DataRow("..\\..\\evil")]
    [DataRow("\\\\server\\share")]
    [DataRow("evil:stream")]
    [DataRow("CON")]
    public async Task Names_that_lead_out_on_Windows_become_harmless_there(string name)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, Folder(blocks, (name, blocks.AddRaw([1]))), folder["t"], new TreeFetchOptions { System = TargetSystem.Windows });
        string file = Path.GetFileName(Directory.GetFileSystemEntries(folder["t"]).Single());
        Assert.IsFalse(file.AsSpan().ContainsAny("\\/:") || file == "CON", file);
        CollectionAssert.AreEqual(new[] { new RenamedEntry(name, file) }, result.Renamed.ToArray());
    }

    [TestMethod]
    public async Task Links_that_lead_out_are_left_out_and_reported()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        await File.WriteAllTextAsync(folder["victim"], "precious");
        TestTree tree = new TestTree().File("a", "1").File("sub/b", "2").Link("up", "../victim").Link("abs", folder["victim"]).Link("sub/good", "../a").Link("dir", "sub").Link("through", "dir/b");
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, tree.AddTo(blocks), folder["t"]);
        CollectionAssert.AreEquivalent(new[] { "up", "abs", "through" }, result.Renamed.Select(entry => entry.From).ToArray());
        Assert.AreEqual("../a", new FileInfo(folder["t/sub/good"]).LinkTarget);
        Assert.IsFalse(Path.Exists(folder["t/up"]));
    }

    [TestMethod]
    public async Task A_file_cannot_be_written_through_a_link_of_the_same_tree()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Directory.CreateDirectory(folder["outside"]);
        byte[] link = DagPbCodec.Encode([], new UnixFsData(UnixFsType.Symlink) { Data = System.Text.Encoding.UTF8.GetBytes(folder["outside"]) }.Encode());
        Cid root = Folder(blocks, ("x", blocks.AddNode(link)), ("x", Folder(blocks, ("planted", blocks.AddRaw([1])))));
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder["outside"]));
    }

    [TestMethod]
    public async Task Of_two_entries_with_one_name_the_first_counts()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = Folder(blocks, ("a", blocks.AddRaw([1])), ("a", blocks.AddRaw([2])), ("a", Folder(blocks, ("b", blocks.AddRaw([3])))));
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        CollectionAssert.AreEqual(new byte[] { 1 }, await File.ReadAllBytesAsync(folder["t/a"]));
    }

    [TestMethod]
    public async Task Names_that_a_system_folds_together_are_both_kept()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = new TestTree().File("README", "1").File("readme", "2").File("con", "3").File("a:b", "4").AddTo(blocks);
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["t"], new TreeFetchOptions { System = TargetSystem.Windows });
        CollectionAssert.AreEqual(
            new[] { "README", "_con", "a_b", "readme (1)" }, Directory.GetFiles(folder["t"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal).ToArray());
        CollectionAssert.AreEquivalent(new[] { new RenamedEntry("readme", "readme (1)"), new RenamedEntry("con", "_con"), new RenamedEntry("a:b", "a_b") }, result.Renamed.ToArray());
    }

    [TestMethod]
    public async Task A_file_that_fans_out_at_every_level_costs_bounded_memory()
    {
        // 1,024 ways at each of 5 levels, all to the same few blocks: a pebibyte is claimed
        await using var blocks = new MemoryBlocks();
        Cid root = TreeFetcherTests.Huge(blocks, blocks.AddRaw(new byte[1 << 20]), levels: 3);
        long before = GC.GetTotalAllocatedBytes();
        await using (VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None))
        {
            stream.Position = stream.Length / 2;
            await stream.ReadExactlyAsync(new byte[100]);
        }

        Assert.IsLessThan(200L << 20, GC.GetTotalAllocatedBytes() - before);
        using var folder = new TempFolder();
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => TreeFetcherTests.FetchAsync(blocks, root, folder["f"]));
        Assert.AreEqual(P2PErrorCode.NoSpace, error.Code);
        Assert.IsLessThan(100, blocks.NodesServed);
    }

    [TestMethod]
    public async Task A_tree_of_nothing_that_fans_out_at_every_level_is_not_walked()
    {
        await using var blocks = new MemoryBlocks();
        Cid child = blocks.AddRaw([]);
        for (int level = 0; level < 20; level++)
        {
            var data = new UnixFsData(UnixFsType.File) { FileBytes = 0, BlockBytes = new ulong[1024] };
            child = blocks.AddNode(DagPbCodec.Encode([.. Enumerable.Repeat(new DagPbLink(child, [], 0), 1024)], data.Encode()));
        }

        using var folder = new TempFolder();
        await TreeFetcherTests.FetchAsync(blocks, child, folder["f"]);
        Assert.AreEqual(0, new FileInfo(folder["f"]).Length);
        Assert.IsLessThan(5, blocks.NodesServed);
    }

    [TestMethod]
    public async Task Folders_that_fan_out_at_every_level_end_at_the_limit()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid child = blocks.AddRaw([]);
        for (int level = 0; level < 12; level++)
            child = Folder(blocks, [.. Enumerable.Range(0, 1024).Select(i => ($"{i:x}", child))]);
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => TreeFetcherTests.FetchAsync(blocks, child, folder["t"], new TreeFetchOptions { MaxEntries = 3000 }));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
        Assert.IsFalse(Directory.Exists(folder["t"]));
    }

    [TestMethod]
    public async Task A_file_that_is_nested_too_deep_is_refused()
    {
        await using var blocks = new MemoryBlocks();
        Cid child = blocks.AddRaw([1]);
        for (int level = 0; level < 40; level++)
            child = blocks.AddNode(DagPbCodec.Encode([new DagPbLink(child, [], 1)], new UnixFsData(UnixFsType.File) { FileBytes = 1, BlockBytes = [1] }.Encode()));
        await AssertRefusedAsync(blocks, child);
    }

    [TestMethod]
    public async Task Folders_that_are_nested_too_deep_are_refused()
    {
        await using var blocks = new MemoryBlocks();
        Cid child = blocks.AddRaw([1]);
        for (int level = 0; level < TreeWalk.MaxDepth + 1; level++)
            child = Folder(blocks, ("a", child));
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => ListAsync(blocks, child));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
    }

    [TestMethod]
    public async Task Names_that_fill_their_blocks_cost_bounded_memory()
    {
        // 100 folders inside each other, the name of each fills a block of 1 MiB: 5 GB of paths
        await using var blocks = new MemoryBlocks();
        Cid child = blocks.AddRaw([1]);
        for (int level = 0; level < 100; level++)
            child = Folder(blocks, (new string((char)('a' + (level % 26)), 1 << 20), child));
        long before = GC.GetTotalAllocatedBytes();
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => ListAsync(blocks, child));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code);

        // on disk such names are cut, and what is told of it is bounded too
        using var folder = new TempFolder();
        Cid wide = Folder(blocks, [.. Enumerable.Range(0, 50).Select(i => ($"{i}", Folder(blocks, (new string('n', 1 << 20), blocks.AddRaw([1])))))]);
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, wide, folder["t"]);
        Assert.IsLessThan(10 << 20, result.Renamed.Sum(entry => entry.From.Length + entry.To.Length));
        Assert.HasCount(50, Directory.GetFiles(folder["t"], "*", SearchOption.AllDirectories));
        Assert.IsLessThan(3L << 30, GC.GetTotalAllocatedBytes() - before);
    }

    [TestMethod]
    public async Task Links_with_endless_targets_are_left_out()
    {
        await using var blocks = new MemoryBlocks();
        using var folder = new TempFolder();
        Cid link = blocks.AddNode(DagPbCodec.Encode([], new UnixFsData(UnixFsType.Symlink) { Data = [.. Enumerable.Repeat((byte)'x', 1 << 20)] }.Encode()));
        Cid root = Folder(blocks, [("f", blocks.AddRaw([1])), .. Enumerable.Range(0, 20).Select(i => ($"l{i:d2}", link))]);
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        Assert.HasCount(20, result.Renamed);
        Assert.HasCount(1, Directory.GetFileSystemEntries(folder["t"]));
    }

    [TestMethod]
    public async Task A_link_through_one_that_stands_there_already_is_left_out()
    {
        // "here" leads to the folder itself, so "here/.." leads out of it, whoever made "here"
        await using var blocks = new MemoryBlocks();
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["t"]);
        File.CreateSymbolicLink(folder["t/here"], ".");
        Cid root = new TestTree().File("a", "1").Link("here", ".").Link("out", "here/..").AddTo(blocks);
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        CollectionAssert.AreEqual(new[] { new RenamedEntry("out", "") }, result.Renamed.ToArray());
        Assert.IsFalse(Path.Exists(folder["t/out"]));
    }

    [TestMethod]
    public async Task Shards_that_lie_are_refused()
    {
        await using var blocks = new MemoryBlocks();
        Cid leaf = blocks.AddRaw([1]);
        Cid Shard(ulong fanout, ulong hash, params (string Name, Cid Cid)[] links) => blocks.AddNode(DagPbCodec.Encode(
            [.. links.Select(link => new DagPbLink(link.Cid, System.Text.Encoding.UTF8.GetBytes(link.Name), 1))],
            new UnixFsData(UnixFsType.HamtShard) { Data = [1], HashType = hash, Fanout = fanout }.Encode()));

        const ulong Murmur = Multihash.Murmur3X64_64;
        foreach (Cid root in new[]
        {
            Shard(255, Murmur, ("00a", leaf)), Shard(2048, Murmur, ("000a", leaf)), Shard(256, 0x12, ("00a", leaf)), Shard(0, Murmur, ("00a", leaf)),
            Shard(256, Murmur, ("0", leaf)), Shard(256, Murmur, ("0aname", leaf)), Shard(256, Murmur, ("XXname", leaf)),
            Shard(256, Murmur, ("00", leaf)), Shard(256, Murmur, ("00", Folder(blocks, ("x", leaf)))), Shard(16, Murmur, ("g0x", leaf)),
        })
            await AssertRefusedAsync(blocks, root);

        Cid deep = Shard(256, Murmur, ("00a", leaf));
        for (int level = 0; level < 9; level++)
            deep = Shard(256, Murmur, ("00", deep));
        await AssertRefusedAsync(blocks, deep);
    }

    [TestMethod]
    public async Task What_is_no_content_is_refused()
    {
        await using var blocks = new MemoryBlocks();
        await AssertRefusedAsync(blocks, blocks.AddNode([]));
        await AssertRefusedAsync(blocks, blocks.AddNode([0xff]));
        await AssertRefusedAsync(blocks, blocks.AddNode(DagPbCodec.Encode([], [0x08, 0x03])));
        await AssertRefusedAsync(blocks, Cid.Parse("bafyreigmitjgwhpx2vgrzp7knbqdu2ju5ytyibfybll7tfb7eqjqujtd3y")); // dag-cbor: nobody is even asked
    }

    internal static Cid Folder(MemoryBlocks blocks, params (string Name, Cid Cid)[] entries) => blocks.AddNode(DagPbCodec.Encode(
        [.. entries.Select(entry => new DagPbLink(entry.Cid, System.Text.Encoding.UTF8.GetBytes(entry.Name), 1))], new UnixFsData(UnixFsType.Directory).Encode()));

    private static async Task ListAsync(MemoryBlocks blocks, Cid root)
    {
        await foreach (ContentEntry _ in new DagReader(blocks).ListAsync(root, null, recursive: true, CancellationToken.None))
            continue;
    }

    private static async Task AssertRefusedAsync(MemoryBlocks blocks, Cid root)
    {
        using var folder = new TempFolder();
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => TreeFetcherTests.FetchAsync(blocks, root, folder["t"]));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code, error.Message);
        Assert.IsFalse(Path.Exists(folder["t"]));
    }
}
