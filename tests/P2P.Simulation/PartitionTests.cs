using System.Globalization;
using P2P.Tests.Shared;

namespace P2P.Simulation;

/// <summary>Goal: a network that falls apart works in each part and becomes one again within half an hour; clients find as well as servers do.</summary>
[TestClass]
public sealed class PartitionTests
{
    private const ulong Seed = 20261126;

    /// <summary>Half hours that are given to them (count).</summary>
    private const int Halves = 2;

    [TestMethod]
    public void Two_halves_work_alone_and_grow_together_again() => Run(servers: 200, clients: 100);

    [TestMethod]
    [SlowTest]
    public void Two_halves_of_three_thousand_work_alone_and_grow_together_again() => Run(servers: 2_000, clients: 1_000);

    private static void Run(int servers, int clients)
    {
        var scenario = new PartitionScenario(servers, clients, Seed);
        scenario.Advance(TimeSpan.FromHours(1));
        double whole = scenario.Exact(300);
        scenario.Split();
        scenario.Advance(TimeSpan.FromHours(1));
        double halves = scenario.Exact(300);
        scenario.Heal();
        List<double> healed = [];
        while (healed.Count < Halves)
        {
            scenario.Advance(TimeSpan.FromMinutes(30));
            healed.Add(scenario.Exact(300));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{servers} servers and {clients} clients: exact {whole:P1}, {halves:P1} in the halves after an hour; each half hour after they came together {string.Join(", ", healed.Select(static part => part.ToString("P1", CultureInfo.InvariantCulture)))}"));
        Assert.IsGreaterThanOrEqualTo(0.99, whole);
        Assert.IsGreaterThanOrEqualTo(0.99, halves);
        Assert.IsGreaterThanOrEqualTo(0.99, healed[0]);
    }
}
