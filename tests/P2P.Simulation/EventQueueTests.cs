namespace P2P.Simulation;

[TestClass]
public sealed class EventQueueTests
{
    [TestMethod]
    public void Things_happen_in_the_order_of_time_and_of_planning()
    {
        var queue = new EventQueue();
        List<string> seen = [];
        queue.After(TimeSpan.FromSeconds(2), () => seen.Add("late"));
        queue.After(TimeSpan.FromSeconds(1), () =>
        {
            seen.Add("first");
            queue.After(TimeSpan.Zero, () => seen.Add("at once"));
        });
        queue.After(TimeSpan.FromSeconds(1), () => seen.Add("second"));
        queue.After(TimeSpan.FromSeconds(9), () => seen.Add("never"));
        queue.Run(TimeSpan.FromSeconds(5));
        Assert.AreEqual("first second at once late", string.Join(' ', seen));
        Assert.AreEqual(TimeSpan.FromSeconds(5).Ticks, queue.Now);
    }
}
