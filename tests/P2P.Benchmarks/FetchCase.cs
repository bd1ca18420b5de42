using System.Text.Json.Nodes;

namespace P2P.Benchmarks;

/// <summary>1 GiB, one sharer, two processes on loopback, to disk, verified, flushed; beside the bare pipeline, round by round.</summary>
internal static class FetchCase
{
    private const long Bytes = 1L << 30;

    public static async Task<int> RunAsync(int rounds)
    {
        string tool = await Bench.PublishToolAsync(), file = Bench.RandomFile(Bytes);
        Bench.Warm(file);
        List<double> ours = [], ourCpu = [], limit = [], limitCpu = [];
        long sharePeak = 0, fetchPeak = 0;
        await using ToolProcess tinyShare = ToolProcess.Start(tool, "share", Bench.RandomFile(52_000), "--data", Bench.Fresh("data-tiny"), "--listen", "/ip4/127.0.0.1/tcp/0");
        string tinyLink = (string)(await tinyShare.WaitForAsync("shared"))["link"]!;
        List<double> startCpu = [];
        for (int round = 0; round < rounds; round++)
        {
            if (Bench.Peers is { } peers)
            {
                string[] lines = (await Bench.RunAsync("bash", [Path.Combine(peers, "limit", "run.sh"), file, "1"])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                JsonNode[] sides = [.. lines.Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!)];
                limit.Add((double)sides.First(s => s["MiBps"] is not null)["MiBps"]!);
                limitCpu.Add(sides.Sum(s => (double?)s["cpu_s"] ?? (double?)s["cpu_s_fetch"] ?? 0));
            }

            string output = Bench.Fresh("out.bin");
            startCpu.Add(await StartCpuAsync(tool, tinyLink));
            await using ToolProcess share = ToolProcess.Start(tool, "share", file, "--data", Bench.Fresh("data-a"), "--listen", "/ip4/127.0.0.1/tcp/0");
            string link = (string)(await share.WaitForAsync("shared"))["link"]!;
            share.Sample();
            double before = share.CpuSeconds;
            await using ToolProcess fetch = ToolProcess.Start(tool, "fetch", link, "-o", output, "--data", Bench.Fresh("data-b"));
            JsonNode done = await fetch.WaitForAsync("done");
            fetch.Sample();
            share.Sample();
            if (await fetch.WaitForExitAsync() != 0 || !await SameAsync(file, output))
                throw new InvalidOperationException("The fetched file is not the shared one.");
            ours.Add(Bytes / 1048576.0 / (double)done["seconds"]!);
            ourCpu.Add(fetch.CpuSeconds + share.CpuSeconds - before);
            sharePeak = Math.Max(sharePeak, share.PeakResidentBytes);
            fetchPeak = Math.Max(fetchPeak, fetch.PeakResidentBytes);
            Console.Error.WriteLine($"round {round + 1}: ours {Bench.F(ours[^1], "F0")} MiB/s, {Bench.F(ourCpu[^1])} CPU s; limit {(limit.Count > 0 ? Bench.F(limit[^1], "F0") : "-")} MiB/s, {(limitCpu.Count > 0 ? Bench.F(limitCpu[^1]) : "-")} CPU s");
            File.Delete(output);
        }

        double speed = Bench.Median(ours), start = Bench.Median(startCpu), cpu = Bench.Median(ourCpu) - start;
        Bench.Row($"| fetch 1 GiB | {Bench.F(speed, "F0")} MiB/s | limit {Bench.F(Bench.Median(limit), "F0")} MiB/s | {Bench.F(100 * speed / Bench.Median(limit), "F0")} % |");
        Bench.Row($"| CPU, both sides, without {Bench.F(start)} s to start | {Bench.F(cpu)} s | limit {Bench.F(Bench.Median(limitCpu))} s | {Bench.F(cpu / Bench.Median(limitCpu))} x |");
        Bench.Row($"| peak RSS | share {sharePeak / 1_000_000} MB, fetch {fetchPeak / 1_000_000} MB | | |");
        return 0;
    }

    /// <summary>What a fetch costs before it has anything to do: the CPU of a whole process that fetches 52 KB.</summary>
    private static async Task<double> StartCpuAsync(string tool, string link)
    {
        await using ToolProcess fetch = ToolProcess.Start(tool, "fetch", link, "-o", Bench.Fresh("tiny-out.bin"), "--data", Bench.Fresh("data-tiny-b"));
        await fetch.WaitForAsync("done");
        fetch.Sample();
        await fetch.WaitForExitAsync();
        return fetch.CpuSeconds;
    }

    public static async Task<bool> SameAsync(string a, string b) => (await Bench.RunAsync("bash", ["-c", "cmp -s \"$0\" \"$1\" && echo same || echo differ", a, b])).Trim() == "same";
}
