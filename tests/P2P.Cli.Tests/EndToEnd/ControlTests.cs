using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>Any number of commands on one data folder: the first owns it, the others run on its node, and go on when it ends.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
public sealed class ControlTests : EndToEndTest
{
    private const string Loopback = "/ip4/127.0.0.1/tcp/0";

    [TestMethod]
    public async Task Every_command_runs_beside_an_owner_as_it_does_alone()
    {
        string film = Folder.File("film.bin", 3_000_000), book = Folder.File("book.bin", 2_000_000, seed: 2);
        (_, string elsewhere) = await ShareOnAsync("C", "book.bin");
        (ToolProcess owner, string link) = await ShareAsync("film.bin");

        // What a command says on the owner's node, and what it says when it is alone, is the same but for times and ports.
        string[][] commands =
        [
            ["ls", link, "--json"],
            ["shares", "--json"],
            ["fetch", elsewhere, "-o", "OUT", "--json"],
            ["fetch", elsewhere, "-o", "OUT", "--json"],
            ["pin", "add", elsewhere, "--json"],
            ["pin", "ls", "--json"],
            ["pin", "rm", elsewhere, "--json"],
            ["pin", "rm", elsewhere, "--json"],
            ["gc", "--json"],
            ["store", "stat", "--json"],
            ["store", "verify", "--json"],
            ["ls", "--json", elsewhere, "no/such/path"],
            ["fetch", "--json", "nonsense"],
            ["unshare", "nothing", "--json"],
        ];
        var beside = new List<(int, string)>();
        foreach (string[] command in commands)
            beside.Add(await ShapeAsync(command, "A"));
        Assert.AreEqual("0 0 0 0 0 0 0 3 0 0 0 3 2 3", string.Join(' ', beside.Select(one => one.Item1)));
        Trees.AssertEqual(book, Folder["OUT"]);
        File.Delete(Folder["OUT"]);

        ToolProcess cat = await RunAsync("cat", link, "--range", "10-19", "--data", "A");
        await cat.ExpectAsync(0);
        ToolProcess whole = Keep(ToolProcess.StartShell(Folder, "/bin/sh", $"$P2P cat {link} --data A | cmp - film.bin && $P2P fetch -o - --data A {link} | cmp - film.bin && $P2P cat {link} --data A | head -c 100 | wc -c"));
        await whole.ExpectAsync(0);
        Assert.AreEqual("100", whole.Output.Trim());

        await EndAsync(owner);
        var alone = new List<(int, string)>();
        foreach (string[] command in commands)
            alone.Add(await ShapeAsync(command, "A"));
        for (int i = 0; i < commands.Length; i++)
            Assert.AreEqual(alone[i], beside[i], string.Join(' ', commands[i]));
        Assert.IsTrue(File.Exists(film));
        Assert.IsFalse(File.Exists(Folder["A", "control.sock"]));
    }

    [TestMethod]
    public async Task A_share_beside_a_fetch_listens_and_is_served_and_unshare_ends_it()
    {
        Folder.File("film.bin", 2_000_000);
        await using SlowFetch slow = await StartSlowFetchAsync("A");
        ToolProcess share = Start("share", "film.bin", "--data", "A", "--listen", Loopback, "--json");
        JsonElement ready = await share.EventAsync("ready"), shared = await share.EventAsync("shared");
        Assert.AreEqual(1, ready.GetProperty("addresses").GetArrayLength());
        Done(await FetchAsync(shared.GetProperty("link").GetString()!, "-o", "COPY"));
        Trees.AssertEqual(Folder["film.bin"], Folder["COPY"]);

        ToolProcess other = await RunAsync("shares", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/1", "--json");
        await other.ExpectAsync(1);
        AssertError("in_use", other);
        ToolProcess network = await RunAsync("shares", "--data", "A", "--network", "other", "--json");
        await network.ExpectAsync(1);
        AssertError("in_use", network);
        StringAssert.Contains(network.Events[^1].GetProperty("message").GetString(), $"process {slow.Fetch.Id}");

        ToolProcess limited = await RunAsync("shares", "--data", "A", "--up", "2MB", "--json");
        await limited.ExpectAsync(1);
        AssertError("in_use", limited);
        StringAssert.Contains(limited.Events[^1].GetProperty("message").GetString(), "sends without a limit, not at most 2MB a second");

        share.Signal(ToolProcess.Interrupt);
        await share.ExpectAsync(0);
        await (await RunAsync("unshare", "film.bin", "--data", "A")).ExpectAsync(0);
        await (await FetchAsync(shared.GetProperty("link").GetString()!, "-o", "COPY2", "--timeout", "1s")).ExpectAsync(3);
        Assert.IsFalse(slow.Fetch.HasEnded);
    }

    [TestMethod]
    public async Task Two_fetches_run_on_one_node_and_ending_one_ends_nothing_else()
    {
        (_, string second) = await ShareOnAsync("D", Folder.File("second.bin", 9_000_000, seed: 3));
        await using SlowFetch owner = await StartSlowFetchAsync("A");
        await using SlowFetch attached = await StartSlowFetchAsync("A", "other.bin");
        await (await RunAsync("fetch", second, "-o", "SECOND", "--data", "A")).ExpectAsync(0);
        Trees.AssertEqual(Folder["second.bin"], Folder["SECOND"]);

        attached.Fetch.Signal(ToolProcess.Interrupt);
        await attached.Fetch.ExpectAsync(130);
        AssertError("interrupted", attached.Fetch);
        Assert.IsFalse(owner.Fetch.HasEnded);
        ToolProcess stat = await RunAsync("store", "stat", "--data", "A", "--json");
        await stat.ExpectAsync(0);
        owner.Line.BytesPerSecond = int.MaxValue;
        await owner.Fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["slow.bin"], Folder["slow.bin.out"]);
    }

    [TestMethod]
    [DataRow(ToolProcess.KillNow)]
    [DataRow(ToolProcess.Interrupt)]
    public async Task An_attached_fetch_goes_on_by_itself_when_the_owner_ends(int signal)
    {
        (ToolProcess owner, _) = await ShareAsync(Folder.File("film.bin", 2_000_000));
        await using SlowFetch slow = await StartSlowFetchAsync("A");
        while ((await slow.Fetch.EventAsync("progress")).GetProperty("bytes").GetInt64() < 3 << 20)
        {
        }

        owner.Signal(signal);
        if (signal == ToolProcess.Interrupt)
            await owner.ExpectAsync(0);
        JsonElement told = await slow.Fetch.EventAsync("warning");
        Assert.AreEqual("owner_ended", told.GetProperty("code").GetString());
        JsonElement resumed = await slow.Fetch.EventAsync("resumed");
        Assert.IsGreaterThan(1L << 20, resumed.GetProperty("bytes").GetInt64());
        await (await RunAsync("store", "stat", "--data", "A", "--json")).ExpectAsync(0); // the fetch owns the folder now
        slow.Line.BytesPerSecond = int.MaxValue;
        await slow.Fetch.ExpectAsync(0);
        Done(slow.Fetch);
        Trees.AssertEqual(Folder["slow.bin"], Folder["slow.bin.out"]);
    }

    [TestMethod]
    public async Task Content_on_standard_output_goes_on_where_it_was_when_the_owner_is_killed()
    {
        (ToolProcess owner, _) = await ShareAsync(Folder.File("film.bin", 2_000_000));
        (SlowLine line, string link) = await SlowShareAsync("slow.bin");
        await using (line)
        {
            ToolProcess cat = Keep(ToolProcess.StartShell(Folder, "/bin/sh", $"$P2P cat {link} --data A > COPY"));
            while (!File.Exists(Folder["COPY"]) || new FileInfo(Folder["COPY"]).Length < 2 << 20)
            {
                Assert.IsFalse(cat.HasEnded, cat.ToString());
                await Task.Delay(20);
            }

            owner.Signal(ToolProcess.KillNow);
            await cat.ErrorContainsAsync("goes on by itself");
            line.BytesPerSecond = int.MaxValue;
            await cat.ExpectAsync(0);
            Trees.AssertEqual(Folder["slow.bin"], Folder["COPY"]);
        }
    }

    [TestMethod]
    public async Task An_attached_share_keeps_its_link_and_its_port_when_the_owner_is_killed()
    {
        (ToolProcess owner, _) = await ShareAsync(Folder.File("film.bin", 2_000_000));
        ToolProcess share = Start("share", "--data", "A", "--json", Folder.File("b.bin", 1_000_000, seed: 4));
        string link = (await share.EventAsync("shared")).GetProperty("link").GetString()!;
        owner.Signal(ToolProcess.KillNow);
        await share.EventAsync("warning");
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT");
        Done(fetch);
        Assert.HasCount(1, share.Events.Where(one => one.GetProperty("event").GetString() == "shared"), "what was said is not said again");
        await EndAsync(share);
    }

    [TestMethod]
    public async Task Standard_input_travels_to_the_owner()
    {
        (ToolProcess owner, string link) = await ShareAsync(Folder.File("film.bin", 2_000_000));
        ToolProcess share = Start("share", "-", "--name", "typed", "--data", "A", "--json");
        string text = Convert.ToBase64String(await File.ReadAllBytesAsync(Folder["film.bin"]));
        await share.SendInputAsync(text);
        string typed = (await share.EventAsync("shared")).GetProperty("link").GetString()!;
        ToolProcess ls = Start("ls", "-", "--data", "A", "--json");
        await ls.SendInputAsync(link + "\n");
        await ls.ExpectAsync(0);
        Done(await FetchAsync(typed, "-o", "OUT"));
        Assert.AreEqual(text, await File.ReadAllTextAsync(Folder["OUT"]));
        await EndAsync(owner);
    }

    [TestMethod]
    public async Task A_folder_too_deep_for_a_socket_address_and_a_socket_that_was_left_behind_do_no_harm()
    {
        string deep = Path.Combine([.. Enumerable.Repeat("a-folder-with-a-long-name", 8)]);
        Directory.CreateDirectory(Folder[deep]);
        Folder.File("film.bin", 1_000_000);
        ToolProcess first = Start("share", "film.bin", "--data", deep, "--listen", Loopback, "--json");
        await first.EventAsync("shared");
        ToolProcess beside = await RunAsync("shares", "--data", deep, "--json");
        Assert.HasCount(1, (await beside.ExpectAsync(0)).Events);
        if (!OperatingSystem.IsWindows())
            Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Folder[deep, "control.sock"]));
        first.Signal(ToolProcess.KillNow);
        await first.ExitAsync();
        Assert.IsTrue(File.Exists(Folder[deep, "control.sock"]));
        ToolProcess alone = await RunAsync("shares", "--data", deep, "--listen", Loopback, "--json");
        Assert.HasCount(1, (await alone.ExpectAsync(0)).Events);
    }

    private static async Task EndAsync(ToolProcess process)
    {
        process.Signal(ToolProcess.Interrupt);
        await process.ExpectAsync(0);
    }

    /// <summary>Runs a command and returns its exit code and its events without what differs from run to run.</summary>
    private async Task<(int Exit, string Events)> ShapeAsync(string[] command, string data)
    {
        ToolProcess process = await RunAsync([.. command, "--data", data]);
        string[] varying = ["at", "seconds", "since", "link", "addresses", "rate", "free_bytes", "database_bytes", "block_file_bytes", "from", "bytes_reused", "peers", "blocks", "bytes"];
        IEnumerable<string> events = process.Events
            .Where(one => one.GetProperty("event").GetString() is not ("progress" or "resumed"))
            .Select(one => string.Join(", ", one.EnumerateObject().Where(field => !varying.Contains(field.Name)).Select(field => field.ToString())));
        return (await process.ExitAsync(), string.Join('\n', events));
    }

    private async Task<(ToolProcess Sharer, string Link)> ShareOnAsync(string data, string path)
    {
        ToolProcess sharer = Start("share", path, "--data", data, "--listen", Loopback, "--json");
        return (sharer, (await sharer.EventAsync("shared")).GetProperty("link").GetString()!);
    }

    /// <summary>Shares a file of 24 MiB that can be reached through a slow line only.</summary>
    private async Task<(SlowLine Line, string Link)> SlowShareAsync(string name)
    {
        Folder.File(name, 24 << 20, seed: name.Length);
        ToolProcess sharer = Start("share", name, "--data", "S-" + name, "--listen", Loopback, "--json");
        JsonElement ready = await sharer.EventAsync("ready"), shared = await sharer.EventAsync("shared");
        int port = int.Parse(ready.GetProperty("addresses")[0].GetString()!.Split('/')[4], System.Globalization.CultureInfo.InvariantCulture);
        var line = new SlowLine(port, 1 << 20);
        return (line, line.Link(ready, shared));
    }

    /// <summary>Begins to fetch such a file, and has some of it.</summary>
    private async Task<SlowFetch> StartSlowFetchAsync(string data, string name = "slow.bin")
    {
        (SlowLine line, string link) = await SlowShareAsync(name);
        ToolProcess fetch = Start("fetch", link, "-o", name + ".out", "--data", data, "--json");
        await fetch.EventAsync("progress");
        return new SlowFetch(line, fetch);
    }

    private sealed record SlowFetch(SlowLine Line, ToolProcess Fetch) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Line.DisposeAsync();
    }
}
