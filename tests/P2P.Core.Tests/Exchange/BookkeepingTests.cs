using P2P.Core.Exchange;

namespace P2P.Core.Tests.Exchange;

[TestClass]
public sealed class BookkeepingTests
{
    [TestMethod]
    public void A_block_sent_again_within_a_minute_is_noticed_and_later_it_is_not()
    {
        var asks = new RepeatedAsks();
        Cid a = Cid.OfRaw("a"u8), b = Cid.OfRaw("b"u8);
        Assert.IsFalse(asks.Note(a.Key, TimeSpan.Zero));
        Assert.IsTrue(asks.Note(a.Key, TimeSpan.FromSeconds(30)));
        Assert.IsFalse(asks.Note(b.Key, TimeSpan.FromSeconds(59)));
        Assert.IsTrue(asks.Note(b.Key, TimeSpan.FromSeconds(118)));
        Assert.IsFalse(asks.Note(a.Key, TimeSpan.FromSeconds(400)));
    }

    [TestMethod]
    public void Repeated_asks_are_remembered_in_bounded_memory()
    {
        var asks = new RepeatedAsks();
        for (int i = 0; i < 50_000; i++)
            Assert.IsFalse(asks.Note(Cid.OfRaw(BitConverter.GetBytes(i)).Key, TimeSpan.FromSeconds(i * 0.001)));
        Assert.IsTrue(asks.Note(Cid.OfRaw(BitConverter.GetBytes(49_999)).Key, TimeSpan.FromSeconds(50)));
        Assert.IsFalse(asks.Note(Cid.OfRaw(BitConverter.GetBytes(0)).Key, TimeSpan.FromSeconds(50)));
    }

    [TestMethod]
    public void Recent_keys_forget_the_oldest()
    {
        var recent = new RecentKeys(2);
        Cid a = Cid.OfRaw("a"u8), b = Cid.OfRaw("b"u8), c = Cid.OfRaw("c"u8);
        recent.Add(a.Key);
        recent.Add(b.Key);
        recent.Add(b.Key);
        recent.Add(c.Key);
        Assert.IsFalse(recent.Contains(a.Key));
        Assert.IsTrue(recent.Contains(b.Key));
        Assert.IsTrue(recent.Contains(c.Key));
    }

    [TestMethod]
    public void Bytes_are_counted_for_the_last_thousand_peers_and_in_all()
    {
        var bytes = new PeerBytes();
        for (int i = 0; i < 2_000; i++)
        {
            bytes.Add(Peer(i), 10);
            bytes.Add(Peer(0), 1);
        }

        Assert.AreEqual(22_000, bytes.Total);
        Assert.HasCount(1_024, bytes.Snapshot());
        Assert.AreEqual(2_010, bytes.Of(Peer(0)));
        Assert.AreEqual(0, bytes.Of(Peer(1)));
        Assert.AreEqual(10, bytes.Of(Peer(1_999)));
    }

    [TestMethod]
    public void The_rate_follows_what_comes()
    {
        var meter = new RateMeter();
        for (int i = 1; i <= 20; i++)
            meter.Measure(i * 500_000L, TimeSpan.FromSeconds(i * 0.5));
        Assert.AreEqual(1e6, meter.BytesPerSecond, 1);
        for (int i = 21; i <= 40; i++)
            meter.Measure(10_000_000, TimeSpan.FromSeconds(i * 0.5));
        Assert.IsLessThan(1e3, meter.BytesPerSecond);
    }

    private static PeerId Peer(int number)
    {
        byte[] id = [0x12, 32, .. new byte[28], .. BitConverter.GetBytes(number)];
        return PeerId.TryFromBytes(id, out PeerId peer) ? peer : throw new InvalidOperationException();
    }
}
