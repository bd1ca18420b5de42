using P2P.Core.Blocks;

namespace P2P.Core.Tests.Blocks;

[TestClass]
public sealed class BlockBufferPoolTests
{
    [TestMethod]
    [DataRow(0, 64 << 10)]
    [DataRow(1, 64 << 10)]
    [DataRow(64 << 10, 64 << 10)]
    [DataRow((64 << 10) + 1, 256 << 10)]
    [DataRow(1 << 20, 1 << 20)]
    [DataRow((1 << 20) + 1, 2 << 20)]
    [DataRow(2 << 20, 2 << 20)]
    public void A_rented_buffer_has_the_length_asked_for_in_the_smallest_size_that_holds_it(int length, int capacity)
    {
        var pool = new BlockBufferPool();
        using BlockBuffer buffer = pool.Rent(length);
        Assert.AreEqual((length, length, capacity), (buffer.Memory.Length, buffer.Span.Length, buffer.Capacity));
    }

    [TestMethod]
    public void More_than_a_block_may_have_is_never_allocated()
    {
        var pool = new BlockBufferPool();
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pool.Rent(BlockVerification.MaxBlockBytes + 1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pool.Rent(-1));
        Assert.AreEqual(0, pool.RentedCount);
    }

    [TestMethod]
    public void What_is_returned_is_lent_again()
    {
        var pool = new BlockBufferPool();
        BlockBuffer first = pool.Rent(100);
        first.Memory.Span.Fill(7);
        first.Dispose();
        Assert.AreEqual((0, 64L << 10), (pool.RentedCount, pool.KeptBytes));
        using BlockBuffer second = pool.Rent(200);
        Assert.AreEqual((1, 0L), (pool.RentedCount, pool.KeptBytes));
#if DEBUG
        Assert.IsFalse(second.Span.ContainsAnyExcept((byte)0xFF), "rented memory is made dirty in debug builds");
#endif
    }

    [TestMethod]
    public void No_more_is_kept_than_allowed_and_nothing_after_trimming()
    {
        var pool = new BlockBufferPool(keptBytesMax: 3 << 20);
        BlockBuffer[] buffers = [.. Enumerable.Range(0, 5).Select(_ => pool.Rent(1 << 20))];
        Assert.AreEqual((5, 5L << 20), (pool.RentedCount, pool.RentedBytes));
        foreach (BlockBuffer buffer in buffers)
        {
            buffer.Dispose();
        }

        Assert.AreEqual((0, 0L, 3L << 20), (pool.RentedCount, pool.RentedBytes, pool.KeptBytes));
        pool.Trim();
        Assert.AreEqual(0, pool.KeptBytes);
        using BlockBuffer again = pool.Rent(1 << 20);
        Assert.AreEqual(1 << 20, again.Length);
    }

    [TestMethod]
    public void Disposing_twice_returns_once_and_the_bytes_are_out_of_reach()
    {
        var pool = new BlockBufferPool();
        BlockBuffer buffer = pool.Rent(10);
        buffer.Dispose();
        buffer.Dispose();
        Assert.AreEqual((0, 64L << 10), (pool.RentedCount, pool.KeptBytes));
        Assert.ThrowsExactly<ObjectDisposedException>(() => buffer.Memory);
        Assert.ThrowsExactly<ObjectDisposedException>(() => buffer.Span.Length);
    }

    [TestMethod]
    public void A_length_outside_the_capacity_is_refused()
    {
        using BlockBuffer buffer = new BlockBufferPool().Rent(10);
        buffer.Length = buffer.Capacity;
        Assert.AreEqual(buffer.Capacity, buffer.Span.Length);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => buffer.Length = buffer.Capacity + 1);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => buffer.Length = -1);
    }

    [TestMethod]
    public void The_ledger_names_who_holds_buffers()
    {
        var pool = new BlockBufferPool();
        Assert.IsEmpty(pool.DescribeRented());
        using BlockBuffer buffer = pool.Rent(10);
#if DEBUG
        Assert.AreEqual($"{nameof(The_ledger_names_who_holds_buffers)} x1", pool.DescribeRented().Single());
#else
        Assert.AreEqual("1 buffers", pool.DescribeRented().Single());
#endif
    }

    [TestMethod]
    public void Many_threads_may_rent_and_return()
    {
        var pool = new BlockBufferPool(keptBytesMax: 1 << 20);
        Parallel.For(0, 1000, i =>
        {
            using BlockBuffer buffer = pool.Rent(1 + (i % 3));
            buffer.Memory.Span.Fill((byte)i);
            Assert.IsFalse(buffer.Span.ContainsAnyExcept((byte)i), "two held the same memory");
        });
        Assert.AreEqual(0, pool.RentedCount);
        Assert.IsLessThanOrEqualTo(1L << 20, pool.KeptBytes);
    }
}
