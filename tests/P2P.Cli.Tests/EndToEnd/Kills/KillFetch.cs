using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>
/// A fetch that is killed and goes on: what stands under the final name is whole or what stood there before, what was told to be verified is on the disk,
/// and whatever block is on the disk is not transferred again.
/// </summary>
internal static class KillFetch
{
    public const string OfFile = "fetch of a file", OfTree = "fetch of a tree", IntoFolder = "fetch into a folder", OverFile = "fetch over a file";

    private const int LineRate = 24 << 20; // bytes a second: a transfer takes some tenths of a second
    private const long SlackBytes = 256 << 10; // inner nodes and framing beside what was asked for
    private const string Before = "what stood there before";

    public static async Task RunAsync(KillScene scene, string phase, int round, int kills)
    {
        KillShare share = scene.Acknowledged(one => one.IsTree == phase is OfTree or IntoFolder);
        string to = Directory.CreateDirectory(scene.Folder[$"out{round}"]).FullName, target = Path.Combine(to, "OUT");
        Prepare(phase, share, target, scene.Random);
        await using var line = new SlowLine(scene.Sharer.Port, LineRate);
        string[] command = ["fetch", scene.Sharer.LinkThrough(line, share), "-o", to + "/", "--data", "B", "--json", .. phase == OverFile ? ["--overwrite"] : Array.Empty<string>()];
        for (int i = 0; i < kills; i++)
        {
            await using ToolProcess killed = await scene.KillAsync(phase, command);
            AssertWholeOrBefore(share, target);
            long told = killed.Events.Where(one => one.GetProperty("event").GetString() == "progress").Select(one => one.GetProperty("bytes").GetInt64()).LastOrDefault();
            if (told == Before.Length)
                told = 0; // how far the look at what stood there is, before anything is fetched
            Assert.IsGreaterThanOrEqualTo(told, Intact(share, to), $"what was told to be verified is not on the disk\n{killed}");
        }

        long intact = Intact(share, to);
        await using ToolProcess fetch = await scene.FinishAsync(phase, command);
        Trees.AssertEqual(share.Path, target);
        Trees.AssertOnly(to, "OUT");
        JsonElement done = fetch.Events[^1];
        Assert.AreEqual("done", done.GetProperty("event").GetString(), fetch.ToString());
        long reused = done.GetProperty("bytes_reused").GetInt64(), bytes = done.GetProperty("bytes").GetInt64();
        long carried = done.GetProperty("from").EnumerateObject().Sum(one => one.Value.GetInt64());
        Assert.IsGreaterThanOrEqualTo(intact, reused, $"whole blocks on the disk were not used again\n{fetch}");
        Assert.IsLessThanOrEqualTo(bytes - reused + SlackBytes, carried, $"more was transferred than was missing\n{fetch}");
        scene.Counts.Resumed(reused);
    }

    /// <summary>Something that stands at the target already.</summary>
    private static void Prepare(string phase, KillShare share, string target, Random random)
    {
        if (phase == OverFile)
        {
            File.WriteAllText(target, Before);
        }
        else if (phase == IntoFolder)
        {
            Directory.CreateDirectory(target);
            foreach (string path in Directory.EnumerateFiles(share.Path).Where(path => new FileInfo(path).LinkTarget is null).Order(StringComparer.Ordinal))
            {
                if (random.Next(3) == 0)
                    File.Copy(path, Path.Combine(target, Path.GetFileName(path)));
            }
        }
    }

    private static long Intact(KillShare share, string to)
    {
        string part = Directory.EnumerateFileSystemEntries(to, ".p2p-*.part").SingleOrDefault() ?? Path.Combine(to, "no part");
        return KillContent.Intact(share.Path, part, Path.Combine(to, "OUT"));
    }

    /// <summary>Nothing stands under a final name but what stood there before or what is whole; beside it at most one part and the locks of the target and of the part.</summary>
    private static void AssertWholeOrBefore(KillShare share, string target)
    {
        string[] beside = [.. Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(target)!).Where(path => path != target).Select(path => Path.GetExtension(path)).Order(StringComparer.Ordinal)];
        Assert.IsTrue(string.Concat(beside) is "" or ".part" or ".lock" or ".lock.part" or ".lock.lock" or ".lock.lock.part", string.Join(' ', beside));
        if (File.Exists(target))
        {
            if (new FileInfo(target).Length != Before.Length || File.ReadAllText(target) != Before)
                Trees.AssertEqual(share.Path, target);
        }
        else if (Directory.Exists(target))
        {
            foreach (string path in Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories))
                Trees.AssertEqual(Path.Combine(share.Path, Path.GetRelativePath(target, path)), path);
        }
    }
}
