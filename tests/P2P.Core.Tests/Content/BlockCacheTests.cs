using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>What several readers want crosses once, what was read a moment ago is there, and no buffer is lost whoever goes when.</summary>
[TestClass]
public sealed class BlockCacheTests
{
    [TestMethod]
    public async Task Readers_that_want_the_same_share_one_load_and_each_gets_a_copy()
    {
        await using var blocks = new MemoryBlocks();
        using var gate = new GatedBlocks(blocks);
        Cid cid = blocks.AddRaw([1, 2, 3]);
        using (var cache = new BlockCache(gate, blocks.Buffers, 1 << 20))
        {
            Task<BlockBuffer> first = cache.GetAsync(cid, CancellationToken.None).AsTask(), second = cache.GetAsync(cid, CancellationToken.None).AsTask();
            Assert.HasCount(1, gate.Asked);
            gate.Open(1);
            using (BlockBuffer a = await first)
            using (BlockBuffer b = await second)
            {
                a.Memory.Span[0] = 9;
                CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, b.Span.ToArray());
            }

            using (BlockBuffer again = await cache.GetAsync(cid, CancellationToken.None))
                CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, again.Span.ToArray());
            Assert.HasCount(1, gate.Asked);
        }

        Assert.AreEqual(0, blocks.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task The_oldest_go_when_it_is_full()
    {
        await using var blocks = new MemoryBlocks();
        Cid[] cids = [.. Enumerable.Range(0, 5).Select(i => blocks.AddRaw(TestTree.Random(i, 100)))];
        using (var cache = new BlockCache(blocks, blocks.Buffers, 300))
        {
            foreach (Cid cid in cids)
                (await cache.GetAsync(cid, CancellationToken.None)).Dispose();
            Assert.AreEqual(300, cache.KeptBytes);
            int before = blocks.NodesServed;
            (await cache.GetAsync(cids[2], CancellationToken.None)).Dispose();
            Assert.AreEqual(before, blocks.NodesServed, "it is among the last three");
            (await cache.GetAsync(cids[0], CancellationToken.None)).Dispose();
            (await cache.GetAsync(cids[2], CancellationToken.None)).Dispose();
            Assert.AreEqual(before + 1, blocks.NodesServed, "used a moment ago, it stays");
            (await cache.GetAsync(cids[3], CancellationToken.None)).Dispose();
            Assert.AreEqual(before + 2, blocks.NodesServed);
        }

        Assert.AreEqual(0, blocks.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task Who_gives_up_takes_nobody_along_and_the_last_ends_the_load()
    {
        await using var blocks = new MemoryBlocks();
        using var gate = new GatedBlocks(blocks);
        Cid cid = blocks.AddRaw([1]);
        using var cache = new BlockCache(gate, blocks.Buffers, 1 << 20);
        using var stop = new CancellationTokenSource();
        Task<BlockBuffer> leaves = cache.GetAsync(cid, stop.Token).AsTask(), stays = cache.GetAsync(cid, CancellationToken.None).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => leaves);
        Assert.AreEqual(1, gate.Waiting);
        gate.Open(1);
        (await stays).Dispose();

        Cid other = blocks.AddRaw([2]);
        using var stopOther = new CancellationTokenSource();
        Task<BlockBuffer> alone = cache.GetAsync(other, stopOther.Token).AsTask();
        await stopOther.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => alone);
        while (gate.Waiting > 0)
            await Task.Yield();
        gate.Open(1);
        (await cache.GetAsync(other, CancellationToken.None)).Dispose();
    }

    [TestMethod]
    public async Task A_failure_is_not_kept()
    {
        await using var blocks = new MemoryBlocks();
        Cid cid = blocks.AddRaw([1]);
        blocks.OnDeliver = _ => throw new P2PException(P2PErrorCode.NotFound, "nobody");
        using var cache = new BlockCache(blocks, blocks.Buffers, 1 << 20);
        await Assert.ThrowsExactlyAsync<P2PException>(() => cache.GetAsync(cid, CancellationToken.None).AsTask());
        blocks.OnDeliver = null;
        (await cache.GetAsync(cid, CancellationToken.None)).Dispose();
    }

    [TestMethod]
    public async Task Many_readers_coming_and_going_lose_no_buffer()
    {
        await using var blocks = new MemoryBlocks();
        Cid[] cids = [.. Enumerable.Range(0, 20).Select(i => blocks.AddRaw(TestTree.Random(i, 50)))];
        var cache = new BlockCache(blocks, blocks.Buffers, 400);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(reader => Task.Run(async () =>
        {
            var random = new Random(reader);
            for (int i = 0; i < 500; i++)
            {
                Cid cid = cids[random.Next(cids.Length)];
                using var stop = new CancellationTokenSource();
                Task<BlockBuffer> get = cache.GetAsync(cid, stop.Token).AsTask();
                if (random.Next(3) == 0)
                    await stop.CancelAsync();
                try
                {
                    using BlockBuffer block = await get;
                    Assert.IsTrue(BlockVerification.Verify(cid, block.Span));
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    continue;
                }
            }
        })));
        cache.Dispose();
        for (int i = 0; i < 1000 && blocks.Buffers.RentedCount > 0; i++)
            await Task.Yield();
        Assert.AreEqual(0, blocks.Buffers.RentedCount, string.Join(", ", blocks.Buffers.DescribeRented()));
    }
}
