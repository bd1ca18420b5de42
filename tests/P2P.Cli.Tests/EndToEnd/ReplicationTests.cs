using System.Diagnostics;
using System.Text.Json;
using P2P.Cli.Tests.Support;
using P2P.Testing;
using P2P.Tests.Shared;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>Copies at others, between real processes on the loopback interface.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
public sealed class ReplicationTests : EndToEndTest
{
    private const string Loopback = "/ip4/127.0.0.1/tcp/0";
    private const int Bytes = 100 << 20;

    /// <summary>How long something that nodes do by themselves may take on a machine with much else to do.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    private readonly Dictionary<string, ToolProcess> _keepers = [];
    private string _entrance = "";

    [TestMethod]
    public async Task Content_outlives_its_sharer_and_the_loss_of_holders_again_and_again()
    {
        Folder.File("film.bin", Bytes);
        await File.WriteAllTextAsync(Folder["config.json"], """{"replication": {"grace": "00:00:02", "check_interval": "00:00:05"}}""");
        await StartHubAsync();
        for (int i = 0; i < 9; i++)
            StartKeeper($"K{i}", "1GiB");
        await Task.WhenAll(_keepers.Values.Select(keeper => keeper.EventAsync("ready")));
        await MeetAsync(8);

        ToolProcess sharer = Start("share", "film.bin", "--replicas", "3", "--data", "A", "--listen", Loopback, "--peer", _entrance, "--json");
        JsonElement shared = await sharer.EventAsync("shared");
        JsonElement replicated = await sharer.EventAsync("replicated");
        Assert.IsGreaterThanOrEqualTo(3, replicated.GetProperty("min_copies").GetInt32(), sharer.ToString());
        Assert.AreEqual(3, replicated.GetProperty("runs").GetInt32(), "the root, 64 leaves, 36 leaves");
        string cid = shared.GetProperty("cid").GetString()!;
        sharer.Signal(ToolProcess.KillNow);
        await sharer.ExitAsync();

        for (int round = 1; round <= 2; round++)
        {
            foreach (string name in (await HeldAsync()).Where(held => held.Value > 0).OrderByDescending(held => held.Value).Select(held => held.Key).Take(2))
            {
                _keepers[name].Signal(ToolProcess.KillNow);
                _keepers.Remove(name);
            }

            ToolProcess fetch = await RunAsync("fetch", cid, "-o", $"OUT{round}", "--data", $"F{round}", "--peer", _entrance, "--json");
            await fetch.ExpectAsync(0);
            Trees.AssertEqual(Folder["film.bin"], Folder[$"OUT{round}"]);
            await HealAsync(cid);
        }

        foreach ((string name, long held) in await HeldAsync())
            Assert.IsLessThanOrEqualTo(1L << 30, held, name);
    }

    [TestMethod]
    public async Task A_share_is_left_to_others_and_renewed_released_and_thrown_out()
    {
        Folder.File("film.bin", 1_000_000);
        Folder.File("big.bin", 6_000_000);
        await StartHubAsync();
        foreach (string name in new[] { "K0", "K1" })
            StartKeeper(name, "5MB");
        await Task.WhenAll(_keepers.Values.Select(keeper => keeper.EventAsync("ready")));
        await MeetAsync(1);

        ToolProcess alone = await RunAsync("share", "film.bin", "--replicas", "3", "--detach-after-replication", "--timeout", "1s", "--data", "A", "--listen", Loopback, "--peer", _entrance, "--json");
        await alone.ExpectAsync(3);
        AssertError("unreachable", alone);
        Assert.HasCount(1, EventsOf(alone, "replicated"));
        ToolProcess left = await RunAsync("share", "film.bin", "--replicas", "2", "--detach-after-replication", "--data", "A", "--listen", Loopback, "--peer", _entrance, "--json");
        await left.ExpectAsync(0);
        Assert.AreEqual(2, EventsOf(left, "replicated").Single().GetProperty("min_copies").GetInt32());
        string link = left.Events.Single(one => one.GetProperty("event").GetString() == "shared").GetProperty("link").GetString()!;
        ToolProcess fetch = await RunAsync("fetch", link.Split('/')[2], "-o", "OUT", "--data", "F", "--peer", _entrance, "--json");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["film.bin"], Folder["OUT"]);

        ToolProcess full = Start("share", "big.bin", "--replicas", "1", "--data", "B", "--listen", Loopback, "--peer", _entrance, "--json");
        JsonElement refused = await full.EventAsync("replicated");
        Assert.AreEqual("full", refused.GetProperty("refused").EnumerateObject().Single().Name);
        Assert.AreEqual("few_copies", (await full.EventAsync("warning")).GetProperty("code").GetString());

        Assert.AreEqual(2, await MinCopiesAsync("renew", link, "A"));
        Assert.AreEqual(2, await MinCopiesAsync("health", link, "A"));
        Assert.AreEqual(2, await MinCopiesAsync("health", link, "F"));
        Assert.AreEqual(2_000_000, (await HeldAsync()).Values.Sum());
        JsonElement status = (await (await RunAsync("status", "--data", "K0", "--json")).ExpectAsync(0)).Events.Single();
        Assert.AreEqual((5_000_000, 1_000_000), (status.GetProperty("offer_bytes").GetInt64(), status.GetProperty("held_bytes").GetInt64()));
        ToolProcess unknown = await RunAsync("health", "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", "--data", "F", "--peer", _entrance, "--timeout", "1s", "--json");
        await unknown.ExpectAsync(3);
        ToolProcess removed = await RunAsync("replica", "rm", link.Split('/')[2], "--data", "K0", "--json");
        Assert.AreEqual(1_000_000, (await removed.ExpectAsync(0)).Events.Single().GetProperty("bytes").GetInt64());
        ToolProcess again = await RunAsync("replica", "rm", link.Split('/')[2], "--data", "K0", "--json");
        await again.ExpectAsync(3);
        Assert.AreEqual(1, await MinCopiesAsync("health", link, "F"));

        _keepers["K1"].Signal(ToolProcess.KillNow);
        await _keepers["K1"].ExitAsync();
        StartKeeper("K1", "5MB");
        await _keepers["K1"].EventAsync("ready");
        Assert.AreEqual(1_000_000, (await HeldAsync())["K1"], "kept over a restart");
        await MeetAsync(1);
        JsonElement listed = (await (await RunAsync("shares", "--data", "A", "--json")).ExpectAsync(0)).Events.Single();
        Assert.AreEqual(2, listed.GetProperty("replicas").GetInt32());
        ToolProcess unshare = await RunAsync("unshare", "film.bin", "--data", "A", "--peer", _entrance, "--json");
        await unshare.ExpectAsync(0);
        Assert.AreEqual(2, unshare.Events.Single().GetProperty("replicas").GetInt32());
        Assert.AreEqual(listed.GetProperty("replicas_until").GetDateTimeOffset(), unshare.Events.Single().GetProperty("replicas_until").GetDateTimeOffset());
        Assert.AreEqual(0, (await HeldAsync()).Values.Sum());
    }

    [TestMethod]
    public async Task Copies_that_come_about_late_are_told_once_with_what_came_of_it()
    {
        Folder.File("film.bin", 1_000_000);
        await StartHubAsync();
        StartKeeper("K0", "5MB");
        await _keepers["K0"].EventAsync("ready");
        ToolProcess share = Start("share", "film.bin", "--replicas", "2", "--detach-after-replication", "--timeout", "3m", "--data", "A", "--listen", Loopback, "--peer", _entrance, "--json");
        Assert.AreEqual("few_copies", (await share.EventAsync("warning")).GetProperty("code").GetString());
        StartKeeper("K1", "5MB");
        await share.ExpectAsync(0);
        Assert.AreEqual(2, EventsOf(share, "replicated").Single().GetProperty("min_copies").GetInt32(), share.ToString());

        ToolProcess listed = await RunAsync("shares", "--data", "A");
        StringAssert.Contains((await listed.ExpectAsync(0)).Output, "2 copies wanted at others, promised until ");
        await File.WriteAllTextAsync(Folder["A", "config.json"], """{"dht": {"mode": "off"}}""");
        ToolProcess unshare = await RunAsync("unshare", "film.bin", "--data", "A");
        StringAssert.Contains((await unshare.ExpectAsync(0)).Error, "cannot be told (dht.mode is off): they keep them until the lease ends, on ");
    }

    private static JsonElement[] EventsOf(ToolProcess process, string name) => [.. process.Events.Where(one => one.GetProperty("event").GetString() == name)];

    /// <summary>Half of twelve holders are killed at one instant, drawn anew for each seed; what is left is fetched. Measured, and set beside what chance takes.</summary>
    [TestMethod]
    [SlowTest]
    [DoNotParallelize]
    [DataRow(3)]
    [DataRow(5)]
    [DataRow(6)]
    public async Task What_is_left_when_half_of_the_holders_are_killed_at_once(int replicas)
    {
        const int Seeds = 20, Holders = 12, Killed = 6, FileBytes = 70 << 20;
        await StartHubAsync();
        for (int i = 0; i < Holders; i++)
            StartKeeper($"K{i}", "20GiB");
        await Task.WhenAll(_keepers.Values.Select(keeper => keeper.EventAsync("ready")));
        await MeetAsync(Holders - 1);
        int fetched = 0;
        double expected = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var random = new SeededRandom(seed);
            byte[] content = new byte[FileBytes];
            random.NextBytes(content);
            await File.WriteAllBytesAsync(Folder["film.bin"], content);
            ToolProcess sharer = Start("share", "film.bin", "--replicas", $"{replicas}", "--data", "A", "--listen", Loopback, "--peer", _entrance, "--json");
            string cid = (await sharer.EventAsync("shared")).GetProperty("cid").GetString()!;
            JsonElement replicated = await sharer.EventAsync("replicated");
            Assert.IsGreaterThanOrEqualTo(replicas, replicated.GetProperty("min_copies").GetInt32());
            sharer.Signal(ToolProcess.KillNow);
            await sharer.ExitAsync();
            expected += Math.Pow(1 - LossOf(replicas, Holders, Killed), replicated.GetProperty("runs").GetInt32() - 1); // of the root there are three copies more

            string[] names = [.. _keepers.Keys];
            random.Shuffle(names);
            ToolProcess[] killed = [.. names.Take(Killed).Select(name => _keepers[name])];
            foreach (ToolProcess keeper in killed)
                keeper.Signal(ToolProcess.KillNow);
            ToolProcess fetch = await RunAsync("fetch", cid, "-o", "OUT", "--data", $"F{seed}", "--peer", _entrance, "--timeout", "20s", "--json");
            if (await fetch.ExitAsync() == 0)
            {
                fetched++;
                Trees.AssertEqual(Folder["film.bin"], Folder["OUT"]);
                File.Delete(Folder["OUT"]);
            }

            await Task.WhenAll(killed.Select(keeper => keeper.ExitAsync()));
            foreach (string name in names.Take(Killed))
                StartKeeper(name, "20GiB");
            await Task.WhenAll(names.Take(Killed).Select(name => _keepers[name].EventAsync("ready")));
            await MeetAsync(Holders - 1);
            Directory.Delete(Folder[$"F{seed}"], recursive: true);
            Console.WriteLine($"seed {seed}: {fetched} fetched whole, {expected:0.0} expected");
        }

        Console.WriteLine($"{replicas} replicas, {Killed} of {Holders} holders killed at once, {Seeds} seeds: {fetched} fetched whole, {expected:0.0} expected");
    }

    /// <summary>How probable it is that all of so many copies are among the killed.</summary>
    private static double LossOf(int copies, int holders, int killed)
    {
        double loss = 1;
        for (int i = 0; i < copies; i++)
            loss *= (killed - i) / (double)(holders - i);
        return loss;
    }

    private async Task StartHubAsync()
    {
        ToolProcess hub = Start("node", "--data", "HUB", "--listen", Loopback, "--json");
        JsonElement ready = await hub.EventAsync("ready");
        _entrance = $"{ready.GetProperty("addresses")[0]}/p2p/{ready.GetProperty("peer_id")}";
    }

    private void StartKeeper(string name, string offer)
    {
        string[] config = File.Exists(Folder["config.json"]) ? ["--config", "config.json"] : [];
        _keepers[name] = Start(["node", "--offer", offer, "--data", name, "--listen", Loopback, "--peer", _entrance, "--json", .. config]);
    }

    /// <summary>Waits until every holder knows so many others.</summary>
    private async Task MeetAsync(int others)
    {
        long began = Stopwatch.GetTimestamp();
        foreach (string name in _keepers.Keys)
        {
            while ((await RunAsync("status", "--data", name, "--json")).Events[^1].GetProperty("dht").GetProperty("holders").GetInt32() < others)
            {
                Assert.IsLessThan(s_patience, Stopwatch.GetElapsedTime(began), $"{name} does not find the others");
                await Task.Delay(100);
            }
        }
    }

    private async Task HealAsync(string cid)
    {
        long began = Stopwatch.GetTimestamp();
        while (await MinCopiesAsync("health", cid, "F1") < 3)
        {
            Assert.IsLessThan(s_patience, Stopwatch.GetElapsedTime(began), "nobody repairs");
            await Task.Delay(500);
        }
    }

    private async Task<int> MinCopiesAsync(string command, string link, string data)
    {
        ToolProcess asked = await RunAsync(command, link, "--data", data, "--peer", _entrance, "--json");
        await asked.ExpectAsync(0);
        return asked.Events.Last(one => one.GetProperty("event").GetString() is "health" or "replicated").GetProperty("min_copies").GetInt32();
    }

    /// <summary>What each holder keeps for others (bytes).</summary>
    private async Task<Dictionary<string, long>> HeldAsync()
    {
        Dictionary<string, long> held = [];
        foreach (string name in _keepers.Keys)
        {
            ToolProcess stat = await RunAsync("store", "stat", "--by-publisher", "--data", name, "--json");
            await stat.ExpectAsync(0);
            held[name] = stat.Events.Single().GetProperty("publishers").EnumerateArray().Sum(one => one.GetProperty("bytes").GetInt64());
        }

        return held;
    }
}
