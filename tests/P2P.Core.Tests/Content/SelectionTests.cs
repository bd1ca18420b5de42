using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Fetching only what patterns pick: nothing else crosses the network or lands in the result, and both kinds of fetch go on from each other.</summary>
[TestClass]
public sealed class SelectionTests
{
    [TestMethod]
    [DataRow("photos", "photos/a.jpg photos/2024/b.jpg photos/2024/c.png")]
    [DataRow("photos/*", "photos/a.jpg photos/2024/b.jpg photos/2024/c.png")]
    [DataRow("photos/*.jpg", "photos/a.jpg")]
    [DataRow("**/*.jpg", "photos/a.jpg photos/2024/b.jpg root.jpg")]
    [DataRow("*.jpg", "root.jpg")]
    [DataRow("photos/2024/[bx].???", "photos/2024/b.jpg")]
    [DataRow("./photos/2024/", "photos/2024/b.jpg photos/2024/c.png")]
    [DataRow("**", "photos/a.jpg photos/2024/b.jpg photos/2024/c.png root.jpg other/big")]
    [DataRow("root.jpg|photos/2024/c.png", "photos/2024/c.png root.jpg")]
    public async Task What_matches_arrives_and_nothing_else(string patterns, string expected)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = Photos().AddTo(blocks);
        TreeFetcher fetcher = TreeFetcherTests.NewFetcher(blocks, Selecting(patterns));
        TreeFetchResult result = await fetcher.FetchAsync(root, null, folder["t"], default, CancellationToken.None);
        CollectionAssert.AreEquivalent(expected.Split(' '), FilesIn(folder["t"]));
        Assert.AreEqual(expected.Split(' ').Length, result.Files);
        long bytes = expected.Split(' ').Sum(path => Photos().Files[path].LongLength);
        Assert.AreEqual(bytes, result.Bytes);
        Assert.AreEqual(bytes, fetcher.Progress.TotalBytes);
        Assert.AreEqual(Directory.Exists(folder["t/empty"]), patterns == "**", "folders come when something in them does");
        if (!expected.Contains("big", StringComparison.Ordinal))
            Assert.IsLessThan(300_000L, blocks.BytesServed);
        TreeFetcherTests.AssertOnly(folder, "t");
    }

    [TestMethod]
    public async Task The_total_counts_the_selection_before_all_is_planned()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = Photos().AddTo(blocks);
        TreeFetcher fetcher = TreeFetcherTests.NewFetcher(blocks, Selecting("photos"));
        var totals = new List<long>();
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec && fetcher.Progress.TotalBytes is { } total)
                totals.Add(total);
        };
        await fetcher.FetchAsync(root, null, folder["t"], default, CancellationToken.None);
        Assert.IsNotEmpty(totals);
        Assert.IsLessThan(31_000L, totals.Max(), "of 3 MB");
    }

    [TestMethod]
    [DataRow("photo", "photos")]
    [DataRow("photos/2023", "photos/2024")]
    [DataRow("root.jpeg", "root.jpg")]
    [DataRow("b.jpg", "'**/b.jpg' is that name in any folder")]
    [DataRow("root.jpg|photos/nothing*", "photos/a.jpg")]
    public async Task A_pattern_without_a_match_names_the_nearest_before_any_data_comes(string patterns, string said)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = Photos().AddTo(blocks);
        int data = 0;
        blocks.OnDeliver = cid => data += cid.Codec == Cid.RawCodec ? 1 : 0;
        SelectionException error = await Assert.ThrowsExactlyAsync<SelectionException>(() => TreeFetcherTests.FetchAsync(blocks, root, folder["t"], Selecting(patterns)));
        Assert.Contains(said, error.Message);
        Assert.Contains(patterns.Split('|')[^1], error.Message);
        Assert.AreEqual(0, data);
        TreeFetcherTests.AssertOnly(folder);
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("a[")]
    public async Task What_is_no_pattern_is_the_callers_mistake(string pattern)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        await Assert.ThrowsExactlyAsync<SelectionException>(() => TreeFetcherTests.FetchAsync(blocks, Photos().AddTo(blocks), folder["t"], new TreeFetchOptions { Select = [pattern] }));
        await Assert.ThrowsExactlyAsync<SelectionException>(() => TreeFetcherTests.FetchAsync(blocks, TestTree.AddFile(blocks, new byte[3_000_000]).Cid, folder["t"], Selecting("a")));
    }

    [TestMethod]
    public async Task Of_a_large_folder_only_the_shards_on_the_way_are_loaded()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        var tree = new TestTree();
        for (int i = 0; i < 8000; i++)
            tree.File($"large/a file with number {i:d6}", $"content {i}");
        Cid root = tree.AddTo(blocks);
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"], Selecting("large/a file with number 004711"));
        CollectionAssert.AreEqual(new[] { "large/a file with number 004711" }, FilesIn(folder["t"]));
        Assert.IsLessThan(16, blocks.NodesServed);

        SelectionException error = await Assert.ThrowsExactlyAsync<SelectionException>(() => TreeFetcherTests.FetchAsync(blocks, root, folder["t"], Selecting("large/a file with number 00471x")));
        Assert.Contains("large/a file with number 00471", error.Message);
    }

    [TestMethod]
    public async Task A_fetch_of_all_reuses_what_was_selected_before()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = Photos();
        Cid root = tree.AddTo(blocks);
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"], Selecting("other"));
        long before = blocks.BytesServed;
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        tree.AssertIsAt(folder["t"]);
        Assert.AreEqual(tree.Files["other/big"].Length, result.BytesReused);
        Assert.IsLessThan(300_000L, blocks.BytesServed - before);
        Assert.IsTrue((await TreeFetcherTests.FetchAsync(blocks, root, folder["t"], Selecting("photos/*.jpg"))).AlreadyThere);
    }

    [TestMethod]
    public async Task A_selection_that_was_interrupted_goes_on_and_so_does_a_fetch_of_all()
    {
        foreach (bool isAllNext in new[] { false, true })
        {
            using var folder = new TempFolder();
            await using var blocks = new MemoryBlocks();
            TestTree tree = new TestTree().File("a/big", TestTree.Random(1, 12 << 20)).File("b/big", TestTree.Random(2, 12 << 20));
            Cid root = tree.AddTo(blocks);
            await InterruptAsync(blocks, root, folder["t"], Selecting("a"), leaves: 9);
            long before = blocks.BytesServed;
            TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["t"], isAllNext ? null : Selecting("a"));
            Assert.IsGreaterThan(5L << 20, result.BytesReused);
            Assert.IsLessThan((isAllNext ? 19L : 7L) << 20, blocks.BytesServed - before);
            Assert.AreEqual(isAllNext, File.Exists(folder["t/b/big"]));
            TreeFetcherTests.AssertOnly(folder, "t");
        }
    }

    [TestMethod]
    public async Task A_selection_keeps_for_later_what_an_interrupted_fetch_of_all_had_gathered()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = new TestTree().File("a/big", TestTree.Random(1, 12 << 20)).File("b/small", "small");
        Cid root = tree.AddTo(blocks);
        await InterruptAsync(blocks, root, folder["t"], new TreeFetchOptions { Workers = 2 }, leaves: 9);
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"], Selecting("b"));
        CollectionAssert.AreEqual(new[] { "b/small" }, FilesIn(folder["t"]), "nothing that is not verified whole");
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        Assert.IsGreaterThan(5L << 20, result.BytesReused);
        tree.AssertIsAt(folder["t"]);
        TreeFetcherTests.AssertOnly(folder, "t");
    }

    [TestMethod]
    public async Task What_lies_in_a_part_and_is_not_of_the_content_does_not_get_into_the_result()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = new TestTree().File("a/big", TestTree.Random(1, 6 << 20)).File("b", "b");
        Cid root = tree.AddTo(blocks);
        await InterruptAsync(blocks, root, folder["t"], new TreeFetchOptions { Workers = 2 }, leaves: 3);
        string part = TreeFetcher.PartPathOf(root, folder["t"]);
        Directory.CreateDirectory(Path.Combine(part, "stray/deep"));
        await File.WriteAllTextAsync(Path.Combine(part, "stray/deep/file"), "stray");
        await File.WriteAllTextAsync(Path.Combine(part, "a", "stray"), "stray");
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        CollectionAssert.AreEquivalent(new[] { "a/big", "b" }, FilesIn(folder["t"]));
        Assert.IsFalse(Directory.Exists(folder["t/stray"]));
    }

    private static TestTree Photos() => new TestTree().File("photos/a.jpg", TestTree.Random(1, 10_000)).File("photos/2024/b.jpg", TestTree.Random(2, 10_000))
        .File("photos/2024/c.png", TestTree.Random(3, 10_000)).File("root.jpg", TestTree.Random(4, 10_000)).File("other/big", TestTree.Random(5, 3_000_000)).Folder("empty");

    private static TreeFetchOptions Selecting(string patterns) => new() { Workers = 2, Select = patterns.Split('|') };

    private static string[] FilesIn(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    private static async Task InterruptAsync(MemoryBlocks blocks, Cid root, string target, TreeFetchOptions options, int leaves)
    {
        using var stop = new CancellationTokenSource();
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec && Interlocked.Decrement(ref leaves) == 0)
                stop.Cancel();
        };
        await Assert.ThrowsAsync<OperationCanceledException>(() => TreeFetcherTests.NewFetcher(blocks, options).FetchAsync(root, null, target, default, stop.Token));
        blocks.OnDeliver = null;
    }
}
