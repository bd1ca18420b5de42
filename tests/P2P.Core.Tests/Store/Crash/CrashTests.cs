using System.Collections.Concurrent;
using System.Globalization;
using P2P.Core.Blocks;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>
/// The store on a disk whose power goes at any operation, thousands of times: whatever was acknowledged is there and right. The real store and the real SQLite
/// run on one disk in memory; a model says what may be left.
/// </summary>
[TestClass]
public sealed class CrashTests
{
    private const int CutsWanted = 6000;
    private const int SlowCutsWanted = 200_000;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public Task Whatever_was_acknowledged_outlives_the_power() => RunAsync(1, CutsWanted);

    [TestMethod]
    [SlowTest]
    public Task Whatever_was_acknowledged_outlives_the_power_very_often() => RunAsync(
        1_000_000, int.TryParse(Environment.GetEnvironmentVariable("P2P_CRASH_CUTS"), CultureInfo.InvariantCulture, out int cuts) ? cuts : SlowCutsWanted);

    private async Task RunAsync(ulong firstSeed, int cutsWanted)
    {
        if (Environment.GetEnvironmentVariable("P2P_CRASH_SEED") is { Length: > 0 } replay)
        {
            await RunOneAsync(ulong.Parse(replay, CultureInfo.InvariantCulture));
            return;
        }
        if (firstSeed == 1)
        {
            foreach (ulong seed in CrashSeeds.Failed)
                await RunOneAsync(seed);
        }
        ConcurrentQueue<(ulong Seed, Exception Error)> failures = [];
        long next = -1, cuts = 0, runs = 0;
        long start = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            BlockBufferPool buffers = new();
            while (Interlocked.Read(ref cuts) < cutsWanted && failures.Count < 3)
            {
                ulong seed = firstSeed + (ulong)Interlocked.Increment(ref next);
                try
                {
                    Interlocked.Add(ref cuts, await CrashScenario.RunAsync(seed, buffers));
                    Interlocked.Increment(ref runs);
                }
                catch (Exception error)
                {
                    failures.Enqueue((seed, error));
                }
            }
        })));
        TestContext.WriteLine($"{runs} runs, {cuts} power cuts, {cuts / TimeProvider.System.GetElapsedTime(start).TotalSeconds:F0} a second");
        foreach ((ulong seed, Exception error) in failures)
            TestContext.WriteLine($"{Replay(seed)}\n{error}");
        if (failures.TryPeek(out (ulong Seed, Exception Error) first))
            Assert.Fail($"{Replay(first.Seed)}: {first.Error.Message}");
    }

    private static async Task RunOneAsync(ulong seed)
    {
        try
        {
            await CrashScenario.RunAsync(seed, new BlockBufferPool());
        }
        catch (CrashFailureException error)
        {
            Assert.Fail($"{Replay(seed)}: {error}");
        }
    }

    private static string Replay(ulong seed) =>
        $"seed {seed} failed; replay: P2P_CRASH_SEED={seed} dotnet run --project tests/P2P.Core.Tests -- --filter \"FullyQualifiedName~{nameof(CrashTests)}.{nameof(Whatever_was_acknowledged_outlives_the_power)}\"";
}
