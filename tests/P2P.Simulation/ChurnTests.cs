using System.Globalization;
using P2P.Tests.Shared;

namespace P2P.Simulation;

/// <summary>Goal: what was announced is found although those who keep the announcement come and go.</summary>
[TestClass]
public sealed class ChurnTests
{
    private const ulong Seed = 20261126;

    [TestMethod]
    public void A_provider_is_found_while_nodes_come_and_go() =>
        Run(new ChurnSettings { Nodes = 300, Publishers = 20, WarmUp = TimeSpan.FromHours(6), Hours = 8, SearchesPerHour = 200 });

    [TestMethod]
    [SlowTest]
    public void A_provider_is_found_among_a_thousand_nodes_for_two_days() => Run(new ChurnSettings());

    private static void Run(ChurnSettings settings)
    {
        var scenario = new ChurnScenario(settings, Seed);
        scenario.Run();
        int made = scenario.Hours.Sum(static hour => hour.Made), found = scenario.Hours.Sum(static hour => hour.Found);
        double worst = scenario.Hours.Min(static hour => hour.Found / (double)hour.Made);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{settings.Nodes} nodes of which {scenario.OnlinePart:P0} are there, {settings.Hours} hours: {made} searches, {found / (double)made:P2} found, {worst:P2} in the worst hour; {scenario.Requests} requests"));
        Console.WriteLine("  found each hour: " + string.Join(' ', scenario.Hours.Select(static hour => (hour.Found / (double)hour.Made).ToString("0.000", CultureInfo.InvariantCulture))));
        Assert.AreEqual(settings.Hours * settings.SearchesPerHour, made);
        Assert.IsGreaterThanOrEqualTo(0.995, found / (double)made);
        Assert.IsGreaterThanOrEqualTo(0.97, worst);
    }
}
