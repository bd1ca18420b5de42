using P2P.Testing;

namespace P2P.Core.Tests.TestKit;

[TestClass]
public sealed class VirtualTimeTests
{
    [TestMethod]
    public void Timers_fire_in_order_at_their_own_time()
    {
        VirtualTime time = new();
        List<(string Name, double At)> fired = [];
        using ITimer late = time.CreateTimer(_ => fired.Add(("late", time.Elapsed.TotalSeconds)), null, TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using ITimer ticking = time.CreateTimer(_ => fired.Add(("tick", time.Elapsed.TotalSeconds)), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using ITimer changed = time.CreateTimer(_ => fired.Add(("changed", time.Elapsed.TotalSeconds)), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        changed.Change(TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        time.CreateTimer(_ => fired.Add(("disposed", 0)), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan).Dispose();
        Assert.AreEqual(3, time.PendingTimers);
        time.Advance(TimeSpan.FromSeconds(6));
        CollectionAssert.AreEqual(new[] { ("tick", 2.0), ("late", 3.0), ("tick", 4.0), ("changed", 5.0), ("tick", 6.0) }, fired);
        Assert.AreEqual(TimeSpan.FromSeconds(6), time.Elapsed);
        Assert.AreEqual(new DateTimeOffset(2030, 1, 1, 0, 0, 6, TimeSpan.Zero), time.GetUtcNow());
    }

    [TestMethod]
    public async Task Delays_and_deadlines_follow_the_clock()
    {
        VirtualTime time = new();
        using CancellationTokenSource deadline = new(TimeSpan.FromMinutes(1), time);
        Task delay = Task.Delay(TimeSpan.FromSeconds(10), time, deadline.Token);
        Task never = Task.Delay(Timeout.InfiniteTimeSpan, time, deadline.Token);
        time.Advance(TimeSpan.FromSeconds(9.99));
        Assert.IsFalse(delay.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.01));
        await delay;
        await time.AdvanceUntilAsync(() => never.IsCompleted, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2));
        await Assert.ThrowsAsync<OperationCanceledException>(() => never);
    }
}
