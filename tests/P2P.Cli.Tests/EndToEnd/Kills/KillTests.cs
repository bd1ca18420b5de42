using System.Globalization;
using P2P.Tests.Shared;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>
/// SIGKILL at random moments of import, fetch, serving, collection and recovery: nothing half done under a final name, nothing acknowledged lost, no fetch that
/// begins from zero. <c>P2P_KILL_SEED</c> runs one seed, <c>P2P_KILLS</c> sets the number of kills of the slow set.
/// </summary>
[TestClass]
public sealed class KillTests
{
    private const int SlowKills = 1_000;
    private const int Chains = 2; // at a time: the processes of two keep two cores busy

    private static readonly int[] OrdinarySeeds = [2, 5]; // between them: imports, fetches, a collection

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public async Task Whatever_is_killed_is_whole_when_it_goes_on()
    {
        int[] seeds = Number("P2P_KILL_SEED") is { } seed ? [seed] : OrdinarySeeds;
        await RunAsync(seeds, int.MaxValue);
    }

    [TestMethod]
    [SlowTest]
    public async Task A_thousand_kills_corrupt_nothing()
    {
        int kills = Number("P2P_KILLS") ?? SlowKills;
        KillCounts counts = await RunAsync(Enumerable.Range(Number("P2P_KILL_SEED") ?? 1_000, kills), kills);
        Assert.IsGreaterThanOrEqualTo(kills, counts.Kills);
    }

    private async Task<KillCounts> RunAsync(IEnumerable<int> seeds, int enough)
    {
        if (OperatingSystem.IsWindows())
            Assert.Inconclusive("SIGKILL is of Unix");
        var times = new KillTimes();
        var counts = new KillCounts();
        var failures = new List<string>();
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = Chains }, async (seed, _) =>
        {
            if (counts.Kills >= enough)
                return;
            if (await RunAsync(seed, times, counts) is { } failure)
            {
                TestContext.DisplayMessage(MessageLevel.Error, failure); // now: the rest may take long
                lock (failures)
                    failures.Add(failure);
            }
        });
        TestContext.DisplayMessage(MessageLevel.Informational, $"{counts}, {failures.Count} seeds failed; {times}");
        Assert.IsEmpty(failures, string.Join("\n\n", failures.Take(5)));
        return counts;
    }

    /// <summary>Runs one seed. Returns what went wrong, with the command that does it again; its folder is kept.</summary>
    private static async Task<string?> RunAsync(int seed, KillTimes times, KillCounts counts)
    {
        var chain = new KillChain(seed, times, counts);
        try
        {
            await chain.RunAsync();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            await chain.DisposeAsync();
            return $"Seed {seed}, {chain.At}: {failure}\nIts folder: {chain.Folder}\nAgain: " +
                $"P2P_KILL_SEED={seed} dotnet run --project tests/P2P.Cli.Tests -- --filter \"Name~Whatever_is_killed\"";
        }

        await chain.DisposeAsync();
        chain.Clear();
        return null;
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
