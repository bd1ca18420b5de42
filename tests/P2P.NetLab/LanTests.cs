using System.Diagnostics;
using System.Security.Cryptography;

namespace P2P.NetLab;

/// <summary>Goal: hosts of one network find each other without configuration and without a way out. Method: the tool in network namespaces.</summary>
[TestClass]
public sealed class LanTests
{
    private const int Limit = 120_000; // ms: for a machine that is busy with other tests

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task What_is_shared_on_a_network_is_listed_and_fetched_by_name_from_all_who_have_it()
    {
        await using Lab lab = await Lab.StartAsync(3, Token);
        byte[] content = RandomNumberGenerator.GetBytes(20_000_000);
        await File.WriteAllBytesAsync(lab[0]["film.bin"], content, Token);
        await File.WriteAllBytesAsync(lab[1]["film.bin"], content, Token);
        ToolRun first = lab[0].Start("share", "--lan", "film.bin", "--node-name", "alice", "--json");
        await first.SaidAsync("\"shared\"", Token);

        long began = Stopwatch.GetTimestamp();
        ToolRun list = await lab[2].RunAsync(Token, "lan");
        TestContext.WriteLine($"listed after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, of which the tool listens 3");
        Assert.AreEqual(0, list.ExitCode, list.ToString());
        StringAssert.Contains(list.Output, "alice");
        StringAssert.Contains(list.Output, "film.bin");

        ToolRun second = lab[1].Start("share", "--lan", "film.bin", "--node-name", "bob", "--json");
        await second.SaidAsync("\"shared\"", Token);
        ToolRun fetch = await lab[2].RunAsync(Token, "fetch", "lan:film.bin", "--json");
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(lab[2]["film.bin"], Token));
        string done = fetch.Output.Split('\n').Single(static line => line.Contains("\"done\"", StringComparison.Ordinal));
        int sources = System.Text.Json.JsonDocument.Parse(done).RootElement.GetProperty("from").EnumerateObject().Count();
        Assert.AreEqual(2, sources, "both who have it gave of it");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Different_things_of_one_name_are_listed_and_none_is_fetched()
    {
        await using Lab lab = await Lab.StartAsync(3, Token);
        await File.WriteAllTextAsync(lab[0]["f.txt"], "one", Token);
        await File.WriteAllTextAsync(lab[1]["f.txt"], "two", Token);
        ToolRun[] sharers = [lab[0].Start("share", "--lan", "f.txt", "--node-name", "alice", "--json"), lab[1].Start("share", "--lan", "f.txt", "--node-name", "bob", "--json")];
        foreach (ToolRun sharer in sharers)
            await sharer.SaidAsync("\"shared\"", Token);

        ToolRun fetch = await lab[2].RunAsync(Token, "fetch", "lan:f.txt");
        Assert.AreEqual(1, fetch.ExitCode, fetch.ToString());
        StringAssert.Contains(fetch.Error, "alice");
        StringAssert.Contains(fetch.Error, "bob");
        Assert.IsFalse(File.Exists(lab[2]["f.txt"]));

        ToolRun chosen = await lab[2].RunAsync(Token, "fetch", "lan:bob/f.txt");
        Assert.AreEqual(0, chosen.ExitCode, chosen.ToString());
        Assert.AreEqual("two", await File.ReadAllTextAsync(lab[2]["f.txt"], Token));

        ToolRun unknown = await lab[2].RunAsync(Token, "fetch", "lan:g.txt");
        Assert.AreEqual(3, unknown.ExitCode, unknown.ToString());
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_content_id_alone_is_found_on_the_network()
    {
        await using Lab lab = await Lab.StartAsync(2, Token);
        await File.WriteAllTextAsync(lab[0]["f.txt"], "found", Token);
        ToolRun sharer = lab[0].Start("share", "f.txt", "--json");
        await sharer.SaidAsync("\"shared\"", Token);
        string shared = sharer.Output.Split('\n').First(static line => line.Contains("\"shared\"", StringComparison.Ordinal));
        string cid = System.Text.Json.JsonDocument.Parse(shared).RootElement.GetProperty("cid").GetString()!;
        ToolRun fetch = await lab[1].RunAsync(Token, "fetch", cid, "-o", "got.txt");
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        Assert.AreEqual("found", await File.ReadAllTextAsync(lab[1]["got.txt"], Token));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Who_comes_back_after_the_cable_was_out_is_found_again_within_ten_seconds()
    {
        await using Lab lab = await Lab.StartAsync(2, Token);
        await File.WriteAllTextAsync(lab[0]["f.txt"], "here", Token);
        await lab.SetUpAsync(0, up: false, Token);
        ToolRun sharer = lab[0].Start("share", "--lan", "f.txt", "--json");
        await sharer.SaidAsync("\"shared\"", Token);
        ToolRun watch = lab[1].Start("lan", "--watch", "--json");
        await Task.Delay(TimeSpan.FromSeconds(2), Token);
        Assert.IsFalse(watch.Output.Contains("\"item\"", StringComparison.Ordinal), watch.ToString());

        await lab.SetUpAsync(0, up: true, Token);
        long began = Stopwatch.GetTimestamp();
        await watch.SaidAsync("\"item\"", Token);
        TestContext.WriteLine($"found after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        Assert.IsLessThan(10, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Who_has_no_cable_in_hears_so_and_who_is_alone_hears_that()
    {
        await using Lab lab = await Lab.StartAsync(1, Token);
        StringAssert.Contains((await lab[0].RunAsync(Token, "lan")).Error, "Nobody on this network answers");
        await lab.SetUpAsync(0, up: false, Token);
        StringAssert.Contains((await lab[0].RunAsync(Token, "lan")).Error, "This machine is in no local network");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Hosts_whose_firewalls_drop_multicast_dns_list_each_other()
    {
        Laboratory.Need("nft");
        await using Lab lab = await Lab.StartAsync(2, Token);
        for (int host = 0; host < 2; host++)
            await lab.DropAsync(host, 5353, Token);
        string[] names = ["alice", "bob"];
        ToolRun[] nodes = [.. names.Select((name, host) => lab[host].Start("node", "--node-name", name, "--json", "--log", "log"))];
        foreach (ToolRun node in nodes)
            await node.SaidAsync("\"ready\"", Token);
        string[] ids = [(await lab[0].RunAsync(Token, "id")).Output.Trim(), (await lab[1].RunAsync(Token, "id")).Output.Trim()];
        for (int host = 0; host < 2; host++)
        {
            ToolRun list = await lab[host].RunAsync(Token, "lan");
            Assert.AreEqual(0, list.ExitCode, list.ToString());
            StringAssert.Contains(list.Output, ids[1 - host]);
        }

        // one who does not listen, beside another who runs on the same host
        long began = Stopwatch.GetTimestamp();
        ToolRun watch = lab[1].Start("lan", "--watch", "--data", "other", "--json");
        await watch.SaidAsync(ids[0], Token);
        TestContext.WriteLine($"found after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, the start of the tool included");
        await watch.SaidAsync(ids[1], Token);
        await nodes[0].InterruptAsync(Token);
        await watch.SaidAsync("\"peer_gone\"", Token);
        string gone = watch.Output.Split('\n').First(static line => line.Contains("\"peer_gone\"", StringComparison.Ordinal));
        StringAssert.Contains(gone, ids[0]);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Who_was_reached_before_is_listed_again_where_nothing_can_be_found()
    {
        Laboratory.Need("nft");
        await using Lab lab = await Lab.StartAsync(2, Token);
        ToolRun node = lab[0].Start("node", "--json");
        await node.SaidAsync("\"ready\"", Token);
        string id = (await lab[0].RunAsync(Token, "id")).Output.Trim();
        ToolRun first = await lab[1].RunAsync(Token, "lan");
        StringAssert.Contains(first.Output, id);

        for (int host = 0; host < 2; host++)
        {
            await lab.DropAsync(host, 5353, Token);
            await lab.DropAsync(host, 26790, Token);
        }

        ToolRun second = await lab[1].RunAsync(Token, "lan"), stranger = await lab[1].RunAsync(Token, "lan", "--data", "other");
        StringAssert.Contains(second.Output, id);
        Assert.IsFalse(stranger.Output.Contains(id, StringComparison.Ordinal), stranger.ToString());
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_name_is_a_link_for_ls_cat_pin_and_car_and_its_peer_is_remembered()
    {
        await using Lab lab = await Lab.StartAsync(3, Token);
        await File.WriteAllTextAsync(lab[0]["f.txt"], "one", Token);
        await File.WriteAllTextAsync(lab[1]["f.txt"], "two", Token);
        ToolRun alice = lab[0].Start("share", "--lan", "f.txt", "--node-name", "alice", "--json");
        await alice.SaidAsync("\"shared\"", Token);
        ToolRun list = await lab[2].RunAsync(Token, "ls", "lan:f.txt");
        Assert.AreEqual(0, list.ExitCode, list.ToString());
        StringAssert.Contains(list.Output, "f.txt");
        ToolRun cat = await lab[2].RunAsync(Token, "cat", "lan:f.txt");
        Assert.AreEqual((0, "one"), (cat.ExitCode, cat.Output), cat.ToString());
        ToolRun pin = await lab[2].RunAsync(Token, "pin", "add", "lan:f.txt");
        Assert.AreEqual(0, pin.ExitCode, pin.ToString());
        ToolRun car = await lab[2].RunAsync(Token, "car", "export", "lan:f.txt");
        Assert.AreEqual(0, car.ExitCode, car.ToString());
        Assert.IsTrue(File.Exists(lab[2]["f.txt.car"]));

        await alice.InterruptAsync(Token);
        ToolRun bob = lab[1].Start("share", "--lan", "f.txt", "--node-name", "bob", "--json");
        await bob.SaidAsync("\"shared\"", Token);
        ToolRun refused = await lab[2].RunAsync(Token, "fetch", "lan:f.txt");
        Assert.AreEqual(1, refused.ExitCode, refused.ToString());
        StringAssert.Contains(refused.Error, "before");
        StringAssert.Contains(refused.Error, "--yes");
        ToolRun taken = await lab[2].RunAsync(Token, "fetch", "lan:f.txt", "--yes");
        Assert.AreEqual(0, taken.ExitCode, taken.ToString());
        Assert.AreEqual("two", await File.ReadAllTextAsync(lab[2]["f.txt"], Token));
        ToolRun again = await lab[2].RunAsync(Token, "cat", "lan:f.txt");
        Assert.AreEqual((0, "two"), (again.ExitCode, again.Output), "it is bob's name now: " + again);
    }
}
