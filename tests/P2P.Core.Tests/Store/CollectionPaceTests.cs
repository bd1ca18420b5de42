using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store;

/// <summary>A collection that leaves room for others, and hurries when nobody else is there.</summary>
[TestClass]
public sealed class CollectionPaceTests
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(10);

    [TestMethod]
    [DataRow(null)]
    [DataRow(false)]
    public void Without_others_it_does_not_rest(bool? isBusy)
    {
        VirtualTime time = new();
        CollectionPace pace = new(isBusy is null ? null : () => isBusy.Value, time);
        Assert.IsTrue(pace.RunAsync(() => Work(time, Slice), CancellationToken.None).IsCompletedSuccessfully);
        Assert.AreEqual(0, time.PendingTimers);
    }

    [TestMethod]
    public async Task Beside_others_it_rests_twice_as_long_as_a_slice_takes()
    {
        VirtualTime time = new();
        CollectionPace pace = new(() => true, time);
        Task slice = pace.RunAsync(() => Work(time, Slice), CancellationToken.None);
        time.Advance((2 * Slice) - TimeSpan.FromMilliseconds(1));
        Assert.IsFalse(slice.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await slice;
    }

    [TestMethod]
    public async Task A_slice_that_stood_still_is_not_made_up_for_and_a_rest_can_be_ended()
    {
        VirtualTime time = new();
        CollectionPace pace = new(() => true, time);
        Task slice = pace.RunAsync(() => Work(time, TimeSpan.FromHours(1)), CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(1));
        await slice;

        using CancellationTokenSource stop = new();
        Task stopped = pace.RunAsync(() => Work(time, Slice), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => stopped);
    }

    private static Task Work(VirtualTime time, TimeSpan span)
    {
        time.Advance(span);
        return Task.CompletedTask;
    }
}
