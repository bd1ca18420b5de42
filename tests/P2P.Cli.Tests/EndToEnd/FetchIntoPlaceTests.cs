using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>Where a fetch writes, what it reuses, and whom it finds there.</summary>
[TestClass]
public sealed class FetchIntoPlaceTests : EndToEndTest
{
    [TestMethod]
    public async Task What_this_machine_has_in_other_files_is_not_fetched()
    {
        Folder.File("mine/big", 20_000_000, 1);
        Folder.File("theirs/copy of big", 20_000_000, 1);
        Folder.File("theirs/new", 3_000_000, 2);
        ToolProcess own = Start("share", "--data", "B", "--listen", "/ip4/127.0.0.1/tcp/0", "--json", "--", "mine");
        await own.EventAsync("shared");
        own.Signal(ToolProcess.Interrupt);
        await own.ExpectAsync(0);

        (_, string link) = await ShareAsync("theirs");
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["theirs"], Folder["OUT"]);
        JsonElement done = Done(fetch);
        Assert.AreEqual(20_000_000L, done.GetProperty("bytes_reused").GetInt64());
        Assert.IsInRange(3_000_000L, 3_200_000L, done.GetProperty("from").EnumerateObject().Sum(one => one.Value.GetInt64()));
    }

    [TestMethod]
    public async Task A_changed_copy_is_not_trusted()
    {
        string mine = Folder.File("mine", 8_000_000, 1);
        Folder.File("theirs", 8_000_000, 1);
        ToolProcess own = Start("share", "--data", "B", "--listen", "/ip4/127.0.0.1/tcp/0", "--json", "--", "mine");
        await own.EventAsync("shared");
        own.Signal(ToolProcess.Interrupt);
        await own.ExpectAsync(0);
        DateTime time = File.GetLastWriteTimeUtc(mine);
        await using (FileStream stream = File.OpenWrite(mine))
        {
            stream.Position = 5_000_000;
            stream.Write("changed"u8);
        }

        File.SetLastWriteTimeUtc(mine, time);
        (_, string link) = await ShareAsync("theirs");
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["theirs"], Folder["OUT"]);
        Assert.IsLessThan(8_000_000L, Done(fetch).GetProperty("bytes_reused").GetInt64());
    }

    [TestMethod]
    public async Task A_folder_with_other_content_is_written_beside_and_what_is_equal_is_not_fetched()
    {
        Folder.File("tree/same", 5_000_000, 1);
        Folder.File("tree/other", 1_000, 2);
        (_, string link) = await ShareAsync("tree");
        Folder.File("OUT/tree/same", 5_000_000, 1);
        Folder.File("OUT/tree/other", 1_000, 3);
        ToolProcess refused = await FetchAsync(link, "-o", "OUT/");
        await refused.ExpectAsync(1);
        AssertError("exists", refused);
        StringAssert.Contains(refused.Events[^1].GetProperty("message").GetString(), "other");
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT/", "--rename");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["tree"], Folder["OUT", "tree (1)"]);
        Trees.AssertOnly(Folder["OUT"], "tree", "tree (1)");
        Assert.AreEqual(5_000_000L, Done(fetch).GetProperty("bytes_reused").GetInt64());
        ToolProcess replaced = await FetchAsync(link, "-o", "OUT/", "--overwrite");
        await replaced.ExpectAsync(0);
        Trees.AssertEqual(Folder["tree"], Folder["OUT", "tree"]);
    }

    [TestMethod]
    public async Task A_second_fetch_of_the_same_target_says_who_holds_it()
    {
        (ToolProcess sharer, string link) = await ShareAsync(Folder.File("file", 5_000_000));
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0); // so the first fetch waits
        ToolProcess first = Start("fetch", link, "-o", "OUT", "--data", "B", "--timeout", "1m");
        while (Directory.GetFiles(Folder.Path, ".p2p-*.lock").Length == 0)
        {
            Assert.IsFalse(first.HasEnded, first.ToString());
            await Task.Delay(20);
        }

        ToolProcess second = await RunAsync("fetch", link, "-o", "OUT", "--data", "C", "--json", "--timeout", "1m");
        await second.ExpectAsync(1);
        AssertError("in_use", second);
        if (OperatingSystem.IsLinux())
            StringAssert.Contains(second.Events[^1].GetProperty("message").GetString(), $"process {first.Id}");
        first.Signal(ToolProcess.Interrupt);
        await first.ExpectAsync(130);
    }
}
