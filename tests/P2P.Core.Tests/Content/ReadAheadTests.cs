using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>How far ahead of a reader is loaded: nothing for who picks, as much as needed for who goes on.</summary>
[TestClass]
public sealed class ReadAheadTests
{
    private const int Block = 1 << 20;

    [TestMethod]
    public void Nothing_is_loaded_ahead_until_half_of_a_block_was_read()
    {
        var window = new ReadAhead();
        Assert.AreEqual(0, window.Bytes);
        Assert.IsFalse(window.OnRead(100_000, Block));
        Assert.AreEqual(0, window.Bytes);
        Assert.IsTrue(window.OnRead(Block / 2, Block));
        Assert.IsGreaterThan(0, window.Bytes);
        Assert.IsFalse(window.OnRead(Block, Block), "it has opened already");
        window.OnJump();
        Assert.AreEqual(0, window.Bytes);
        window.OnRead(1000, Block);
        window.OnNext(isReady: false, isAllReady: false);
        Assert.AreEqual(0, window.Bytes, "a small read across a border");
    }

    [TestMethod]
    public void A_reader_that_has_to_wait_gets_twice_as_much_up_to_the_limit()
    {
        var window = new ReadAhead();
        window.OnRead(Block, Block);
        long before = 0;
        for (int i = 0; i < 4; i++)
        {
            window.OnNext(isReady: false, isAllReady: false);
            Assert.IsGreaterThan(before, window.Bytes);
            before = window.Bytes;
        }

        Assert.AreEqual(8L * Block, before);
        for (int i = 0; i < 10; i++)
            window.OnNext(isReady: false, isAllReady: false);
        Assert.AreEqual(ReadAhead.MaxBytes, window.Bytes);
    }

    [TestMethod]
    public void A_reader_that_never_waits_gets_less_again_but_never_nothing()
    {
        var window = new ReadAhead();
        window.OnRead(Block, Block);
        for (int i = 0; i < 10; i++)
            window.OnNext(isReady: false, isAllReady: false);
        for (int i = 0; i < 15; i++)
            window.OnNext(isReady: true, isAllReady: true);
        Assert.AreEqual(ReadAhead.MaxBytes, window.Bytes);
        window.OnNext(isReady: true, isAllReady: false); // the line is not idle: it counts anew
        for (int i = 0; i < 16; i++)
            window.OnNext(isReady: true, isAllReady: true);
        Assert.AreEqual(ReadAhead.MaxBytes / 2, window.Bytes);
        for (int i = 0; i < 1000; i++)
            window.OnNext(isReady: true, isAllReady: true);
        Assert.IsGreaterThan(0, window.Bytes);
    }
}
