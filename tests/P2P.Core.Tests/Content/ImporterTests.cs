using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

[TestClass]
public sealed class ImporterTests
{
    private static Importer NewImporter(ImportOptions? options = null) => new(null, new BlockBufferPool(), options ?? new ImportOptions { Workers = 2 });

    private static Task<ImportResult> ImportAsync(string path, ImportOptions? options = null) => NewImporter(options).ImportAsync([path], default, null, CancellationToken.None);

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(1 << 20)]
    [DataRow((1 << 20) + 1)]
    [DataRow(3_500_000)]
    public async Task A_file_has_the_id_that_the_builder_gives(int length)
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(1, length);
        await File.WriteAllBytesAsync(folder["f"], content);
        ImportResult result = await ImportAsync(folder["f"]);
        Assert.AreEqual(TestTree.AddFile(blocks, content).Cid, result.Root);
        Assert.AreEqual(length, result.Bytes);
        Assert.AreEqual(blocks.Count, result.Blocks);
        Assert.AreEqual(ContentKind.File, result.Kind);
        Assert.AreEqual("f", result.Name);
        ImportResult streamed = await NewImporter().ImportAsync(new MemoryStream(content), default, null, CancellationToken.None);
        Assert.AreEqual(result.Root, streamed.Root);
        Assert.AreEqual(result.Blocks, streamed.Blocks);
    }

    [TestMethod]
    public async Task A_tree_with_odd_names_has_the_id_that_the_builder_gives()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        TestTree tree = OddTree();
        tree.WriteTo(folder["t"]);
        ImportResult result = await ImportAsync(folder["t"]);
        Assert.AreEqual(tree.AddTo(blocks), result.Root);
        Assert.AreEqual(tree.Files.Count, result.Files);
        Assert.AreEqual(tree.Files.Values.Sum(content => content.Length), result.Bytes);
    }

    [TestMethod]
    public async Task A_folder_of_thousands_is_sharded_as_the_builder_does_it()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        var tree = new TestTree();
        for (int i = 0; i < 6000; i++)
            tree.File($"a file with number {i:d6}", $"content {i % 7}");
        tree.WriteTo(folder["t"]);
        Assert.AreEqual(tree.AddTo(blocks), (await ImportAsync(folder["t"])).Root);
    }

    [TestMethod]
    public async Task Several_paths_become_one_folder()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        new TestTree().File("one", "1").File("sub/two", "2").WriteTo(folder["t"]);
        ImportResult result = await NewImporter().ImportAsync([folder["t/one"], folder["t/sub/"]], default, null, CancellationToken.None);
        Assert.AreEqual(new TestTree().File("one", "1").File("sub/two", "2").AddTo(blocks), result.Root);
        Assert.AreEqual("files", result.Name);
    }

    [TestMethod]
    public async Task Paths_with_one_name_are_a_mistake()
    {
        using var folder = new TempFolder();
        new TestTree().File("a/same", "1").File("b/same", "2").WriteTo(folder["t"]);
        await Assert.ThrowsExactlyAsync<ArgumentException>(() => NewImporter().ImportAsync([folder["t/a/same"], folder["t/b/same"]], default, null, CancellationToken.None));
        await Assert.ThrowsExactlyAsync<ArgumentException>(() => NewImporter().ImportAsync([], default, null, CancellationToken.None));
    }

    [TestMethod]
    public async Task What_is_not_there_is_said()
    {
        using var folder = new TempFolder();
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => ImportAsync(folder["nothing"]));
        Assert.AreEqual(P2PErrorCode.NotFound, error.Code);
        Assert.Contains("nothing", error.Message);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task Pipes_are_passed_over_and_reported()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        new TestTree().File("a", "1").WriteTo(folder["t"]);
        using (System.Diagnostics.Process make = System.Diagnostics.Process.Start("mkfifo", folder["t/pipe"]))
            await make.WaitForExitAsync();
        ImportResult result = await ImportAsync(folder["t"]);
        Assert.AreEqual(new TestTree().File("a", "1").AddTo(blocks), result.Root);
        CollectionAssert.AreEqual(new[] { folder["t/pipe"] }, result.Skipped.ToArray());
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task A_name_that_is_no_text_is_reported_clearly()
    {
        using var folder = new TempFolder();
        new TestTree().File("a", "1").WriteTo(folder["t"]);
        using (System.Diagnostics.Process make = System.Diagnostics.Process.Start("sh", ["-c", "printf x > \"$1/$(printf 'bad\\377')\"", "sh", folder["t"]]))
            await make.WaitForExitAsync();
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => ImportAsync(folder["t"]));
        Assert.AreEqual(P2PErrorCode.Permission, error.Code);
        Assert.Contains("not valid UTF-8", error.Message);
        ImportResult rest = await ImportAsync(folder["t"], new ImportOptions { ContinueOnUnreadable = true });
        Assert.HasCount(1, rest.Unreadable);
        Assert.AreEqual(1, rest.Files);
    }

    [TestMethod]
    public async Task A_file_that_is_replaced_while_it_is_read_is_noticed()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["f"], TestTree.Random(1, 5 << 20));
        int reports = 0;
        var progress = new Reporter(report =>
        {
            if (report.Bytes > 0 && Interlocked.Exchange(ref reports, 1) == 0)
                File.AppendAllText(folder["f"], "more");
        });
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => NewImporter().ImportAsync([folder["f"]], default, progress, CancellationToken.None));
        Assert.AreEqual(P2PErrorCode.SourceChanged, error.Code);
    }

    [TestMethod]
    public async Task Excluded_paths_are_left_out()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        new TestTree().File("keep/a", "1").File("drop/b", "2").WriteTo(folder["t"]);
        ImportResult result = await ImportAsync(folder["t"], new ImportOptions { Exclude = path => path == "drop" });
        Assert.AreEqual(new TestTree().File("keep/a", "1").AddTo(blocks), result.Root);
        Assert.AreEqual(1, result.ExcludedCount);
        CollectionAssert.AreEqual(new[] { "drop" }, result.Excluded.ToArray());

        ImportProgress last = default;
        var progress = new Reporter(report => last = report);
        await NewImporter(new ImportOptions { Exclude = path => path is "t/drop", Workers = 1 }).ImportAsync([folder["t"], folder["t/keep/a"]], default, progress, CancellationToken.None);
        Assert.AreEqual(new ImportProgress(2, 2, 2), last, "what is left out is no part of the total");
    }

    [TestMethod]
    public async Task A_cancelled_import_ends_and_holds_no_buffer()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["f"], TestTree.Random(1, 20 << 20));
        var buffers = new BlockBufferPool();
        using var stop = new CancellationTokenSource();
        var importer = new Importer(null, buffers, new ImportOptions { Workers = 2 });
        await Assert.ThrowsAsync<OperationCanceledException>(() => importer.ImportAsync([folder["f"]], default, new Reporter(_ => stop.Cancel()), stop.Token));
        Assert.AreEqual(0, buffers.RentedCount, string.Join(", ", buffers.DescribeRented()));
    }

    internal static TestTree OddTree() => new TestTree()
        .File("with space", "1").File(".hidden", "2").File("-dash", "3").File("@at", "4").File("caf\u00e9", "composed").File("cafe\u0301", "decomposed")
        .File(new string('n', 255), "long").File("empty", "").File("line\nbreak", "5").File("back\\slash", "6").File("sub/[x]", "7")
        .File(string.Concat(Enumerable.Range(0, 60).Select(i => $"d{i}/")) + "deep", "bottom").File("big", TestTree.Random(3, 2_500_000))
        .Folder("empty folder").Link("sub/link", "../with space").Link("loop", "loop");

    internal sealed class Reporter(Action<ImportProgress> report) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => report(value);
    }
}
