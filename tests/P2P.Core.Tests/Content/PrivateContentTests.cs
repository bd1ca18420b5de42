using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Identity;
using P2P.Core.Store;

namespace P2P.Core.Tests.Content;

/// <summary>Private content from the import to the reading of it, over real stores: sealed wherever it is seen, in place on both ends.</summary>
[TestClass]
public sealed class PrivateContentTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [TestMethod]
    public async Task A_share_is_that_of_the_vector()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["hello.txt"], "hello");
        await using Shelf shelf = await Shelf.OpenAsync(folder["data"], Key);
        ImportResult shared = await shelf.ImportAsync(folder["hello.txt"]);
        Assert.AreEqual("bafkreiecoffuqklqamvpkh7imnl3kh2x2ypikawgai5qtp3k4xoolh6iua", shared.Root.ToString());
    }

    [TestMethod]
    public async Task What_one_shares_another_fetches_and_serves_on()
    {
        using var folder = new TempFolder();
        TestTree tree = ImporterTests.OddTree().File("three chunks", TestTree.Random(8, 3_000_000)).File("three chunks again", TestTree.Random(8, 3_000_000)).File("one chunk", TestTree.Random(9, BlockSealer.MaxLeafBytes)).File("empty", "");
        tree.WriteTo(folder["t"]);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"], Key);
        ImportResult shared = await first.ImportAsync(folder["t"]);
        Assert.IsLessThan(200_000L, first.Store.GetUsage().OwnedBytes, "file contents are referenced, not copied");

        await using Shelf second = await Shelf.OpenAsync(folder["data2"], Key);
        TreeFetchResult fetched = await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Seeded);
        tree.AssertIsAt(folder["u"]);
        Assert.AreEqual(shared.Bytes, fetched.Bytes);
        Assert.AreEqual(shared.Root, fetched.Root);

        await using Shelf third = await Shelf.OpenAsync(folder["data3"], Key);
        await third.FetchAsync(second, shared.Root, folder["v"], PinKind.Temporary);
        tree.AssertIsAt(folder["v"]);
        Assert.IsTrue((await third.FetchAsync(second, shared.Root, folder["v"], PinKind.Seeded)).AlreadyThere);
    }

    [TestMethod]
    public async Task Only_what_is_selected_of_a_share_is_fetched()
    {
        using var folder = new TempFolder();
        var tree = new TestTree().File("photos/a.jpg", TestTree.Random(1, 10_000)).File("big", TestTree.Random(2, 5_000_000));
        for (int i = 0; i < 3200; i++)
            tree.File($"many/a file with a name that takes some bytes, number {i:d6}", $"{i}");
        tree.WriteTo(folder["t"]);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"], Key);
        ImportResult shared = await first.ImportAsync(folder["t"]);
        await using Shelf second = await Shelf.OpenAsync(folder["data2"], Key);
        TreeFetchResult result = await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Temporary, "photos", "many/*000123");
        Assert.AreEqual(10_003, result.Bytes);
        await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Temporary, "many/a file with a name that takes some bytes, number 000007");
        Assert.HasCount(3, Directory.GetFiles(folder["u"], "*", SearchOption.AllDirectories));
        SelectionException error = await Assert.ThrowsExactlyAsync<SelectionException>(() => second.FetchAsync(first, shared.Root, folder["u"], PinKind.Temporary, "photo"));
        Assert.Contains("'photos", error.Message);
        await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Temporary);
        tree.AssertIsAt(folder["u"]);
    }

    [TestMethod]
    public async Task A_folder_of_many_entries_is_spread_and_read_again()
    {
        using var folder = new TempFolder();
        var tree = new TestTree();
        for (int i = 0; i < 2700; i++)
            tree.File($"a file with a name that takes some bytes, number {i:d6}", $"{i}");
        tree.Folder("empty").WriteTo(folder["t"]);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"], Key);
        ImportResult shared = await first.ImportAsync(folder["t"]);
        List<ContentEntry> entries = await first.ListAsync(shared.Root);
        Assert.HasCount(2701, entries);
        Assert.AreEqual(4L, entries.Single(entry => entry.Path.EndsWith("001234", StringComparison.Ordinal)).Bytes, "sizes are exact although blocks are padded");
        Assert.IsTrue(entries.TrueForAll(entry => entry.Cid.Codec == Cid.RawCodec), "the ids that others know");

        await using Shelf second = await Shelf.OpenAsync(folder["data2"], Key);
        await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Temporary);
        tree.AssertIsAt(folder["u"]);
    }

    [TestMethod]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public async Task Every_way_of_cutting_and_describing_files_can_be_sealed(bool cutsByContent, bool preserves)
    {
        using var folder = new TempFolder();
        TestTree tree = new TestTree().File("big", TestTree.Random(1, 5_000_000)).File("d/small", "1").File("empty", "").File("one chunk", TestTree.Random(2, BlockSealer.MaxLeafBytes));
        tree.WriteTo(folder["t"]);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"], Key);
        PinId pin = await first.Store.AddPinAsync(new Pin { Kind = PinKind.Shared }, CancellationToken.None);
        ImportOptions how = first.How with { CutsByContent = cutsByContent, PreserveMetadata = preserves };
        ImportResult shared = await new Importer(first.Store, first.Buffers, how).ImportAsync([folder["t"]], pin, null, CancellationToken.None);
        ImportResult again = await new Importer(first.Store, first.Buffers, how).ImportAsync([folder["t"]], pin, null, CancellationToken.None);
        Assert.AreEqual(shared.Root, again.Root);
        await using Shelf second = await Shelf.OpenAsync(folder["data2"], Key);
        await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Seeded);
        tree.AssertIsAt(folder["u"]);
        await using Shelf third = await Shelf.OpenAsync(folder["data3"], Key);
        await third.FetchAsync(second, shared.Root, folder["v"], PinKind.Temporary);
        tree.AssertIsAt(folder["v"]);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(BlockSealer.MaxLeafBytes)]
    [DataRow(BlockSealer.MaxLeafBytes + 1)]
    [DataRow(5_000_000)]
    public async Task A_file_is_read_from_any_place(int length)
    {
        using var folder = new TempFolder();
        byte[] content = TestTree.Random(1, length);
        await File.WriteAllBytesAsync(folder["f.bin"], content);
        await using Shelf shelf = await Shelf.OpenAsync(folder["data"], Key);
        ImportResult shared = await shelf.ImportAsync(folder["f.bin"]);
        Assert.AreEqual("f.bin", await shelf.Reader().NameAsync(shared.Root, CancellationToken.None));
        ContentEntry only = (await shelf.ListAsync(shared.Root)).Single();
        Assert.AreEqual((ContentKind.File, (long?)length), (only.Kind, only.Bytes));
        await using VerifiedStream stream = await shelf.Reader().OpenAsync(shared.Root, null, CancellationToken.None);
        Assert.AreEqual(length, stream.Length);
        foreach (int from in (int[])[length, length / 2, 0])
        {
            stream.Position = from;
            byte[] rest = new byte[length - from];
            await stream.ReadExactlyAsync(rest);
            Assert.IsTrue(content.AsSpan(from).SequenceEqual(rest));
        }
    }

    [TestMethod]
    public async Task A_stream_is_sealed_into_the_store()
    {
        using var folder = new TempFolder();
        byte[] content = TestTree.Random(1, (3 << 20) + 5);
        await using Shelf shelf = await Shelf.OpenAsync(folder["data"], Key);
        PinId pin = await shelf.Store.AddPinAsync(new Pin { Kind = PinKind.Shared }, CancellationToken.None);
        ImportResult shared = await new Importer(shelf.Store, shelf.Buffers, shelf.How with { Name = "in.bin" }).ImportAsync(new MemoryStream(content), pin, null, CancellationToken.None);
        Assert.AreEqual("in.bin", await shelf.Reader().NameAsync(shared.Root, CancellationToken.None));
        await using VerifiedStream stream = await shelf.Reader().OpenAsync(shared.Root, null, CancellationToken.None);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        Assert.IsTrue(content.AsSpan().SequenceEqual(copy.ToArray()));
        await stream.DisposeAsync();
        Assert.AreEqual(0, shelf.Buffers.RentedCount, string.Join(", ", shelf.Buffers.DescribeRented()));
    }

    [TestMethod]
    public async Task Another_key_is_told_as_content_that_does_not_verify()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["f"], "secret");
        await using Shelf first = await Shelf.OpenAsync(folder["data1"], Key);
        ImportResult shared = await first.ImportAsync(folder["f"]);
        await using Shelf second = await Shelf.OpenAsync(folder["data2"], [.. Key.Reverse()]);
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => second.FetchAsync(first, shared.Root, folder["g"], PinKind.Temporary));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
        Assert.Contains("key", error.Message);
        Assert.IsFalse(File.Exists(folder["g"]));
    }

    [TestMethod]
    public async Task A_file_that_was_edited_is_never_sealed_under_its_old_id()
    {
        using var folder = new TempFolder();
        byte[] content = TestTree.Random(1, 3_000_000);
        await File.WriteAllBytesAsync(folder["f"], content);
        await using Shelf shelf = await Shelf.OpenAsync(folder["data"], Key);
        ImportResult shared = await shelf.ImportAsync(folder["f"]);
        content[2_000_000] ^= 1;
        await File.WriteAllBytesAsync(folder["f"], content);

        await using VerifiedStream stream = await shelf.Reader().OpenAsync(shared.Root, null, CancellationToken.None);
        byte[] read = new byte[3_000_000];
        await stream.ReadExactlyAsync(read.AsMemory(0, BlockSealer.MaxLeafBytes));
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(async () => await stream.ReadExactlyAsync(read.AsMemory(0, 1_000_000)));
        Assert.AreEqual(P2PErrorCode.NotFound, error.Code);
        Assert.IsTrue(shelf.Store.SourceChanges.TryRead(out SourceChangedNotice? notice));
        Assert.AreEqual((folder["f"], SourceChange.Edited, (long)BlockSealer.MaxLeafBytes), (notice.Path, notice.Change, notice.Offset));
    }

    [TestMethod]
    public async Task The_same_file_is_shared_openly_and_privately_at_once()
    {
        using var folder = new TempFolder();
        TestTree tree = new TestTree().File("big", TestTree.Random(1, 3_000_000)).File("small", "1");
        tree.WriteTo(folder["t"]);
        await using Shelf open = await Shelf.OpenAsync(folder["data"], null);
        ImportResult seen = await open.ImportAsync(folder["t"]);
        await using Shelf shelf = open.With(Key);
        ImportResult hidden = await shelf.ImportAsync(folder["t"]);
        Assert.AreEqual(seen.Root, (await open.ImportAsync(folder["t"])).Root);
        Assert.AreEqual(hidden.Root, (await shelf.ImportAsync(folder["t"])).Root);
        Assert.AreNotEqual(seen.Root, hidden.Root);

        await using Shelf second = await Shelf.OpenAsync(folder["data2"], null);
        await second.FetchAsync(open, seen.Root, folder["u"], PinKind.Temporary);
        tree.AssertIsAt(folder["u"]);
        await using Shelf third = await Shelf.OpenAsync(folder["data3"], Key);
        await third.FetchAsync(shelf, hidden.Root, folder["v"], PinKind.Temporary);
        tree.AssertIsAt(folder["v"]);
    }

    [TestMethod]
    public async Task A_fetch_goes_on_from_what_is_there()
    {
        using var folder = new TempFolder();
        TestTree tree = new TestTree().File("big", TestTree.Random(1, 6_000_000)).File("small", TestTree.Random(2, 5000));
        tree.WriteTo(folder["t"]);
        await using Shelf first = await Shelf.OpenAsync(folder["data1"], Key);
        ImportResult shared = await first.ImportAsync(folder["t"]);
        string part = TreeFetcher.PartPathOf(shared.Root, folder["u"]);
        tree.WriteTo(part);
        await using (FileStream damaged = File.OpenWrite(Path.Combine(part, "big")))
        {
            damaged.Position = 2 * BlockSealer.MaxLeafBytes;
            await damaged.WriteAsync(new byte[10]);
        }

        await using Shelf second = await Shelf.OpenAsync(folder["data2"], Key);
        int requested = 0;
        first.BeforeDelivery = _ =>
        {
            Interlocked.Increment(ref requested);
            return Task.CompletedTask;
        };
        TreeFetchResult fetched = await second.FetchAsync(first, shared.Root, folder["u"], PinKind.Temporary);
        tree.AssertIsAt(folder["u"]);
        Assert.AreEqual(1, requested, "only the damaged block crossed again");
        Assert.AreEqual(shared.Bytes - BlockSealer.MaxLeafBytes, fetched.BytesReused);
    }

    [TestMethod]
    public async Task A_target_that_is_there_is_found_without_anybody()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["f"], TestTree.Random(1, 3_000_000));
        await using Shelf first = await Shelf.OpenAsync(folder["data1"], Key);
        ImportResult shared = await first.ImportAsync(folder["f"]);
        await using Shelf second = await Shelf.OpenAsync(folder["data2"], Key);
        await using Shelf nobody = await Shelf.OpenAsync(folder["data3"], Key);
        Assert.IsTrue((await second.FetchAsync(nobody, shared.Root, folder["f"], PinKind.Seeded)).AlreadyThere);
        await using Shelf third = await Shelf.OpenAsync(folder["data4"], Key);
        await third.FetchAsync(second, shared.Root, folder["g"], PinKind.Temporary);
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(folder["f"]), await File.ReadAllBytesAsync(folder["g"]));
    }

    [TestMethod]
    public async Task Without_the_identity_nothing_is_sealed_and_it_is_said()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["f"], TestTree.Random(1, 3_000_000));
        Cid root;
        await using (Shelf first = await Shelf.OpenAsync(folder["data"], Key))
            root = (await first.ImportAsync(folder["f"])).Root;
        await using Shelf again = await Shelf.OpenAsync(folder["data"], Key, seed: 9);
        await using VerifiedStream stream = await again.Reader().OpenAsync(root, null, CancellationToken.None); // nodes are sealed already
        Assert.AreEqual(P2PErrorCode.NotFound, (await Assert.ThrowsExactlyAsync<P2PException>(async () => await stream.ReadExactlyAsync(new byte[10]))).Code);
    }

    /// <summary>A store that is also a source, and the key that it is used with.</summary>
    private sealed class Shelf(BlockStore store, IdentityKey identity, ShareKeyWrap wrap, byte[]? key, long number, bool isBorrowed) : IBlockSource, IAsyncDisposable
    {
        private readonly BlockSealer? _sealer = key is null ? null : new BlockSealer(key);

        public BlockStore Store => store;

        public BlockBufferPool Buffers { get; } = new();

        public BlockForm Form => _sealer is null ? BlockForm.Public : new PrivateForm(_sealer, Buffers, number);

        public ImportOptions How => new() { Workers = 2, Form = Form, Profile = _sealer is null ? UnixFsProfile.V1_2025 : UnixFsProfile.Private };

        public Func<Cid, Task> BeforeDelivery { get; set; } = _ => Task.CompletedTask;

        public static async Task<Shelf> OpenAsync(string folder, byte[]? key, int seed = 1)
        {
            IdentityKey identity = IdentityKey.FromSeed([.. Enumerable.Range(seed, 32).Select(i => (byte)i)]);
            var wrap = new ShareKeyWrap(identity);
            BlockStore store = await BlockStore.OpenAsync(folder, new StoreOptions { ShareKeys = wrap }, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
            return new Shelf(store, identity, wrap, key, await NumberOfAsync(store, wrap, key), isBorrowed: false);
        }

        public Shelf With(byte[] other) => new(store, identity, wrap, other, NumberOfAsync(store, wrap, other).GetAwaiter().GetResult(), isBorrowed: true);

        public DagReader Reader() => new(this, null, Form);

        public async Task<List<ContentEntry>> ListAsync(Cid root)
        {
            List<ContentEntry> entries = [];
            await foreach (ContentEntry entry in Reader().ListAsync(root, null, recursive: true, CancellationToken.None))
                entries.Add(entry);
            return entries;
        }

        public async Task<ImportResult> ImportAsync(string path)
        {
            PinId pin = await store.AddPinAsync(new Pin { Kind = PinKind.Shared }, CancellationToken.None);
            return await new Importer(store, Buffers, How).ImportAsync([path], pin, null, CancellationToken.None);
        }

        public async Task<TreeFetchResult> FetchAsync(IBlockSource from, Cid root, string target, PinKind kind, params string[] select)
        {
            PinId pin = await store.AddPinAsync(new Pin { Kind = kind }, CancellationToken.None);
            var options = new TreeFetchOptions { Workers = 2, RecordPlaces = kind.IsServed(), Form = Form, Select = select };
            return await new TreeFetcher(from, store, Buffers, options, NullLogger.Instance).FetchAsync(root, null, target, pin, CancellationToken.None);
        }

        public async ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken)
        {
            Assert.IsTrue(_sealer is null || cid.Codec == Cid.RawCodec, "others are asked for plain bytes only");
            return await store.ReadAsync(cid, cancellationToken) ?? throw new P2PException(P2PErrorCode.NotFound, $"{cid} is not here");
        }

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

        public async ValueTask DisposeAsync()
        {
            if (!isBorrowed)
            {
                await store.DisposeAsync();
                wrap.Dispose();
                identity.Dispose();
            }

            _sealer?.Dispose();
        }

        private static async Task<long> NumberOfAsync(BlockStore store, ShareKeyWrap wrap, byte[]? key)
        {
            if (key is null)
                return 0;
            byte[] wrapped = wrap.Wrap(key);
            await store.AddPinAsync(new Pin { Kind = PinKind.Kept, WrappedKey = wrapped }, CancellationToken.None);
            return await store.AddShareKeyAsync(wrapped, CancellationToken.None);
        }
    }
}
