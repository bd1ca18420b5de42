using System.Text.Json.Nodes;

namespace P2P.Benchmarks;

/// <summary>What sharing a file of 1 GiB in place adds to the data folder: while the process runs, and when it has ended.</summary>
internal static class GrowthCase
{
    private const long Bytes = 1L << 30;

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(2);

    public static async Task<int> RunAsync(int rounds)
    {
        string tool = await Bench.PublishToolAsync(), file = Bench.RandomFile(Bytes);
        Bench.Warm(file);
        List<double> running = [], ended = [];
        for (int round = 0; round < rounds; round++)
        {
            string data = Bench.Fresh("growth-data"), output = Bench.Fresh("growth-out.bin");
            await using (ToolProcess before = Share(tool, Bench.RandomFile(1_000), data))
                await before.WaitForAsync("shared");
            long start = SizeOf(data), most = start;
            await using (ToolProcess sharer = Share(tool, file, data))
            {
                Task<JsonNode> sharing = sharer.WaitForAsync("shared");
                while (!sharing.IsCompleted)
                {
                    most = Math.Max(most, SizeOf(data));
                    await Task.Delay(LookInterval);
                }

                most = Math.Max(most, SizeOf(data));
                string link = (string)(await sharing)["link"]!;
                await Bench.RunAsync(tool, ["fetch", link, "-o", output, "--data", Bench.Fresh("growth-data-b")]);
                most = Math.Max(most, SizeOf(data));
            }

            if (!await FetchCase.SameAsync(file, output))
                throw new InvalidOperationException("The fetched file is not the shared one.");
            File.Delete(output);
            running.Add((most - start) / 1048576.0);
            ended.Add((SizeOf(data) - start) / 1048576.0);
            Console.Error.WriteLine($"round {round + 1}: {Bench.F(running[^1])} MiB while it runs, {Bench.F(ended[^1])} MiB afterwards");
        }

        Bench.Row($"| data folder grows by, sharing 1 GiB: while it runs, at most | {Bench.F(running.Max())} MiB | | <= 8 MiB |");
        Bench.Row($"| after the process has ended | {Bench.F(ended.Max())} MiB | | <= 1 MiB |");
        return 0;
    }

    private static ToolProcess Share(string tool, string path, string data) =>
        ToolProcess.Start(tool, "share", path, "--data", data, "--listen", "/ip4/127.0.0.1/tcp/0");

    private static long SizeOf(string folder)
    {
        long sum = 0;
        foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            try
            {
                sum += file.Length;
            }
            catch (FileNotFoundException)
            {
                // a temporary file that went while we looked
            }
        }

        return sum;
    }
}
