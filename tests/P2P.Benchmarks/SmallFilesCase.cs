using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace P2P.Benchmarks;

/// <summary>10,000 files of 10 KiB: shared, then fetched in another process; beside libtorrent and a bare loop that creates the same files.</summary>
internal static class SmallFilesCase
{
    private const int Files = 10_000, FileBytes = 10_240;

    /// <summary>ext4 searches past inodes that were deleted in the last five seconds, which can cost more than all the rest: whoever comes after a deletion would pay for it.</summary>
    private static readonly TimeSpan AfterDeletions = TimeSpan.FromSeconds(6);

    public static async Task<int> RunAsync(int rounds)
    {
        string tool = await Bench.PublishToolAsync(), tree = Tree();
        List<double> share = [], fetch = [], torrent = [], loop = [];
        for (int round = 0; round < rounds; round++)
        {
            string output = Bench.Fresh("out-tree"), loopOutput = Bench.Fresh("loop-tree");
            await Task.Delay(AfterDeletions);
            await using (ToolProcess sharer = ToolProcess.Start(tool, "share", tree, "--data", Bench.Fresh("data-a"), "--listen", "/ip4/127.0.0.1/tcp/0"))
            {
                JsonNode shared = await sharer.WaitForAsync("shared");
                share.Add((double)shared["seconds"]!);
                await using ToolProcess fetcher = ToolProcess.Start(tool, "fetch", (string)shared["link"]!, "-o", output, "--data", Bench.Fresh("data-b"));
                fetch.Add((double)(await fetcher.WaitForAsync("done"))["seconds"]!);
                await fetcher.WaitForExitAsync();
            }

            await Bench.RunAsync("diff", ["-rq", tree, output]);
            loop.Add(WriteLoop(loopOutput));
            if (Bench.Peers is { } peers && File.Exists("/usr/lib/python3/dist-packages/libtorrent.cpython-311-x86_64-linux-gnu.so"))
            {
                string line = await Bench.RunAsync("/usr/bin/python3", [Path.Combine(peers, "native", "lt_bench.py"), "small10k", "plain", "v1", "4096"], Path.Combine(peers, "native"));
                torrent.Add(SecondsOf(JsonNode.Parse(line.Trim().Split('\n')[^1])!));
            }

            Console.Error.WriteLine($"round {round + 1}: share {Bench.F(share[^1])} s, fetch {Bench.F(fetch[^1])} s, loop {Bench.F(loop[^1])} s, libtorrent {(torrent.Count > 0 ? Bench.F(torrent[^1]) : "-")} s");
        }

        double own = Bench.Median(fetch);
        Bench.Row($"| share 10,000 x 10 KiB | {Bench.F(Bench.Median(share))} s | | |");
        Bench.Row($"| fetch 10,000 x 10 KiB | {Bench.F(own)} s | libtorrent {Bench.F(Bench.Median(torrent))} s | {Bench.F(own / Bench.Median(torrent))} x |");
        Bench.Row($"| | | bare loop {Bench.F(Bench.Median(loop))} s | {Bench.F(own / Bench.Median(loop))} x |");
        return 0;
    }

    private static double SecondsOf(JsonNode line) => (double)(line["seconds"] ?? line["wall_s"] ?? line["wall"] ?? line["in_process"])!;

    private static string Tree()
    {
        string tree = Path.Combine(Bench.Scratch, "small-tree");
        if (Directory.Exists(tree) && Directory.GetFiles(tree).Length == Files)
            return tree;
        Directory.CreateDirectory(tree);
        for (int i = 0; i < Files; i++)
            File.WriteAllBytes(Path.Combine(tree, $"f{i:00000}.bin"), RandomNumberGenerator.GetBytes(FileBytes));
        return tree;
    }

    /// <summary>The least that creating the files can cost here: open, write, close, one flush of the file system at the end.</summary>
    private static double WriteLoop(string folder)
    {
        byte[] content = RandomNumberGenerator.GetBytes(FileBytes);
        var clock = Stopwatch.StartNew();
        Directory.CreateDirectory(folder);
        for (int i = 0; i < Files; i++)
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(Path.Combine(folder, $"f{i:00000}.bin"), FileMode.CreateNew, FileAccess.Write);
            RandomAccess.Write(file, content, 0);
        }

        using (Process sync = Process.Start("sync", ["-f", folder]))
            sync.WaitForExit();
        return clock.Elapsed.TotalSeconds;
    }
}
