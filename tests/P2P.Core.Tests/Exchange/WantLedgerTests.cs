using P2P.Core.Exchange;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

[TestClass]
public sealed class WantLedgerTests
{
    private static readonly Cid[] Cids = [.. Enumerable.Range(0, 64).Select(static each => Cid.OfRaw([(byte)each]))];

    [TestMethod]
    public void The_most_important_want_is_taken_first_and_equals_in_order_of_arrival()
    {
        var ledger = new WantLedger(10);
        ledger.Apply(Block(0, 1));
        ledger.Apply(Block(1, 5));
        ledger.Apply(Block(2, 5));
        CollectionAssert.AreEqual(new[] { Cids[1], Cids[2], Cids[0] }, TakeAll(ledger));
    }

    [TestMethod]
    public void A_cancelled_want_is_not_answered()
    {
        var ledger = new WantLedger(10);
        ledger.Apply(Block(0, 1));
        ledger.Apply(WantEntry.ForCancel(Cids[0]));
        ledger.Apply(WantEntry.ForCancel(Cids[1]));
        Assert.AreEqual(0, ledger.PendingCount);
        Assert.IsFalse(ledger.TryTake(out _));
    }

    [TestMethod]
    public void A_want_for_the_block_upgrades_one_for_its_presence_and_is_never_weakened()
    {
        var ledger = new WantLedger(10);
        ledger.Apply(WantEntry.ForHave(Cids[0], 1));
        ledger.Apply(Block(0, 2));
        ledger.Apply(new WantEntry(Cids[0], 3, WantKind.Have, Cancel: false, SendDontHave: false));
        Assert.IsTrue(ledger.TryTake(out LedgerWant? want));
        Assert.AreEqual(WantKind.Block, want.Kind);
        Assert.AreEqual(3, want.Priority);
        Assert.IsTrue(want.SendDontHave);
        Assert.IsFalse(ledger.TryTake(out _));
    }

    [TestMethod]
    public void A_full_wantlist_replaces_what_was_wanted_before()
    {
        var ledger = new WantLedger(10);
        ledger.Apply(Block(0, 1));
        ledger.Apply(Block(1, 1));
        ledger.EndWantlist(full: false);
        ledger.Apply(Block(1, 1));
        ledger.Apply(Block(2, 1));
        ledger.EndWantlist(full: true);
        CollectionAssert.AreEquivalent(new[] { Cids[1], Cids[2] }, TakeAll(ledger));
    }

    [TestMethod]
    public void A_want_for_an_absent_block_waits_until_the_block_is_there()
    {
        var ledger = new WantLedger(10);
        ledger.Apply(new WantEntry(Cids[0], 1, WantKind.Block, Cancel: false, SendDontHave: false));
        Assert.IsTrue(ledger.TryTake(out LedgerWant? want));
        ledger.Remember(want);
        Assert.AreEqual(1, ledger.AbsentCount);
        Assert.IsFalse(ledger.TryTake(out _));
        Assert.IsFalse(ledger.OnAvailable(Cids[1].Key));
        Assert.IsTrue(ledger.OnAvailable(Cids[0].Key));
        Assert.IsTrue(ledger.TryTake(out want));
        Assert.AreEqual(Cids[0], want.Cid);
    }

    [TestMethod]
    public void What_is_given_back_does_not_replace_a_newer_want()
    {
        var ledger = new WantLedger(10);
        ledger.Apply(Block(0, 1));
        ledger.TryTake(out LedgerWant? old);
        ledger.Apply(Block(0, 9));
        ledger.GiveBack(old!);
        Assert.IsTrue(ledger.TryTake(out LedgerWant? want));
        Assert.AreEqual(9, want.Priority);
        Assert.IsFalse(ledger.TryTake(out _));
    }

    [TestMethod]
    public void Above_the_capacity_absent_wants_go_first_and_then_the_least_important()
    {
        var ledger = new WantLedger(3);
        for (int i = 0; i < 3; i++)
            ledger.Apply(Block(i, i));
        ledger.TryTake(out LedgerWant? absent);
        ledger.Remember(absent!);
        ledger.Apply(Block(3, 7));
        Assert.AreEqual(0, ledger.AbsentCount);
        ledger.Apply(Block(4, 8));
        ledger.Apply(Block(5, -1)); // less important than all: not taken
        CollectionAssert.AreEqual(new[] { Cids[4], Cids[3], Cids[1] }, TakeAll(ledger));
    }

    [TestMethod]
    public void Whatever_is_sent_the_ledger_stays_bounded_and_consistent()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            var ledger = new WantLedger(8);
            for (int step = 0; step < 300; step++)
            {
                int which = random.Next(Cids.Length);
                switch (random.Next(7))
                {
                    case 0:
                        ledger.Apply(WantEntry.ForCancel(Cids[which]));
                        break;
                    case 1:
                        ledger.EndWantlist(random.Next(4) == 0);
                        break;
                    case 2 when ledger.TryTake(out LedgerWant? want):
                        if (random.Next(2) == 0)
                            ledger.Remember(want);
                        else
                            ledger.GiveBack(want);
                        break;
                    case 3:
                        ledger.OnAvailable(Cids[which].Key);
                        break;
                    default:
                        ledger.Apply(new WantEntry(Cids[which], random.Next(-3, 4), (WantKind)random.Next(2), Cancel: false, SendDontHave: random.Next(2) == 0));
                        break;
                }

                Assert.IsLessThanOrEqualTo(8, ledger.PendingCount + ledger.AbsentCount, $"seed {seed}");
            }

            int pending = ledger.PendingCount;
            Assert.HasCount(pending, TakeAll(ledger).Distinct().ToList(), $"seed {seed}");
        }
    }

    private static WantEntry Block(int which, int priority) => WantEntry.ForBlock(Cids[which], priority);

    private static List<Cid> TakeAll(WantLedger ledger)
    {
        List<Cid> taken = [];
        while (ledger.TryTake(out LedgerWant? want))
            taken.Add(want.Cid);
        return taken;
    }
}
