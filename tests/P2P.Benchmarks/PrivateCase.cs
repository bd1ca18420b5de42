using System.Diagnostics;
using P2P.Core;

namespace P2P.Benchmarks;

/// <summary>256 MiB shared openly and privately and fetched, two nodes in this process, round by round: what sealing costs of the speed and in CPU.</summary>
internal static class PrivateCase
{
    private const long Bytes = 256L << 20;

    public static async Task<int> RunAsync(int rounds)
    {
        string file = Bench.RandomFile(Bytes);
        Bench.Warm(file);
        List<Cost> open = [], hidden = [];
        await MeasureAsync(file, isPrivate: false); // the first ones compile the code
        await MeasureAsync(file, isPrivate: true);
        for (int round = 0; round < rounds; round++)
        {
            open.Add(await MeasureAsync(file, isPrivate: false));
            hidden.Add(await MeasureAsync(file, isPrivate: true));
            Console.Error.WriteLine($"round {round + 1}: open {open[^1]}; private {hidden[^1]}");
        }

        Row("share 256 MiB", open, hidden, cost => cost.Share);
        Row("fetch 256 MiB", open, hidden, cost => cost.Fetch);
        Row("both", open, hidden, cost => cost.Share + cost.Fetch);
        Row("CPU, share", open, hidden, cost => cost.ShareCpu);
        Row("CPU, fetch, both sides", open, hidden, cost => cost.FetchCpu);
        return 0;
    }

    private static void Row(string what, List<Cost> open, List<Cost> hidden, Func<Cost, double> part)
    {
        double seen = Bench.Median(open.Select(part)), closed = Bench.Median(hidden.Select(part));
        Bench.Row($"| {what} | open {Bench.F(seen)} s | private {Bench.F(closed)} s | {Bench.F(100 * seen / closed, "F0")} % of the speed |");
    }

    private static async Task<Cost> MeasureAsync(string file, bool isPrivate)
    {
        await using P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("private-a")));
        await using P2PNode fetcher = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("private-b")));
        string copy = Bench.Fresh("private-copy.bin");
        (TimeSpan cpu, long clock) = (CpuTime(), Stopwatch.GetTimestamp());
        Share share = await sharer.ShareAsync(file, new ShareOptions { Private = isPrivate });
        (TimeSpan sharedCpu, long shared) = (CpuTime(), Stopwatch.GetTimestamp());
        await fetcher.FetchAsync(share.Link, copy);
        (TimeSpan fetchedCpu, long fetched) = (CpuTime(), Stopwatch.GetTimestamp());
        if (!await FetchCase.SameAsync(file, copy))
            throw new InvalidOperationException("The fetched file is not the shared one.");
        File.Delete(copy);
        return new Cost(
            Stopwatch.GetElapsedTime(clock, shared).TotalSeconds,
            Stopwatch.GetElapsedTime(shared, fetched).TotalSeconds,
            (sharedCpu - cpu).TotalSeconds,
            (fetchedCpu - sharedCpu).TotalSeconds);
    }

    private static TimeSpan CpuTime()
    {
        using Process own = Process.GetCurrentProcess();
        return own.TotalProcessorTime;
    }

    private readonly record struct Cost(double Share, double Fetch, double ShareCpu, double FetchCpu)
    {
        public override string ToString() => $"share {Bench.F(Share)} s ({Bench.F(ShareCpu)} CPU), fetch {Bench.F(Fetch)} s ({Bench.F(FetchCpu)} CPU)";
    }
}
