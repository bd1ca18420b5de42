using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Goal: a stream fetches what is read and little more, and may be left at any moment. Method: blocks in memory that wait, fail and count.</summary>
[TestClass]
public sealed class VerifiedStreamTests
{
    private const int Leaf = 1000;

    private static readonly UnixFsProfile Small = UnixFsProfile.V1_2025 with { Name = "test", ChunkBytes = Leaf, Width = 4 };

    [TestMethod]
    public async Task Around_every_border_the_bytes_are_right_and_only_their_blocks_are_fetched()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(3, (9 * Leaf) + 7);
        Cid root = TestTree.AddFile(blocks, content, Small).Cid;
        for (int border = 0; border <= content.Length; border += Leaf)
        {
            for (int from = Math.Max(0, border - 2); from <= Math.Min(content.Length, border + 2); from++)
            {
                for (int to = from; to <= Math.Min(content.Length, border + 3); to++)
                {
                    await using VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None);
                    int before = blocks.NodesServed;
                    stream.Position = from;
                    byte[] read = new byte[to - from];
                    await stream.ReadExactlyAsync(read);
                    Assert.IsTrue(content.AsSpan(from, read.Length).SequenceEqual(read), $"{from}..{to}");
                    int leaves = to == from ? 0 : ((to - 1) / Leaf) - (from / Leaf) + 1;
                    int nodes = to == from ? 0 : 2 * leaves; // at most one inner node each on the way
                    bool readsHalf = leaves > 0 && ((to - 1) % Leaf) + 1 >= Math.Min(Leaf, content.Length - ((to - 1) / Leaf * Leaf)) / 2; // then one more is begun
                    Assert.IsLessThanOrEqualTo(leaves + nodes + (readsHalf || leaves > 1 ? 4 : 1), blocks.NodesServed - before, $"{from}..{to}");
                }
            }
        }
    }

    [TestMethod]
    public async Task Many_small_reads_here_and_there_fetch_one_block_each()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(3, 200 * Leaf);
        Cid root = TestTree.AddFile(blocks, content, Small with { Width = 1024 }).Cid;
        await using VerifiedStream stream = await new DagReader(blocks).OpenAsync(root, null, CancellationToken.None);
        int before = blocks.NodesServed;
        var random = new Random(5);
        byte[] read = new byte[100];
        for (int i = 0; i < 100; i++)
        {
            stream.Position = ((i * 37 % 200) * Leaf) + random.Next(Leaf / 4);
            await stream.ReadExactlyAsync(read);
        }

        Assert.AreEqual(100, blocks.NodesServed - before);
    }

    [TestMethod]
    public async Task Who_goes_on_finds_the_next_block_asked_for_and_more_each_time_it_had_to_wait()
    {
        await using var blocks = new MemoryBlocks();
        using var gate = new GatedBlocks(blocks);
        byte[] content = TestTree.Random(3, 40 * Leaf);
        Cid root = TestTree.AddFile(blocks, content, Small with { Width = 1024 }).Cid;
        gate.Open(1);
        await using VerifiedStream stream = await new DagReader(gate).OpenAsync(root, null, CancellationToken.None);
        byte[] read = new byte[Leaf];
        ValueTask first = stream.ReadExactlyAsync(read.AsMemory(0, 100));
        Assert.HasCount(2, gate.Asked, "the root and the first block");
        gate.Open(1);
        await first;
        Assert.HasCount(2, gate.Asked);
        await stream.ReadExactlyAsync(read.AsMemory(0, 500));
        Assert.HasCount(3, gate.Asked, "past the middle the next is asked for");

        int ahead = 0;
        for (int block = 1; block < 5; block++)
        {
            stream.Position = block * Leaf;
            Task next = stream.ReadExactlyAsync(read).AsTask();
            Assert.IsFalse(next.IsCompleted, "it has to wait");
            int now = gate.Asked.Count - 2 - block; // besides the root and those up to this one
            Assert.IsGreaterThanOrEqualTo(ahead, now);
            ahead = now;
            gate.Open(1);
            await next;
            Assert.IsTrue(content.AsSpan(block * Leaf, Leaf).SequenceEqual(read));
        }

        Assert.IsGreaterThanOrEqualTo(4, ahead);
        gate.Open(1000);
    }

    [TestMethod]
    public async Task A_read_across_borders_asks_for_all_its_blocks_at_once()
    {
        await using var blocks = new MemoryBlocks();
        using var gate = new GatedBlocks(blocks);
        byte[] content = TestTree.Random(3, 40 * Leaf);
        Cid root = TestTree.AddFile(blocks, content, Small with { Width = 1024 }).Cid;
        gate.Open(1);
        await using VerifiedStream stream = await new DagReader(gate).OpenAsync(root, null, CancellationToken.None);
        stream.Position = (10 * Leaf) + 600;
        byte[] read = new byte[3 * Leaf];
        Task reading = stream.ReadExactlyAsync(read).AsTask();
        Assert.HasCount(5, gate.Asked, "the root and four blocks");
        gate.Open(1000);
        await reading;
        Assert.IsTrue(content.AsSpan((10 * Leaf) + 600, read.Length).SequenceEqual(read));
    }

    [TestMethod]
    public async Task It_may_be_left_while_it_reads()
    {
        await using var blocks = new MemoryBlocks();
        using var gate = new GatedBlocks(blocks);
        Cid root = TestTree.AddFile(blocks, TestTree.Random(3, 40 * Leaf), Small).Cid;
        for (int opened = 0; opened < 12; opened++)
        {
            gate.Open(1);
            VerifiedStream stream = await new DagReader(gate).OpenAsync(root, null, CancellationToken.None);
            Task read = stream.ReadExactlyAsync(new byte[10 * Leaf]).AsTask();
            if (opened > 0)
                gate.Open(opened);
            Task left = opened % 2 == 0 ? stream.DisposeAsync().AsTask() : Task.Run(stream.Dispose);
            await left;
            if (opened < 10)
                await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => read);
            else
                await read.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.IsFalse(stream.CanRead);
            await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[1]).AsTask());
            while (gate.Waiting > 0)
                await Task.Yield();
            while (gate.TryTake())
            {
                // what this round left open must not serve the next
            }
        }

        for (int i = 0; i < 10_000 && blocks.Buffers.RentedCount > 0; i++)
            await Task.Yield();
        Assert.AreEqual(0, blocks.Buffers.RentedCount, string.Join(", ", blocks.Buffers.DescribeRented()));
    }

    [TestMethod]
    public async Task What_failed_ahead_of_the_reader_is_asked_for_again_when_it_gets_there()
    {
        await using var blocks = new MemoryBlocks();
        byte[] content = TestTree.Random(3, 3 * Leaf);
        Cid root = TestTree.AddFile(blocks, content, Small).Cid;
        var source = new FailingOnce(blocks, Cid.OfRaw(content.AsSpan(Leaf, Leaf)));
        await using VerifiedStream stream = await new DagReader(source).OpenAsync(root, null, CancellationToken.None);
        byte[] read = new byte[content.Length];
        await stream.ReadExactlyAsync(read.AsMemory(0, Leaf));
        Assert.IsTrue(source.HasFailed, "it was loaded ahead");
        await stream.ReadExactlyAsync(read.AsMemory(Leaf));
        Assert.IsTrue(content.AsSpan().SequenceEqual(read));
    }

    /// <summary>Fails at once when one block is asked for the first time.</summary>
    private sealed class FailingOnce(MemoryBlocks inner, Cid failing) : IBlockSource
    {
        public bool HasFailed { get; private set; }

        public ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken)
        {
            if (cid != failing || HasFailed)
                return inner.GetAsync(cid, cancellationToken);
            HasFailed = true;
            return ValueTask.FromException<BlockBuffer>(new P2PException(P2PErrorCode.Unreachable, "away"));
        }

        public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken) =>
            inner.RequestAsync(cid, expectedBytes, sink, tag, cancellationToken);
    }
}
