using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using P2P.Testing;

namespace P2P.Fuzz;

/// <summary>
/// Goal: no input makes a decoder throw, hang, or take memory that the input does not pay for. Method: valid inputs with random damage, for about a second each;
/// seeds that once failed are in <c>seeds.txt</c> and run first. P2P_FUZZ_SECONDS sets the time, P2P_FUZZ_TARGET and P2P_FUZZ_SEED replay one input.
/// </summary>
[TestClass]
public sealed class FuzzTests
{
    private const long FreeBytes = 4 << 20;
    private const long BytesPerInputByte = 512;
    private static readonly TimeSpan TooSlow = TimeSpan.FromSeconds(5);

    public required TestContext TestContext { get; init; }

    private static IEnumerable<object[]> Targets => FuzzTargets.All.Select(target => new object[] { target.Name });

    [TestMethod]
    [DynamicData(nameof(Targets))]
    public void A_decoder_survives_any_input(string name)
    {
        FuzzTarget target = FuzzTargets.All.Single(candidate => candidate.Name == name);
        if (Environment.GetEnvironmentVariable("P2P_FUZZ_SEED") is { } replay)
        {
            if (Environment.GetEnvironmentVariable("P2P_FUZZ_TARGET") == name)
            {
                Run(target, ulong.Parse(replay, CultureInfo.InvariantCulture), isReplay: true);
            }

            return;
        }

        foreach (ulong seed in SeedList.For(name))
        {
            Run(target, seed, isReplay: false);
        }

        var first = new SeededRandom(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
        double seconds = double.TryParse(Environment.GetEnvironmentVariable("P2P_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out double asked) ? asked : 1;
        int count = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; count++)
        {
            Run(target, (ulong)first.NextInt64(), isReplay: false);
        }

        TestContext.WriteLine($"{name}: {count} inputs");
        Assert.IsGreaterThan(0, count);
    }

    [TestMethod]
    [DynamicData(nameof(Targets))]
    public void The_undamaged_samples_pass(string name)
    {
        FuzzTarget target = FuzzTargets.All.Single(candidate => candidate.Name == name);
        Assert.IsNotEmpty(target.Samples);
        foreach (byte[] sample in target.Samples)
        {
            target.Check(sample);
            target.Check([]);
        }
    }

    [TestMethod]
    public void Every_seed_in_the_list_belongs_to_a_target()
    {
        string[] known = [.. FuzzTargets.All.Select(target => target.Name)];
        CollectionAssert.AllItemsAreUnique(known);
        CollectionAssert.IsSubsetOf(SeedList.Names.ToArray(), known);
    }

    private static void Run(FuzzTarget target, ulong seed, bool isReplay)
    {
        byte[] input = Mutation.Make(new SeededRandom(seed), target.Samples);
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        try
        {
            target.Check(input);
        }
        catch (Exception exception) when (!isReplay)
        {
            throw new AssertFailedException(Describe(target, seed, input, exception.Message), exception);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        if (allocated > FreeBytes + (input.Length * BytesPerInputByte) || elapsed > TooSlow)
        {
            throw new AssertFailedException(Describe(target, seed, input, $"it took {allocated} bytes and {elapsed}"));
        }
    }

    private static string Describe(FuzzTarget target, ulong seed, byte[] input, string what) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {target.Name} failed: {what}
        input ({input.Length} bytes): {Convert.ToHexStringLower(input)}
        replay: P2P_FUZZ_TARGET={target.Name} P2P_FUZZ_SEED={seed} dotnet run --project tests/P2P.Fuzz
        then add the line "{target.Name} {seed}" to tests/P2P.Fuzz/seeds.txt
        """);
}
