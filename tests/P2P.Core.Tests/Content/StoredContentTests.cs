using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Store;

namespace P2P.Core.Tests.Content;

/// <summary>Import into a real store and fetch from it into another: what is shared is served from where it lies, what is fetched with it can be served on.</summary>
[TestClass]
public sealed class StoredContentTests
{
    [TestMethod]
    public async Task What_one_store_shares_another_fetches_and_serves_on()
    {
        using var folder = new TempFolder();
        TestTree tree = ImporterTests.OddTree().File("twice", "1").File("three chunks", TestTree.Random(8, 3_000_000));
        tree.WriteTo(folder["t"]);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"]);
        ImportResult shared = await first.ImportAsync(folder["t"]);
        StoreUsage usage = first.Store.GetUsage();
        Assert.IsLessThan(100_000L, usage.OwnedBytes, "file contents are referenced, not copied");

        await using Shelf second = await Shelf.OpenAsync(folder["data2"]);
        TreeFetchResult fetched = await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Seeded);
        tree.AssertIsAt(folder["u"]);
        Assert.AreEqual(shared.Bytes, fetched.Bytes);
        Assert.AreEqual(shared.Blocks, fetched.Blocks);

        await using Shelf third = await Shelf.OpenAsync(folder["data3"]);
        await third.FetchAsync(second, shared.Root, folder["v"], PinKind.Temporary);
        tree.AssertIsAt(folder["v"]);
    }

    [TestMethod]
    public async Task A_target_that_was_there_already_is_served_when_asked()
    {
        using var folder = new TempFolder();
        TestTree tree = new TestTree().File("a", "1").File("d/b", TestTree.Random(1, 2_500_000));
        tree.WriteTo(folder["t"]);
        tree.WriteTo(folder["u"]);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"]);
        ImportResult shared = await first.ImportAsync(folder["t"]);
        await using Shelf second = await Shelf.OpenAsync(folder["data2"]);
        Assert.IsTrue((await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Seeded)).AlreadyThere);
        await using Shelf third = await Shelf.OpenAsync(folder["data3"]);
        await third.FetchAsync(second, shared.Root, folder["v"], PinKind.Temporary);
        tree.AssertIsAt(folder["v"]);
    }

    [TestMethod]
    public async Task Blocks_are_served_while_the_fetch_goes_on()
    {
        using var folder = new TempFolder();
        byte[] content = TestTree.Random(1, 12 << 20);
        await File.WriteAllBytesAsync(folder["f"], content);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"]);
        ImportResult shared = await first.ImportAsync(folder["f"]);
        await using Shelf second = await Shelf.OpenAsync(folder["data2"]);
        Cid early = Cid.OfRaw(content.AsSpan(0, 1 << 20)), late = Cid.OfRaw(content.AsSpan(11 << 20));
        var gate = new TaskCompletionSource();
        first.BeforeDelivery = cid => cid == late ? gate.Task : Task.CompletedTask;
        Task<TreeFetchResult> fetch = second.FetchAsync(first, shared.Root, folder["g"], PinKind.Seeded);
        while (second.Fetcher?.Progress.VerifiedBytes != 11 << 20)
            await Task.Delay(10);
        await second.Fetcher.FlushRecordsAsync();
        Assert.IsTrue(second.Store.Has(early));
        using (BlockBuffer? block = await second.Store.ReadAsync(early, CancellationToken.None))
            Assert.AreEqual(1 << 20, block?.Length);
        Assert.IsFalse(second.Store.Has(late));
        gate.SetResult();
        await fetch;
        Assert.IsTrue(second.Store.Has(late));
    }

    [TestMethod]
    public async Task Sharing_again_reads_only_what_changed()
    {
        using var folder = new TempFolder();
        new TestTree().File("big", TestTree.Random(1, 5_000_000)).File("small", "1").WriteTo(folder["t"]);
        File.SetLastWriteTimeUtc(folder["t/big"], new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)); // long settled
        await using Shelf shelf = await Shelf.OpenAsync(folder["data"]);
        ImportResult once = await shelf.ImportAsync(folder["t"]);
        ImportResult again = await shelf.ImportAsync(folder["t"]);
        Assert.AreEqual(once, again with { Unreadable = once.Unreadable, Skipped = once.Skipped, Excluded = once.Excluded, BytesAlreadyThere = 0 });
        Assert.AreEqual(5_000_001, again.BytesAlreadyThere);
        var importer = new ImportFile(folder["t/big"], "big"u8.ToArray(), Identity(folder["t/big"]));
        Assert.IsNotNull(await ImportCache.FindAsync(shelf.Store, importer, new ImportOptions(), CancellationToken.None));

        await File.WriteAllTextAsync(folder["t/small"], "2");
        ImportResult changed = await shelf.ImportAsync(folder["t"]);
        Assert.AreNotEqual(once.Root, changed.Root);
    }

    [TestMethod]
    public async Task A_stream_is_copied_into_the_store()
    {
        using var folder = new TempFolder();
        byte[] content = TestTree.Random(1, (3 << 20) + 5);
        await using Shelf shelf = await Shelf.OpenAsync(folder["data"]);
        PinId pin = await shelf.Store.AddPinAsync(new Pin { Kind = PinKind.Shared }, CancellationToken.None);
        ImportResult shared = await new Importer(shelf.Store, shelf.Buffers, new ImportOptions()).ImportAsync(new MemoryStream(content), pin, null, CancellationToken.None);
        await using VerifiedStream stream = await new DagReader(shelf).OpenAsync(shared.Root, null, CancellationToken.None);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        Assert.IsTrue(content.AsSpan().SequenceEqual(copy.ToArray()));
    }

    [TestMethod]
    public async Task Resume_state_is_there_during_a_fetch_and_gone_after_it()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["f"], TestTree.Random(1, 3 << 20));
        await using Shelf first = await Shelf.OpenAsync(folder["data1"]);
        ImportResult shared = await first.ImportAsync(folder["f"]);
        await using Shelf second = await Shelf.OpenAsync(folder["data2"]);
        ResumeState? during = null;
        first.BeforeDelivery = _ =>
        {
            during ??= second.Store.GetResume(TreeFetcher.ResumeKeyOf(folder["g"]));
            return Task.CompletedTask;
        };
        await second.FetchAsync(first, shared.Root, folder["g"], PinKind.Temporary);
        Assert.AreEqual(folder["g"], during?.TargetPath);
        Assert.AreEqual(shared.Root, during!.Root);
        Assert.IsNull(second.Store.GetResume(TreeFetcher.ResumeKeyOf(folder["g"])));
    }

    private static FileIdentity Identity(string path)
    {
        Assert.IsTrue(FileSystemDisk.Instance.TryGetIdentity(path, out FileIdentity identity));
        return identity;
    }

    /// <summary>A store that is also a source.</summary>
    internal sealed class Shelf(BlockStore store) : IBlockSource, IAsyncDisposable
    {
        public BlockStore Store => store;

        public BlockBufferPool Buffers { get; } = new();

        public Func<Cid, Task> BeforeDelivery { get; set; } = _ => Task.CompletedTask;

        public TreeFetcher? Fetcher { get; private set; }

        public static async Task<Shelf> OpenAsync(string folder) =>
            new(await BlockStore.OpenAsync(folder, new StoreOptions(), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None));

        public async Task<ImportResult> ImportAsync(string path)
        {
            PinId pin = await store.AddPinAsync(new Pin { Kind = PinKind.Shared }, CancellationToken.None);
            return await new Importer(store, Buffers, new ImportOptions { Workers = 2 }).ImportAsync([path], pin, null, CancellationToken.None);
        }

        public async Task<TreeFetchResult> FetchAsync(IBlockSource from, Cid root, string target, PinKind kind)
        {
            PinId pin = await store.AddPinAsync(new Pin { Kind = kind }, CancellationToken.None);
            var options = new TreeFetchOptions { Workers = 2, RecordPlaces = kind.IsServed() };
            Fetcher = new TreeFetcher(from, store, Buffers, options, NullLogger.Instance);
            return await Fetcher.FetchAsync(root, null, target, pin, CancellationToken.None);
        }

        public async ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken) =>
            await store.ReadAsync(cid, cancellationToken) ?? throw new P2PException(P2PErrorCode.NotFound, $"{cid} is not here");

        public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken)
        {
            _ = Task.Run(
                async () =>
                {
                    await BeforeDelivery(cid);
                    try
                    {
                        using BlockBuffer block = await GetAsync(cid, CancellationToken.None);
                        sink.OnBlock(in cid, tag, block.Span);
                    }
                    catch (P2PException error)
                    {
                        sink.OnFailed(in cid, tag, error);
                    }
                },
                CancellationToken.None);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => store.DisposeAsync();
    }
}
