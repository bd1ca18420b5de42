using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>How commands end: by signals, by closed pipes, by kill -9, and how they go on.</summary>
[TestClass]
public sealed class EndingTests : EndToEndTest
{
    private const int Rate = 40 << 20;

    private ToolProcess? _sharer;

    [TestMethod]
    [DataRow(ToolProcess.Interrupt)]
    [DataRow(ToolProcess.Terminate)]
    [DataRow(ToolProcess.Hangup)]
    public async Task A_signal_is_the_normal_end_of_a_share(int signal)
    {
        (ToolProcess sharer, _) = await ShareAsync(Folder.File("x", 5_000));
        sharer.Signal(signal);
        await sharer.ExpectAsync(0);
        Assert.AreNotEqual("error", sharer.Events[^1].GetProperty("event").GetString());
    }

    [TestMethod]
    public async Task A_signal_that_comes_twice_at_once_is_one()
    {
        (ToolProcess sharer, _) = await ShareAsync(Folder.File("x", 5_000));
        sharer.Signal(ToolProcess.Interrupt);
        sharer.Signal(ToolProcess.Interrupt);
        sharer.Signal(ToolProcess.Terminate);
        await sharer.ExpectAsync(0);
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task A_second_signal_ends_at_once_what_does_not_end_by_the_first()
    {
        ToolProcess owner = Start("node", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        await owner.EventAsync("ready");
        ToolProcess fetch = Start("fetch", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "-o", "OUT", "--data", "A", "--json");
        await fetch.EventAsync("stalled"); // it runs on the owner's node
        owner.Signal(ToolProcess.Pause);
        try
        {
            fetch.Signal(ToolProcess.Interrupt);
            await Task.Delay(TimeSpan.FromSeconds(1)); // what comes within 0.3 seconds is the same signal
            Assert.IsFalse(fetch.HasEnded, "who owns the node has not answered");
            long asked = System.Diagnostics.Stopwatch.GetTimestamp();
            fetch.Signal(ToolProcess.Interrupt);
            await fetch.ExpectAsync(130);
            Assert.IsLessThan(20, System.Diagnostics.Stopwatch.GetElapsedTime(asked).TotalSeconds, "it did not wait for the 30 seconds to pass");
        }
        finally
        {
            owner.Signal(ToolProcess.GoOn);
        }
    }

    [TestMethod]
    public async Task An_interrupted_fetch_keeps_what_is_verified_and_goes_on()
    {
        string file = Folder.File("file.bin", 64 << 20);
        (JsonElement ready, JsonElement shared) = await ShareReadyAsync(file);
        await using var line = new SlowLine(Port(ready), Rate);
        string link = line.Link(ready, shared);

        ToolProcess fetch = Start("fetch", link, "-o", "OUT", "--data", "B", "--json");
        await ReachAsync(fetch, 10 << 20);
        fetch.Signal(ToolProcess.Interrupt);
        await fetch.ExpectAsync(130);
        AssertError("interrupted", fetch);
        StringAssert.Matches(fetch.Events[^1].GetProperty("message").GetString(), new("^Kept [0-9.]+ MB, verified. The same command goes on from there.$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        Assert.IsFalse(File.Exists(Folder["OUT"]), "never a partial file under the final name");

        ToolProcess human = Start("fetch", link, "-o", "OUT", "--data", "B");
        await human.ErrorContainsAsync("Going on from ");
        human.Signal(ToolProcess.Terminate);
        await human.ExpectAsync(130);
        StringAssert.Contains(human.Error, "The same command goes on from there.");

        ToolProcess again = await FetchAsync(link, "-o", "OUT");
        await again.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["OUT"]);
        Assert.IsGreaterThan(5L << 20, again.Events.Single(one => one.GetProperty("event").GetString() == "resumed").GetProperty("bytes").GetInt64());
        Assert.IsGreaterThan(5L << 20, Done(again).GetProperty("bytes_reused").GetInt64());
        Trees.AssertOnly(Folder.Path, "A", "B", "OUT", "file.bin");
    }

    [TestMethod]
    public async Task A_killed_fetch_goes_on_and_costs_at_most_16_MiB_a_kill()
    {
        const int Kills = 3;
        const long Bytes = 96 << 20;
        string file = Folder.File("file.bin", Bytes);
        (JsonElement ready, JsonElement shared) = await ShareReadyAsync(file);
        await using var line = new SlowLine(Port(ready), Rate);
        string link = line.Link(ready, shared);
        for (int kill = 1; kill <= Kills; kill++)
        {
            ToolProcess fetch = Start("fetch", link, "-o", "OUT", "--data", "B", "--json");
            await ReachAsync(fetch, kill * (22 << 20));
            fetch.Signal(ToolProcess.KillNow);
            await fetch.ExitAsync();
            Assert.IsFalse(File.Exists(Folder["OUT"]), "never a partial file under the final name");
        }

        ToolProcess last = await FetchAsync(link, "-o", "OUT");
        await last.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["OUT"]);
        Trees.AssertOnly(Folder.Path, "A", "B", "OUT", "file.bin");
        Assert.IsLessThanOrEqualTo((long)(Bytes * 1.02) + (Kills * (16L << 20)), line.Carried);
    }

    [TestMethod]
    public async Task A_killed_fetch_of_a_folder_goes_on()
    {
        for (int i = 0; i < 400; i++)
            Folder.File($"tree/{i % 7}/{i}.bin", 100_000, i);
        (JsonElement ready, JsonElement shared) = await ShareReadyAsync("tree");
        await using var line = new SlowLine(Port(ready), Rate);
        string link = line.Link(ready, shared);
        ToolProcess fetch = Start("fetch", link, "-o", "OUT", "--data", "B", "--json");
        await ReachAsync(fetch, 10 << 20);
        fetch.Signal(ToolProcess.KillNow);
        await fetch.ExitAsync();
        Assert.IsFalse(Directory.Exists(Folder["OUT"]));
        await (await FetchAsync(link, "-o", "OUT")).ExpectAsync(0);
        Trees.AssertEqual(Folder["tree"], Folder["OUT"]);
        Assert.IsLessThanOrEqualTo(42L * 1_000_000 + (16L << 20), line.Carried);
    }

    [TestMethod]
    public async Task A_killed_sharer_that_is_started_again_serves_the_same_link()
    {
        string file = Folder.File("file.bin", 64 << 20);
        string[] command = ["share", file, "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json"];
        ToolProcess sharer = Start(command);
        JsonElement ready = await sharer.EventAsync("ready"), shared = await sharer.EventAsync("shared");
        await using var line = new SlowLine(Port(ready), Rate);
        ToolProcess fetch = Start("fetch", line.Link(ready, shared), "-o", "OUT", "--data", "B", "--json", "--timeout", "60s");
        await ReachAsync(fetch, 10 << 20);
        sharer.Signal(ToolProcess.KillNow);
        await sharer.ExitAsync();

        ToolProcess restarted = Start(command);
        Assert.AreEqual(shared.GetProperty("link").GetString(), (await restarted.EventAsync("shared")).GetProperty("link").GetString());
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["OUT"]);
    }

    [TestMethod]
    public async Task A_fetch_that_stands_still_says_so_ends_at_the_first_signal_and_goes_on_when_the_sharer_does()
    {
        string file = Folder.File("file.bin", 64 << 20);
        (JsonElement ready, JsonElement shared) = await ShareReadyAsync(file);
        ToolProcess sharer = _sharer!;
        await using var line = new SlowLine(Port(ready), Rate);
        string link = line.Link(ready, shared);
        ToolProcess fetch = Start("fetch", link, "-o", "OUT", "--data", "B", "--json", "--timeout", "60s");
        await ReachAsync(fetch, 5 << 20);
        sharer.Signal(ToolProcess.Pause);
        try
        {
            JsonElement stalled = await fetch.EventAsync("stalled");
            Assert.IsInRange(4.9, 8.0, stalled.GetProperty("seconds").GetDouble());
            long asked = System.Diagnostics.Stopwatch.GetTimestamp();
            fetch.Signal(ToolProcess.Interrupt);
            await fetch.ExpectAsync(130);
            Assert.IsLessThan(15, System.Diagnostics.Stopwatch.GetElapsedTime(asked).TotalSeconds);

            fetch = Start("fetch", link, "-o", "OUT", "--data", "B", "--json", "--timeout", "60s");
            await fetch.EventAsync("stalled");
        }
        finally
        {
            sharer.Signal(ToolProcess.GoOn);
        }

        await fetch.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["OUT"]);
    }

    [TestMethod]
    public async Task A_closed_pipe_ends_quietly_with_0()
    {
        string file = Folder.File("tree/file.bin", 40 << 20);
        for (int i = 0; i < 2_000; i++)
            Folder.File($"tree/{new string('n', 100)}{i}", 1, i);
        (_, string link) = await ShareAsync("tree");
        ToolProcess cat = Keep(ToolProcess.StartShell(Folder, "/bin/bash", $"set -o pipefail; $P2P cat {link} file.bin --data B | head -c 100000 | sha256sum"));
        await cat.ExpectAsync(0);
        Assert.AreEqual("", cat.Error);
        byte[] head = new byte[100_000];
        await using (FileStream original = File.OpenRead(file))
            await original.ReadExactlyAsync(head);
        StringAssert.StartsWith(cat.Output, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(head)));

        ToolProcess ls = Keep(ToolProcess.StartShell(Folder, "/bin/bash", $"set -o pipefail; $P2P ls {link} --data B --json | head -1"));
        await ls.ExpectAsync(0);
        Assert.AreEqual("", ls.Error);
        EventSchemas.Check(ls.Output.TrimEnd('\n'));
    }

    [TestMethod]
    public async Task A_share_before_its_link_is_unfinished_work()
    {
        // Standard input that never ends keeps the import waiting.
        ToolProcess sharer = Start("share", "-", "--name", "x", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        await sharer.EventAsync("ready");
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(130);
        AssertError("interrupted", sharer);
    }

    private static int Port(JsonElement ready) =>
        int.Parse(ready.GetProperty("addresses")[0].GetString()!.Split('/')[4], System.Globalization.CultureInfo.InvariantCulture);

    private static async Task ReachAsync(ToolProcess fetch, long bytes)
    {
        while ((await fetch.EventAsync("progress")).GetProperty("bytes").GetInt64() < bytes)
        {
        }
    }

    private async Task<(JsonElement Ready, JsonElement Shared)> ShareReadyAsync(string path)
    {
        ToolProcess sharer = _sharer = Start("share", path, "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        return (await sharer.EventAsync("ready"), await sharer.EventAsync("shared"));
    }
}
