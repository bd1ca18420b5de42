using System.Diagnostics;
using P2P.Core;

namespace P2P.Benchmarks;

/// <summary>How long a user waits before anything happens: process start to exit, and a small file over a new connection in a warm process.</summary>
internal static class StartCase
{
    private const int FileBytes = 52_000;

    public static async Task<int> RunAsync(int rounds)
    {
        int runs = Math.Max(10, rounds);
        string tool = await Bench.PublishToolAsync(), data = Bench.Fresh("start-data");
        await Bench.RunAsync(tool, ["id", "--data", data]);
        List<double> id = [], process = [], warm = [];
        for (int i = 0; i < runs; i++)
            id.Add(await TimeAsync(() => Bench.RunAsync(tool, ["id", "--data", data])));

        string file = Bench.RandomFile(FileBytes);
        await using (ToolProcess share = ToolProcess.Start(tool, "share", file, "--data", Bench.Fresh("data-a"), "--listen", "/ip4/127.0.0.1/tcp/0"))
        {
            string link = (string)(await share.WaitForAsync("shared"))["link"]!;
            for (int i = 0; i < runs; i++)
            {
                string output = Bench.Fresh("start-out.bin");
                process.Add(await TimeAsync(() => Bench.RunAsync(tool, ["fetch", link, "-o", output, "--data", data])));
            }
        }

        await using P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("start-a")));
        ShareLink shared = (await sharer.ShareAsync(file)).Link;
        for (int i = 0; i < runs + 3; i++)
        {
            await using P2PNode fetcher = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("start-b"))); // a new node: so the connection is new
            string output = Bench.Fresh("start-out.bin");
            double seconds = await TimeAsync(() => fetcher.FetchAsync(shared, output));
            if (i >= 3) // the first rounds compile the code
                warm.Add(seconds);
        }

        Bench.Row($"| `p2p id`, start to exit, median of {runs} | {Bench.F(1000 * Bench.Median(id), "F0")} ms | | |");
        Bench.Row($"| 52 KB over a new connection, warm process | {Bench.F(1000 * Bench.Median(warm), "F1")} ms | | |");
        Bench.Row($"| `p2p fetch` of 52 KB, start to exit | {Bench.F(1000 * Bench.Median(process), "F0")} ms | | |");
        return 0;
    }

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        var clock = Stopwatch.StartNew();
        await action();
        return clock.Elapsed.TotalSeconds;
    }
}
