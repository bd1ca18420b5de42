using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace P2P.Benchmarks;

/// <summary>100,000 files of 1 KiB in 100 folders, shared by the tool into a new data folder.</summary>
internal static class TreesCase
{
    private const int Folders = 100, FilesPerFolder = 1_000, FileBytes = 1_024, Files = Folders * FilesPerFolder;

    public static async Task<int> RunAsync(int rounds)
    {
        string tool = await Bench.PublishToolAsync(), tree = Tree();
        List<double> seconds = [], again = [], memory = [];
        for (int round = 0; round < rounds; round++)
        {
            string data = Bench.Fresh("trees-data"), output = Bench.Fresh("trees-out.bin");
            await using (ToolProcess sharer = Share(tool, tree, data))
            {
                JsonNode shared = await sharer.WaitForAsync("shared");
                sharer.Sample();
                seconds.Add((double)shared["seconds"]!);
                memory.Add(sharer.PeakResidentBytes / 1e6);
                if ((long)shared["bytes"]! != (long)Files * FileBytes || (long)shared["blocks"]! < Files + Folders)
                    throw new InvalidOperationException($"That is not the tree: {shared}");
                string some = $"{round % Folders:D2}/{round:D3}.bin";
                await Bench.RunAsync(tool, ["fetch", (string)shared["link"]!, some, "-o", output, "--data", Bench.Fresh("trees-data-b")]);
                if (!await FetchCase.SameAsync(Path.Combine(tree, some), output))
                    throw new InvalidOperationException("The fetched file is not the shared one.");
            }

            await using (ToolProcess sharer = Share(tool, tree, data))
                again.Add((double)(await sharer.WaitForAsync("shared"))["seconds"]!);
            Console.Error.WriteLine($"round {round + 1}: {Bench.F(seconds[^1])} s, again {Bench.F(again[^1])} s, {Bench.F(memory[^1], "F0")} MB");
        }

        Bench.Row($"| share {Files:N0} files of 1 KiB | {Bench.F(Bench.Median(seconds))} s, {Bench.F(Bench.Median(memory), "F0")} MB | | <= 20 s |");
        Bench.Row($"| share them again, nothing changed | {Bench.F(Bench.Median(again))} s | | |");
        return 0;
    }

    private static ToolProcess Share(string tool, string tree, string data) =>
        ToolProcess.Start(tool, "share", tree, "--data", data, "--listen", "/ip4/127.0.0.1/tcp/0");

    private static string Tree()
    {
        string tree = Path.Combine(Bench.Scratch, "many-tree");
        if (File.Exists(tree + ".complete"))
            return tree;
        byte[] content = new byte[FileBytes];
        for (int folder = 0; folder < Folders; folder++)
        {
            Directory.CreateDirectory(Path.Combine(tree, $"{folder:D2}"));
            for (int file = 0; file < FilesPerFolder; file++)
            {
                RandomNumberGenerator.Fill(content);
                File.WriteAllBytes(Path.Combine(tree, $"{folder:D2}", $"{file:D3}.bin"), content);
            }
        }

        File.WriteAllText(tree + ".complete", "");
        return tree;
    }
}
