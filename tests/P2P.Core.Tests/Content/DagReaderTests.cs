using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

[TestClass]
public sealed class DagReaderTests
{
    private static readonly UnixFsProfile Small = new() { Name = "test", ChunkBytes = 1000, Width = 3, CidVersion = 1 };

    [TestMethod]
    public async Task A_tree_is_listed_with_paths_sizes_and_kinds()
    {
        await using var blocks = new MemoryBlocks();
        Cid root = new TestTree().File("a", "12").File("d/b", new byte[3_000_000]).Link("d/l", "b").Folder("e").AddTo(blocks);
        var entries = new List<string>();
        await foreach (ContentEntry entry in new DagReader(blocks).ListAsync(root, null, recursive: true, CancellationToken.None))
            entries.Add($"{entry.Kind} {entry.Path} {entry.Bytes}");
        CollectionAssert.AreEqual(new[] { "File a 2", "Directory d ", "File d/b 3000000", "SymbolicLink d/l ", "Directory e " }, entries);

        entries.Clear();
        await foreach (ContentEntry entry in new DagReader(blocks).ListAsync(root, "d", recursive: false, CancellationToken.None))
            entries.Add(entry.Path);
        CollectionAssert.AreEqual(new[] { "d/b", "d/l" }, entries);

        entries.Clear();
        await foreach (ContentEntry entry in new DagReader(blocks).ListAsync(root, null, recursive: false, CancellationToken.None))
            entries.Add(entry.Path);
        CollectionAssert.AreEqual(new[] { "a", "d", "e" }, entries);

        entries.Clear();
        await foreach (ContentEntry entry in new DagReader(blocks).ListAsync(root, "/d//b", recursive: true, CancellationToken.None))
            entries.Add(entry.Path);
        CollectionAssert.AreEqual(new[] { "d/b" }, entries);
    }

    [TestMethod]
    public async Task Any_range_reads_the_bytes_of_the_file()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(5, 123_457);
        Cid root = TestTree.AddFile(blocks, content, Small).Cid;
        await using VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None);
        var random = new Random(7);
        for (int i = 0; i < 300; i++)
        {
            int from = random.Next(content.Length + 1), count = random.Next(5000);
            stream.Position = from;
            byte[] read = new byte[count];
            int got = await stream.ReadAtLeastAsync(read, count, throwOnEndOfStream: false);
            Assert.AreEqual(Math.Min(count, content.Length - from), got);
            Assert.IsTrue(content.AsSpan(from, got).SequenceEqual(read.AsSpan(0, got)), $"{from}+{count}");
        }

        stream.Seek(-5, SeekOrigin.End);
        Assert.AreEqual(5, stream.ReadAtLeast(new byte[100], 100, throwOnEndOfStream: false));
    }

    [TestMethod]
    public async Task Reading_a_little_fetches_a_little()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(5, 50 << 20);
        Cid root = TestTree.AddFile(blocks, content).Cid;
        await using (VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None))
        {
            stream.Position = 25 << 20;
            await stream.ReadExactlyAsync(new byte[10]);
        }

        Assert.IsLessThanOrEqualTo(4L << 20, blocks.BytesServed);
        Assert.AreEqual(0, blocks.Buffers.RentedCount, string.Join(", ", blocks.Buffers.DescribeRented()));
    }

    [TestMethod]
    public async Task A_read_that_was_cancelled_can_be_made_again()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(5, 20_000);
        Cid root = TestTree.AddFile(blocks, content, Small).Cid;
        await using VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None);
        byte[] read = new byte[content.Length];
        int done = 0;
        for (int i = 0; done < content.Length; i++)
        {
            using var stop = new CancellationTokenSource();
            if (i % 2 == 0)
                await stop.CancelAsync();
            try
            {
                done += await stream.ReadAsync(read.AsMemory(done), stop.Token);
            }
            catch (OperationCanceledException)
            {
                continue;
            }
        }

        Assert.IsTrue(content.AsSpan().SequenceEqual(read));
    }

    [TestMethod]
    public async Task The_old_layout_is_read_too()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(5, 1_000_000);
        Cid root = TestTree.AddFile(blocks, content, UnixFsProfile.V0_2015).Cid;
        await using VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        Assert.IsTrue(content.AsSpan().SequenceEqual(copy.ToArray()));
    }

    [TestMethod]
    public async Task A_layout_of_leaves_beside_subtrees_is_read_as_trickle_writes_it()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(5, 4000);
        DagPbLink Leaf(int from, int length) => new(blocks.AddRaw(content.AsSpan(from, length)), [], (ulong)length);
        DagPbLink Node(ulong[] sizes, params DagPbLink[] links)
        {
            ulong sum = sizes.Aggregate(0UL, (total, size) => total + size);
            return new DagPbLink(blocks.AddNode(DagPbCodec.Encode(links, new UnixFsData(UnixFsType.File) { FileBytes = sum, BlockBytes = sizes }.Encode())), [], sum);
        }

        DagPbLink inner = Node([900, 600], Leaf(1000, 900), Leaf(1900, 600));
        DagPbLink deeper = Node([500, 1000], Leaf(2500, 500), Node([1000], Leaf(3000, 1000)));
        Cid root = Node([1000, 1500, 1500], Leaf(0, 1000), inner, deeper).Cid;
        await using VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None);
        foreach (int from in new[] { 0, 999, 1000, 1899, 1900, 2499, 2500, 2999, 3000, 3999 })
        {
            stream.Position = from;
            byte[] read = new byte[4000 - from];
            await stream.ReadExactlyAsync(read);
            Assert.IsTrue(content.AsSpan(from).SequenceEqual(read), $"from {from}");
        }
    }

    [TestMethod]
    public async Task A_missing_block_is_said_and_the_next_read_asks_anew()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(5, 2500);
        Cid root = TestTree.AddFile(blocks, content, Small).Cid;
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec)
                throw new P2PException(P2PErrorCode.NotFound, "nobody");
        };
        await using VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None);
        byte[] read = new byte[2500];
        await Assert.ThrowsExactlyAsync<P2PException>(async () => await stream.ReadExactlyAsync(read));
        blocks.OnDeliver = null;
        await stream.ReadExactlyAsync(read);
        Assert.IsTrue(content.AsSpan().SequenceEqual(read));
    }

    [TestMethod]
    public async Task A_folder_is_no_file()
    {
        await using var blocks = new MemoryBlocks();
        Cid root = new TestTree().File("d/a", "1").AddTo(blocks);
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => new DagReader(blocks).OpenAsync(root, "d", CancellationToken.None));
        Assert.AreEqual(P2PErrorCode.NotFound, error.Code);
        await Assert.ThrowsExactlyAsync<P2PException>(() => new DagReader(blocks).OpenAsync(root, "d/a/x", CancellationToken.None));
    }
}
