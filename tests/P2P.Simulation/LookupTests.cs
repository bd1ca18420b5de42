using System.Diagnostics;
using P2P.Tests.Shared;

namespace P2P.Simulation;

[TestClass]
public sealed class LookupTests
{
    private const ulong Seed = 20261126;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    public void A_thousand_nodes_that_joined_find_the_closest_twenty() =>
        Check(LookupScenario.Joined(1_000, Seed).Run(2_000), exact: 0.999, hops: 2, ninetyNineHops: 3, requests: 32);

    [TestMethod]
    public void Three_thousand_nodes_with_full_tables_find_the_closest_twenty() =>
        Check(LookupScenario.Filled(3_000, Seed).Run(2_000), exact: 0.999, hops: 2, ninetyNineHops: 3, requests: 34);

    [TestMethod]
    public void Lost_requests_and_poor_tables_hardly_matter() =>
        Check(LookupScenario.Filled(3_000, Seed, part: 0.75).Run(2_000, loss: 0.05), exact: 0.99, hops: 3, ninetyNineHops: 4, requests: 60);

    [TestMethod]
    [SlowTest]
    public void Ten_thousand_nodes_that_joined_find_the_closest_twenty() =>
        Check(LookupScenario.Joined(10_000, Seed).Run(10_000), exact: 0.999, hops: 2, ninetyNineHops: 3, requests: 34);

    [TestMethod]
    [SlowTest]
    public void A_hundred_thousand_nodes_find_the_closest_twenty() =>
        Check(LookupScenario.Filled(100_000, Seed).Run(10_000), exact: 0.999, hops: 3, ninetyNineHops: 4, requests: 42);

    [TestMethod]
    public void One_seed_gives_one_run()
    {
        LookupReport first = LookupScenario.Joined(200, Seed).Run(200, loss: 0.1), second = LookupScenario.Joined(200, Seed).Run(200, loss: 0.1);
        Assert.AreEqual(first, second);
        Assert.AreNotEqual(first.MedianSeconds, LookupScenario.Joined(200, Seed + 1).Run(200, loss: 0.1).MedianSeconds);
    }

    private void Check(LookupReport report, double exact, int hops, int ninetyNineHops, int requests)
    {
        TestContext.WriteLine($"{report}; {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB at most, {Environment.TickCount64} ms");
        Console.WriteLine(report);
        Assert.AreEqual(0, report.Failed);
        Assert.IsGreaterThanOrEqualTo(exact, report.Exact);
        Assert.IsLessThanOrEqualTo(hops, report.MedianHops);
        Assert.IsLessThanOrEqualTo(ninetyNineHops, report.NinetyNineHops);
        Assert.IsLessThanOrEqualTo(requests, report.MedianRequests);
    }
}
