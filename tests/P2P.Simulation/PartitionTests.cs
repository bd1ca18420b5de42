using System.Globalization;
using P2P.Tests.Shared;

namespace P2P.Simulation;

/// <summary>Goal: a network that falls apart works in each part, and is one network again soon after it comes together; clients find as well as servers do.</summary>
[TestClass]
public sealed class PartitionTests
{
    private const ulong Seed = 20261126;

    [TestMethod]
    public void Two_halves_work_alone_and_grow_together() => Run(servers: 200, clients: 100);

    [TestMethod]
    [SlowTest]
    public void Two_halves_of_three_thousand_work_alone_and_grow_together() => Run(servers: 2_000, clients: 1_000);

    private static void Run(int servers, int clients)
    {
        var scenario = new PartitionScenario(servers, clients, Seed);
        scenario.Advance(TimeSpan.FromHours(1));
        double whole = scenario.Exact(300);
        scenario.Split();
        scenario.Advance(TimeSpan.FromHours(1));
        double halves = scenario.Exact(300);
        scenario.Heal();
        scenario.Advance(TimeSpan.FromMinutes(30));
        double healed = scenario.Exact(300);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{servers} servers and {clients} clients: exact {whole:P1}, {halves:P1} in the halves after an hour, {healed:P1} half an hour after they came together"));
        Assert.IsGreaterThanOrEqualTo(0.99, whole);
        Assert.IsGreaterThanOrEqualTo(0.97, halves);
        Assert.IsGreaterThanOrEqualTo(0.97, healed);
    }
}
