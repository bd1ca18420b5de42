using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary><c>node</c>, <c>status</c>, <c>peers</c>, and finding content by its id alone.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
public sealed class NodeTests : EndToEndTest
{
    private const string Loopback = "/ip4/127.0.0.1/tcp/0";

    [TestMethod]
    public async Task Without_a_node_status_and_peers_say_so_and_make_nothing()
    {
        foreach (string command in new[] { "status", "peers" })
        {
            ToolProcess person = await RunAsync(command, "--data", "A");
            await person.ExpectAsync(1);
            StringAssert.StartsWith(person.Output, "not running");
            ToolProcess script = await RunAsync(command, "--data", "A", "--json");
            await script.ExpectAsync(1);
            Assert.IsFalse(script.Events[^1].GetProperty("running").GetBoolean());
        }

        Assert.IsFalse(Directory.Exists(Folder["A"]));
    }

    [TestMethod]
    public async Task A_node_serves_what_is_shared_on_it_and_says_what_it_does()
    {
        Folder.File("film.bin", 2_000_000);
        ToolProcess node = Start("node", "--data", "A", "--listen", Loopback, "--json");
        JsonElement ready = await node.EventAsync("ready");
        ToolProcess share = await RunAsync("share", "film.bin", "--data", "A", "--json");
        await share.ExpectAsync(0);
        Assert.AreEqual("ready", share.Events[0].GetProperty("event").GetString());
        string link = share.Events.Single(one => one.GetProperty("event").GetString() == "shared").GetProperty("link").GetString()!;
        await using var line = new SlowLine(PortOf(ready), 500_000);
        ToolProcess slow = Start("fetch", line.Link(ready, share.Events.Single(one => one.GetProperty("event").GetString() == "shared")), "-o", "SLOW", "--data", "B", "--json");
        await slow.EventAsync("progress");

        ToolProcess status = await RunAsync("status", "--data", "A", "--json");
        JsonElement said = (await status.ExpectAsync(0)).Events.Single();
        Assert.AreEqual($"True node {node.Id} 1 1", $"{said.GetProperty("running")} {said.GetProperty("command")} {said.GetProperty("process")} {said.GetProperty("shares")} {said.GetProperty("peers")}");
        Assert.AreEqual(ready.GetProperty("peer_id").GetString(), said.GetProperty("peer_id").GetString());
        JsonElement peers = (await (await RunAsync("peers", "--data", "A", "--json")).ExpectAsync(0)).Events.Single();
        Assert.AreEqual(1, peers.GetProperty("peers").GetArrayLength());
        Assert.IsFalse(peers.GetProperty("peers")[0].GetProperty("outbound").GetBoolean());
        StringAssert.Contains((await (await RunAsync("status", "--data", "A")).ExpectAsync(0)).Output, $"p2p node, process {node.Id}");

        ToolProcess second = await RunAsync("node", "--data", "A", "--json");
        await second.ExpectAsync(1);
        AssertError("in_use", second);
        ToolProcess offer = await RunAsync("node", "--offer", "1GB", "--data", "A", "--json");
        await offer.ExpectAsync(1);
        AssertError("in_use", offer);
        StringAssert.Contains(offer.Events[^1].GetProperty("message").GetString(), "offers no disk. End it first");
        Done(await RunAsync("fetch", link, "-o", "elsewhere/", "--data", "C", "--json"));
        Trees.AssertEqual(Folder["film.bin"], Folder["elsewhere", "film.bin"]);
        node.Signal(ToolProcess.Interrupt);
        await node.ExpectAsync(0);
    }

    [TestMethod]
    public async Task Content_is_found_by_its_id_alone_through_a_node_that_both_know()
    {
        Folder.File("film.bin", 2_000_000);
        ToolProcess hub = Start("node", "--data", "H", "--listen", Loopback, "--json");
        JsonElement ready = await hub.EventAsync("ready");
        string entrance = $"{ready.GetProperty("addresses")[0]}/p2p/{ready.GetProperty("peer_id")}";
        ToolProcess holder = Start("node", "--data", "A", "--listen", Loopback, "--peer", entrance, "--json");
        await holder.EventAsync("ready");
        while ((await RunAsync("status", "--data", "A", "--json")).Events[^1].GetProperty("dht").GetProperty("contacts").GetInt32() == 0)
            await Task.Delay(100);
        ToolProcess share = await RunAsync("share", "film.bin", "--data", "A", "--json");
        await share.ExpectAsync(0);
        JsonElement announced = share.Events.Single(one => one.GetProperty("event").GetString() == "announced");
        Assert.AreEqual(1, announced.GetProperty("nodes").GetInt32());
        string cid = share.Events.Single(one => one.GetProperty("event").GetString() == "shared").GetProperty("cid").GetString()!;

        ToolProcess fetch = await RunAsync("fetch", cid, "-o", "OUT", "--data", "B", "--peer", entrance, "--json");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["film.bin"], Folder["OUT"]);
        ToolProcess other = await RunAsync("fetch", cid, "-o", "OUT2", "--data", "C", "--peer", entrance, "--network", "other", "--timeout", "2s", "--json");
        await other.ExpectAsync(3);
    }

    [TestMethod]
    public async Task A_sharer_that_has_just_started_announces_before_it_speaks_of_it()
    {
        Folder.File("film.bin", 2_000_000);
        ToolProcess hub = Start("node", "--data", "H", "--listen", Loopback, "--json");
        JsonElement ready = await hub.EventAsync("ready");
        ToolProcess share = Start("share", "film.bin", "--data", "A", "--listen", Loopback, "--peer", $"{ready.GetProperty("addresses")[0]}/p2p/{ready.GetProperty("peer_id")}", "--json");
        Assert.AreEqual(1, (await share.EventAsync("announced")).GetProperty("nodes").GetInt32());
    }

    private static int PortOf(JsonElement ready) => int.Parse(ready.GetProperty("addresses")[0].GetString()!.Split('/')[4], System.Globalization.CultureInfo.InvariantCulture);
}
