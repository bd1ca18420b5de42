using P2P.Core.Replication;
using P2P.Testing;

namespace P2P.Core.Tests.Replication;

/// <summary>Goal: a repair takes a quarter of what its source could send.</summary>
[TestClass]
public sealed class RepairPaceTests
{
    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task After_each_slice_it_rests_three_times_as_long_as_that_took()
    {
        var time = new VirtualTime();
        var pace = new RepairPace(time);
        for (int round = 0; round < 3; round++)
        {
            pace.OnAsked((int)RepairPace.SliceBytes - 1);
            Assert.IsFalse(pace.IsSpent);
            pace.OnAsked(1);
            Assert.IsTrue(pace.IsSpent);
            time.Advance(TimeSpan.FromSeconds(2));
            Task rest = pace.RestAsync(CancellationToken.None);
            time.Advance(TimeSpan.FromSeconds(5.9));
            await Task.Delay(20);
            Assert.IsFalse(rest.IsCompleted);
            time.Advance(TimeSpan.FromSeconds(0.1));
            await rest;
            Assert.IsFalse(pace.IsSpent);
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_source_that_stalls_is_not_rested_from_for_hours()
    {
        var time = new VirtualTime();
        var pace = new RepairPace(time);
        time.Advance(TimeSpan.FromHours(1));
        Task rest = pace.RestAsync(CancellationToken.None);
        time.Advance(TimeSpan.FromMinutes(1));
        await rest;
    }
}
