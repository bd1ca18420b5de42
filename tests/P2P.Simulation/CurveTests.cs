using P2P.Tests.Shared;

namespace P2P.Simulation;

/// <summary>
/// Draws the pictures of docs/simulation.md. A script rather than a test: P2P_SLOW=1 and P2P_CURVES, the folder that they are written to.
/// </summary>
[TestClass]
[SlowTest]
public sealed class CurveTests
{
    private const ulong Seed = 20261126;

    [TestMethod]
    public void Copies_after_four_in_ten_vanish()
    {
        var scenario = new DurabilityScenario(DurabilityTests.Home with { MedianSession = TimeSpan.FromDays(3000), Final = 0, SmallShares = 600, LargeShares = 0 }, Seed);
        scenario.Begin();
        scenario.Advance(TimeSpan.FromHours(3));
        List<(double, double)>[] lines = [[], [], []];
        Note(-0.5);
        scenario.Kill(400);
        for (double hours = 0; hours <= 10; hours += 0.25)
        {
            Note(hours);
            scenario.Advance(TimeSpan.FromHours(0.25));
        }

        var chart = new LineChart("400 of 1,000 holders vanish at one instant: copies that blocks have", "hours since", "percent of the blocks") { Highest = 100 };
        chart.Add("5 or more", lines[2]);
        chart.Add("3 or 4", lines[1]);
        chart.Add("1 or 2", lines[0]);
        Write(chart, "copies-after-loss.svg");
        Assert.AreEqual(100.0, lines[2][^1].Item2, 0.5);

        void Note(double hours)
        {
            int[] copies = scenario.Histogram();
            double all = copies.Sum();
            int[] counts = [copies[1] + copies[2], copies[3] + copies[4], copies.AsSpan(5).ToArray().Sum()];
            for (int i = 0; i < lines.Length; i++)
                lines[i].Add((Math.Max(0, hours), 100 * counts[i] / all));
        }
    }

    [TestMethod]
    public void Blocks_lost_when_nobody_comes_back()
    {
        const int Days = 30, Seeds = 2;
        (double X, double Y)[] real = new (double, double)[Days + 1], reference = new (double, double)[Days + 1];
        for (ulong seed = Seed; seed < Seed + Seeds; seed++)
        {
            var scenario = new DurabilityScenario(DurabilityTests.Passing, seed);
            var model = new ReferenceDurability(DurabilityTests.Passing, seed);
            scenario.Begin();
            model.Begin();
            for (int day = 0; day <= Days; day++)
            {
                real[day] = (day, real[day].Y + (scenario.Histogram()[0] / (double)Seeds));
                reference[day] = (day, reference[day].Y + (model.LostBlocks / (double)Seeds));
                scenario.Advance(TimeSpan.FromDays(1));
                model.Advance(24);
            }
        }

        var chart = new LineChart("No holder ever comes back, half of them stay less than an hour", "days", "of 9,995 blocks lost for ever");
        chart.Add("this program", real);
        chart.Add("the reference", reference);
        Write(chart, "lost-blocks.svg");
    }

    [TestMethod]
    public void Providers_found_while_nodes_come_and_go()
    {
        var scenario = new ChurnScenario(new ChurnSettings(), Seed);
        scenario.Run();
        var chart = new LineChart("Searches that find the provider; announced at 0, 22 and 44 h", "hours", "percent") { Lowest = 95, Highest = 100 };
        chart.Add("found", [.. scenario.Hours.Select(static (hour, at) => ((double)at, 100.0 * hour.Found / hour.Made))]);
        Write(chart, "found-under-churn.svg");
    }

    private static void Write(LineChart chart, string name)
    {
        string folder = Environment.GetEnvironmentVariable("P2P_CURVES") is { Length: > 0 } wanted ? wanted : Directory.CreateTempSubdirectory("p2p-curves-").FullName;
        File.WriteAllText(Path.Combine(folder, name), chart.ToString());
        Console.WriteLine(Path.Combine(folder, name));
    }
}
