using System.Net;
using P2P.Core.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

[TestClass]
public sealed class DialLimitsTests
{
    [TestMethod]
    public void A_bucket_lets_a_burst_through_and_then_its_rate()
    {
        TokenBucket bucket = new(200, 5, TimeSpan.TicksPerSecond);
        int taken = 0;
        for (long now = 0; now <= 60 * TimeSpan.TicksPerSecond; now += TimeSpan.TicksPerMillisecond)
        {
            while (bucket.TryTake(now) == TimeSpan.Zero)
            {
                taken++;
            }
        }

        Assert.AreEqual(500, taken, 1);
        TimeSpan wait = bucket.TryTake(60 * TimeSpan.TicksPerSecond);
        Assert.IsGreaterThan(TimeSpan.Zero, wait);
        Assert.AreEqual(TimeSpan.Zero, bucket.TryTake((60 * TimeSpan.TicksPerSecond) + wait.Ticks));
    }

    [TestMethod]
    public void A_failing_peer_is_left_alone_longer_each_time_and_not_at_all_once_reached()
    {
        VirtualTime time = new();
        DialBackoff backoff = new(time, new SeededRandom(1));
        PeerId peer = new PeerIdOfNobody().Id;
        Assert.AreEqual(TimeSpan.Zero, backoff.RemainingFor(peer));
        TimeSpan last = TimeSpan.Zero;
        for (int i = 0; i < 6; i++)
        {
            backoff.OnPeerFailed(peer);
            TimeSpan pause = backoff.RemainingFor(peer);
            Assert.IsGreaterThan(last * 1.5, pause);
            last = pause;
            time.Advance(pause);
            Assert.AreEqual(TimeSpan.Zero, backoff.RemainingFor(peer));
        }

        for (int i = 0; i < 40; i++)
        {
            backoff.OnPeerFailed(peer);
        }

        Assert.IsLessThanOrEqualTo(DialBackoff.MaxPause * 1.25, backoff.RemainingFor(peer));
        backoff.OnPeerReached(peer);
        Assert.AreEqual(TimeSpan.Zero, backoff.RemainingFor(peer));
    }

    [TestMethod]
    public void An_ip_address_is_held_back_by_three_failures_within_ten_minutes()
    {
        VirtualTime time = new();
        DialBackoff backoff = new(time, new SeededRandom(1), maxEntries: 10);
        IPAddress address = IPAddress.Parse("1.2.3.4");
        for (int i = 0; i < 3; i++)
        {
            Assert.IsFalse(backoff.IsHeldBack(address));
            backoff.OnHandshakeFailed(address);
            time.Advance(TimeSpan.FromMinutes(3));
        }

        Assert.IsTrue(backoff.IsHeldBack(address));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.IsFalse(backoff.IsHeldBack(address));
        for (int i = 0; i < 12; i++)
        {
            backoff.OnHandshakeFailed(new IPAddress(i));
        }

        backoff.OnHandshakeFailed(address);
        Assert.IsFalse(backoff.IsHeldBack(address), "Its entry should have made room.");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_budget_bounds_what_is_in_flight_for_far_addresses_only()
    {
        VirtualTime time = new();
        using DialBudget budget = new(new ConnectionOptions { MaxDialsInFlight = 3, MaxBackgroundDialsInFlight = 1 }, time);
        List<IDisposable> held = [];
        for (int i = 0; i < 3; i++)
        {
            held.Add(await budget.EnterAsync(new IPAddress(i), false, DialPurpose.Awaited, CancellationToken.None));
        }

        Task<IDisposable> fourth = budget.EnterAsync(new IPAddress(9), false, DialPurpose.Awaited, CancellationToken.None);
        Assert.IsFalse(fourth.IsCompleted);
        using (await budget.EnterAsync(new IPAddress(10), true, DialPurpose.Awaited, CancellationToken.None))
        using (await budget.EnterAsync(new IPAddress(11), false, DialPurpose.Background, CancellationToken.None))
        {
            Assert.IsFalse(fourth.IsCompleted);
        }

        held[0].Dispose();
        (await fourth).Dispose();
        using CancellationTokenSource canceled = new();
        using (await budget.EnterAsync(new IPAddress(1), true, DialPurpose.Awaited, CancellationToken.None))
        {
            Task<IDisposable> third = budget.EnterAsync(new IPAddress(1), true, DialPurpose.Awaited, canceled.Token);
            Assert.IsFalse(third.IsCompleted, "Two dials to one address are in flight.");
            await canceled.CancelAsync();
            await Assert.ThrowsAsync<OperationCanceledException>(() => third);
        }

        held[1].Dispose();
        held[2].Dispose();
    }
}
