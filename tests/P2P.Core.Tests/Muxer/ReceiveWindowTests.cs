using P2P.Core.Muxer;

namespace P2P.Core.Tests.Muxer;

[TestClass]
public sealed class ReceiveWindowTests
{
    private const int Initial = YamuxOptions.InitialWindowBytes;
    private const int Max = 16 * 1024 * 1024;
    private static readonly YamuxOptions Options = new() { MaxWindowBytes = Max };

    [TestMethod]
    public void The_first_window_is_exactly_256_KiB()
    {
        var window = new ReceiveWindow(Options, new ReceiveBudget(Max));
        Assert.IsTrue(window.TryReceive(262144));
        Assert.IsFalse(window.TryReceive(1));
    }

    [TestMethod]
    public void An_update_goes_out_when_half_is_consumed_and_restores_the_window()
    {
        var window = new ReceiveWindow(Options, new ReceiveBudget(Max));
        Assert.IsTrue(window.TryReceive(Initial));
        Assert.AreEqual(0, window.OnConsumed((Initial / 2) - 1, 0, 0));
        Assert.AreEqual(Initial / 2, window.OnConsumed(1, 0, 0));
        Assert.AreEqual(Initial / 2, window.Available);
        Assert.AreEqual(Initial / 2, window.OnConsumed(Initial / 2, 0, 0));
        Assert.AreEqual(Initial, window.Available);
    }

    [TestMethod]
    public void Two_updates_within_four_round_trips_double_the_window_up_to_the_maximum()
    {
        var window = new ReceiveWindow(Options, new ReceiveBudget(Max));
        long now = 0;
        for (int target = Initial; target < Max; target *= 2)
        {
            Assert.AreEqual(target, window.Target);
            ConsumeHalf(window, now += 1000, fourRoundTrips: 100); // late: only begins to measure
            Assert.AreEqual(target, window.Target);
            ConsumeHalf(window, now += 99, fourRoundTrips: 100);
            Assert.AreEqual(target * 2, window.Target);
        }
        ConsumeHalf(window, now + 1, fourRoundTrips: 100);
        Assert.AreEqual(Max, window.Target);
    }

    [TestMethod]
    public void An_unknown_round_trip_leaves_the_window_alone()
    {
        var window = new ReceiveWindow(Options, new ReceiveBudget(Max));
        for (int i = 0; i < 10; i++)
            ConsumeHalf(window, now: 0, fourRoundTrips: 0);
        Assert.AreEqual(Initial, window.Target);
    }

    [TestMethod]
    public void A_grant_raises_the_window_at_once_within_maximum_and_budget()
    {
        var budget = new ReceiveBudget(5 * 1024 * 1024);
        var first = new ReceiveWindow(new YamuxOptions { MaxWindowBytes = 4 * 1024 * 1024 }, budget);
        Assert.AreEqual((4 * 1024 * 1024) - Initial, first.Grant(100 * 1024 * 1024));
        Assert.AreEqual(0, first.Grant(1));
        var second = new ReceiveWindow(new YamuxOptions { MaxWindowBytes = 4 * 1024 * 1024 }, budget);
        Assert.AreEqual((1024 * 1024) + Initial, second.Grant(4 * 1024 * 1024), "what the budget has left");
        Assert.AreEqual(0, budget.Left);
        first.Close();
        second.Close();
        first.Close();
        Assert.AreEqual(5 * 1024 * 1024, budget.Left);
    }

    [TestMethod]
    public void Unread_bytes_count_against_the_window()
    {
        var window = new ReceiveWindow(Options, new ReceiveBudget(Max));
        Assert.IsTrue(window.TryReceive(100_000));
        Assert.AreEqual(Initial, window.Grant(2 * Initial));
        Assert.AreEqual((2 * Initial) - 100_000, window.Available);
    }

    [TestMethod]
    public void Credit_beyond_two_GiB_is_refused()
    {
        var window = new SendWindow();
        Assert.IsTrue(window.TryGrow(int.MaxValue - Initial));
        Assert.IsFalse(window.TryGrow(1));
        Assert.IsFalse(new SendWindow().TryGrow(uint.MaxValue));
    }

    private static void ConsumeHalf(ReceiveWindow window, long now, long fourRoundTrips)
    {
        // In steps of the update size, as a reader of frames does, so that the credit never runs out.
        for (int left = window.Target / 2; left > 0;)
        {
            int step = Math.Min(left, 128 * 1024);
            Assert.IsTrue(window.TryReceive((uint)step));
            window.OnConsumed(step, now, fourRoundTrips);
            left -= step;
        }
    }
}
