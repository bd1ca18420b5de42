using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>Archives go out of one process and into another, whole or not at all.</summary>
[TestClass]
public sealed class CarTests : EndToEndTest
{
    [TestMethod]
    public async Task An_archive_is_written_taken_in_and_written_again_alike()
    {
        Folder.File("tree/a.bin", 2_500_000, 1);
        Folder.File("tree/b.bin", 10, 2);
        (_, string link) = await ShareAsync("tree");

        ToolProcess export = await RunAsync("car", "export", link, "--data", "B", "--json");
        await export.ExpectAsync(0);
        JsonElement written = export.Events[^1];
        Assert.AreEqual(("car", "export", Folder["tree.car"]), (Text(written, "event"), Text(written, "action"), Text(written, "path")));
        Assert.AreEqual(new FileInfo(Folder["tree.car"]).Length, written.GetProperty("bytes").GetInt64());

        ToolProcess again = await RunAsync("car", "export", link, "--data", "B", "--json");
        await again.ExpectAsync(1);
        AssertError("exists", again);

        ToolProcess import = await RunAsync("car", "import", "tree.car", "--data", "C", "--json");
        await import.ExpectAsync(0);
        JsonElement taken = import.Events[^1];
        Assert.AreEqual(("import", 0L), (Text(taken, "action"), taken.GetProperty("missing").GetInt64()));
        string root = taken.GetProperty("roots")[0].GetString()!;

        ToolProcess copy = await RunAsync("car", "export", root, "-o", "copy.car", "--data", "C");
        await copy.ExpectAsync(0);
        Assert.AreEqual("", copy.Output);
        Trees.AssertEqual(Folder["tree.car"], Folder["copy.car"]);
        Trees.AssertOnly(Folder.Path, "A", "B", "C", "tree", "tree.car", "copy.car");
    }

    [TestMethod]
    public async Task A_damaged_archive_and_wrong_usage_are_refused_with_a_sentence()
    {
        await File.WriteAllTextAsync(Folder["x.car"], "this is no archive");
        ToolProcess damaged = await RunAsync("car", "import", "x.car", "--data", "B", "--json");
        await damaged.ExpectAsync(4);
        AssertError("integrity", damaged);
        await (await RunAsync("car", "import", "y.car", "--data", "B")).ExpectAsync(3);
        ToolProcess bare = await RunAsync("car");
        await bare.ExpectAsync(2);
        StringAssert.Contains(bare.Error, "export, import");
        ToolProcess typo = await RunAsync("car", "exprt", "x");
        await typo.ExpectAsync(2);
        StringAssert.Contains(typo.Error, "\"export\"");
        ToolProcess help = await RunAsync("car", "export", "--help");
        await help.ExpectAsync(0);
        StringAssert.Contains(help.Output, "Usage: p2p car export LINK");
    }

    [TestMethod]
    public async Task A_read_gives_up_after_its_timeout_and_says_so()
    {
        string nobody = "bafybeibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";
        foreach (string[] command in (string[][])[["cat", nobody], ["ls", nobody], ["fetch", nobody, "-o", "-"], ["car", "export", nobody, "-o", "x.car"]])
        {
            ToolProcess late = await RunAsync([.. command, "--timeout", "1s", "--data", "B"]);
            await late.ExpectAsync(3);
            StringAssert.Contains(late.Error, "--timeout 1d", string.Join(' ', command));
        }

        Assert.IsFalse(File.Exists(Folder["x.car"]));
    }

    private static string? Text(JsonElement line, string name) => line.GetProperty(name).GetString();
}
