using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>What is kept, freed and told by <c>pin</c>, <c>gc</c> and <c>store stat</c>.</summary>
[TestClass]
public sealed class PinCommandTests : EndToEndTest
{
    [TestMethod]
    public async Task Content_is_pinned_listed_and_let_go()
    {
        Folder.File("film.bin", 3 << 20);
        (ToolProcess sharer, string link) = await ShareAsync("film.bin");
        ToolProcess add = await RunAsync("pin", "add", link, "--name", "mine", "--data", "B", "--json");
        await add.ExpectAsync(0);
        JsonElement pin = add.Events[^1];
        Assert.AreEqual("pin", pin.GetProperty("event").GetString());
        string cid = pin.GetProperty("cid").GetString()!;
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);

        await (await FetchAsync(cid, "-o", "OUT")).ExpectAsync(0);
        Trees.AssertEqual(Folder["film.bin"], Folder["OUT"]);

        ToolProcess list = await RunAsync("pin", "ls", "--data", "B", "--json");
        await list.ExpectAsync(0);
        Assert.AreEqual(("mine", "pinned"), (list.Events.Single().GetProperty("name").GetString(), list.Events.Single().GetProperty("kind").GetString()));
        ToolProcess human = await RunAsync("pin", "ls", "--data", "B");
        StringAssert.Contains(human.Output, cid);

        JsonElement stat = await StatAsync();
        Assert.IsGreaterThan(3L << 20, stat.GetProperty("owned_bytes").GetInt64());
        Assert.AreEqual("pinned", stat.GetProperty("kinds").EnumerateArray().Single().GetProperty("kind").GetString());
        StringAssert.Contains((await RunAsync("store", "stat", "--data", "B")).Output, "Can be freed");

        await (await RunAsync("pin", "rm", link, "--data", "B", "--json")).ExpectAsync(0);
        ToolProcess twice = await RunAsync("pin", "rm", cid, "--data", "B", "--json");
        await twice.ExpectAsync(3);
        AssertError("not_found", twice);
        Assert.IsGreaterThan(3L << 20, (await StatAsync()).GetProperty("reclaimable_bytes").GetInt64());
        ToolProcess gc = await RunAsync("gc", "--data", "B", "--json");
        await gc.ExpectAsync(0);
        Assert.IsGreaterThan(3L << 20, gc.Events.Single().GetProperty("bytes").GetInt64());
        Assert.AreEqual(0, (await StatAsync()).GetProperty("blocks").GetInt64());

        async Task<JsonElement> StatAsync() => (await (await RunAsync("store", "stat", "--data", "B", "--json")).ExpectAsync(0)).Events.Single();
    }

    [TestMethod]
    public async Task A_share_is_not_unpinned()
    {
        Folder.File("film.bin", 1000);
        (ToolProcess sharer, _) = await ShareAsync("film.bin");
        string cid = sharer.Events.Single(one => one.GetProperty("event").GetString() == "shared").GetProperty("cid").GetString()!;
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        ToolProcess rm = await RunAsync("pin", "rm", cid, "--data", "A");
        await rm.ExpectAsync(3);
        StringAssert.Contains(rm.Error, "unshare");
    }

    [TestMethod]
    [DataRow(new[] { "pin" }, "add, rm, ls")]
    [DataRow(new[] { "pin", "ad" }, "Did you mean \"add\"?")]
    [DataRow(new[] { "pin", "add", "--nam=x", "y" }, "p2p pin add")]
    [DataRow(new[] { "pin", "add" }, "p2p pin add LINK")]
    [DataRow(new[] { "store", "stat", "x" }, "p2p store stat --help")]
    public async Task A_mistyped_command_says_what_was_meant(string[] args, string said)
    {
        ToolProcess process = await RunAsync(args);
        await process.ExpectAsync(2);
        StringAssert.Contains(process.Error.ReplaceLineEndings(" "), said);
    }

    [TestMethod]
    public async Task A_group_of_commands_has_a_help_of_its_own()
    {
        ToolProcess help = await RunAsync("pin", "--help");
        await help.ExpectAsync(0);
        StringAssert.Contains(help.Output, "pin add LINK");
    }
}
