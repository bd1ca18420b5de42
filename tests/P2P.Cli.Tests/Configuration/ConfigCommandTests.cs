using System.Text.Json;
using P2P.Cli.Configuration;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.Configuration;

/// <summary>What <c>p2p config</c> says of settings, and what it does to files.</summary>
[TestClass]
public sealed class ConfigCommandTests
{
    [TestMethod]
    public async Task Every_key_is_listed_with_its_value_and_origin_and_nothing_is_made()
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "--json"));
        JsonElement[] events = [.. host.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(EventSchemas.Check)];
        CollectionAssert.AreEqual(SettingKey.All.Select(key => key.Key).ToArray(), events.Select(one => one.GetProperty("key").GetString()).ToArray());
        Assert.AreEqual("true environment P2P_NO_LAN", Shape(events, "no_lan"));
        Assert.AreEqual("true command_line --json", Shape(events, "json"));
        Assert.AreEqual("2m default ", Shape(events, "timeout"));
        Assert.AreEqual($"{host.Folder[".local", "share", "p2p"]} default ", Shape(events, "data"));
        Assert.AreEqual("[] default ", Shape(events, "listen"));
        Assert.AreEqual("[\"local\"] default ", Shape(events, "replication.offer_to"));
        Assert.AreEqual(" default ", Shape(events, "log"));
        Assert.AreEqual(" default ", Shape(events, "up"));
        Assert.IsEmpty(Directory.GetFileSystemEntries(host.Folder.Path));
    }

    [TestMethod]
    public async Task A_person_sees_where_each_value_comes_from()
    {
        using var host = new FakeHost();
        await WriteAsync(host, """{ "limits": { "max_connections": 64 }, "network": "file", "node_name": "attic\u001b" }""");
        host.Variables["P2P_NETWORK"] = "variable";
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "--verbose", "--data", "data"));
        string[] lines = [.. host.Output.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        CollectionAssert.Contains(lines, $"limits.max_connections 64 .{Path.DirectorySeparatorChar}{Path.Combine("data", "config.json")}");
        CollectionAssert.Contains(lines, "network variable P2P_NETWORK");
        CollectionAssert.Contains(lines, "verbose true command line");
        CollectionAssert.Contains(lines, "log - default");
        Assert.IsTrue(lines.Any(line => line.StartsWith("node_name attic\\u{1b} ", StringComparison.Ordinal)), host.Output);
    }

    [TestMethod]
    public async Task A_value_alone_is_printed_for_scripts()
    {
        using var host = new FakeHost();
        await WriteAsync(host, """{ "listen": ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2"], "replication": { "grace": "00:20:00" } }""");
        foreach (string key in new[] { "listen", "replication.grace", "log", "storage.max_owned_bytes" })
            Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "get", key, "--data", "data"));
        Assert.AreEqual("/ip4/127.0.0.1/tcp/1\n/ip4/127.0.0.1/tcp/2\n20m\n10GiB\n", host.Output);
        Assert.AreEqual("", host.Error);
    }

    [TestMethod]
    public void What_is_shown_can_be_set()
    {
        foreach (SettingKey key in SettingKey.All)
        {
            Settings settings = new(), again = new();
            IReadOnlyList<string> shown = key.Show(settings);
            if (shown.Count == 0)
                continue;
            key.Apply(again, shown);
            CollectionAssert.AreEqual(shown.ToArray(), key.Show(again).ToArray(), key.Key);
        }
    }

    [TestMethod]
    public async Task Setting_makes_the_folder_and_the_file_for_the_owner_only()
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "set", "limits.idle_timeout", "2m"));
        string folder = host.Folder[".local", "share", "p2p"], file = Path.Combine(folder, "config.json");
        Assert.AreEqual("{\n  \"limits\": {\n    \"idle_timeout\": \"2m\"\n  }\n}\n", await File.ReadAllTextAsync(file));
        Assert.AreEqual("Set limits.idle_timeout to 2m in ~/.local/share/p2p/config.json.\n", host.Error);
        Assert.AreEqual("", host.Output);
        CollectionAssert.AreEqual(new[] { file }, Directory.GetFileSystemEntries(folder));
        if (!OperatingSystem.IsWindows())
        {
            Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
            Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "unset", "limits.idle_timeout"));
        Assert.AreEqual("{\n}\n", await File.ReadAllTextAsync(file));
        StringAssert.EndsWith(host.Error, "It is 5m (default).\n");
    }

    [TestMethod]
    [DataRow("/ip4/127.0.0.1/tcp/1|/ip4/127.0.0.1/tcp/2")]
    [DataRow("/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.1/tcp/2")]
    [DataRow("/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2")]
    public async Task A_list_takes_several_values_or_one_with_commas(string values)
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync(["config", "set", "listen", .. values.Split('|'), "--data", "data"]));
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "get", "listen", "--data", "data"));
        Assert.AreEqual("/ip4/127.0.0.1/tcp/1\n/ip4/127.0.0.1/tcp/2\n", host.Output);
    }

    [TestMethod]
    public async Task A_named_file_is_written_and_keeps_its_permissions_and_its_link()
    {
        if (OperatingSystem.IsWindows())
            return; // no permissions of this kind, and no links for everyone
        using var host = new FakeHost();
        string file = host.Folder["mine.json"], link = host.Folder["link.json"];
        await File.WriteAllTextAsync(file, "{ \"quiet\": false } // mine");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        File.CreateSymbolicLink(link, "mine.json");
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "set", "data", "elsewhere", "--config", "link.json"));
        Assert.AreEqual("{ \"quiet\": false, \"data\": \"elsewhere\" } // mine", await File.ReadAllTextAsync(file));
        Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(file));
        Assert.AreEqual("mine.json", new FileInfo(link).LinkTarget);

        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "set", "timeout", "5m", "--config", "new.json"), "a named file is made too");
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("config", "set", "timeout", "5m", "--config", "none/new.json"));
        StringAssert.Contains(host.Error, "there is no folder");
        Assert.IsFalse(Directory.Exists(host.Folder["none"]));
    }

    [TestMethod]
    public async Task The_folders_own_file_never_gets_data_by_whatever_name()
    {
        using var host = new FakeHost();
        await WriteAsync(host, "{}");
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("config", "set", "data", "x", "--data", "data", "--config", "data/config.json"));
        await WriteAsync(host, """{ "data": "x", "quiet": true }""");
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("config", "--data", "data"));
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "unset", "data", "--data", "data"), "it can be mended");
        Assert.AreEqual("""{ "quiet": true }""", await ReadAsync(host));
    }

    [TestMethod]
    [DataRow("{\n\"quiet\": }", "line 2: not JSON")]
    [DataRow("{\n} x", "line 2: not JSON")]
    [DataRow("[]", "one JSON object")]
    [DataRow("// only a comment", "line 1: not JSON")]
    [DataRow("{\n\"nodename\": \"x\" }", "line 2: \"nodename\" is no setting. Did you mean \"node_name\"?")]
    [DataRow("{\n\n\"limits\": { \"idle_timeout\": \"soon\" } }", "line 3: limits.idle_timeout: \"soon\" is no time")]
    public async Task A_file_that_is_at_fault_is_left_alone_and_its_line_named(string json, string fault)
    {
        using var host = new FakeHost();
        await WriteAsync(host, json);
        foreach (string[] change in new[] { new[] { "set", "timeout", "5m" }, ["unset", "timeout"] })
            Assert.AreEqual(ExitCodes.Usage, await host.RunAsync(["config", .. change, "--data", "data"]));
        Assert.AreEqual(2, host.Error.Split(fault).Length - 1, host.Error);
        Assert.AreEqual(json, await ReadAsync(host));
        Assert.HasCount(1, Directory.GetFileSystemEntries(host.Folder["data"]));
    }

    [TestMethod]
    [DataRow("{ \"timeout\": \"soon\", \"quiet\": true }", "set|timeout|5m", "{ \"timeout\": \"5m\", \"quiet\": true }")]
    [DataRow("{ \"nodename\": \"x\", \"quiet\": true }", "unset|nodename", "{ \"quiet\": true }")]
    [DataRow("{ \"listen\": {}, \"quiet\": true }", "unset|listen", "{ \"quiet\": true }")]
    [DataRow("", "set|quiet|true", "{\n  \"quiet\": true\n}\n")]
    public async Task A_fault_can_be_mended(string json, string change, string mended)
    {
        using var host = new FakeHost();
        await WriteAsync(host, json);
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("config", "--data", "data"));
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync(["config", .. change.Split('|'), "--data", "data"]), host.Error);
        Assert.AreEqual(mended, await ReadAsync(host));
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "--data", "data"));
    }

    [TestMethod]
    public async Task What_wins_over_the_file_is_said()
    {
        using var host = new FakeHost();
        host.Variables["P2P_NETWORK"] = "variable";
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "set", "network", "file", "--data", "data"));
        StringAssert.Contains(host.Error, "Set network to file in ");
        StringAssert.Contains(host.Error, "Note: The variable P2P_NETWORK wins over ");
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "unset", "network", "--data", "data", "--network", "line", "--json"));
        JsonElement[] events = [.. host.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(EventSchemas.Check)];
        Assert.AreEqual("line command_line --network", Shape(events[..1], "network"));
        Assert.AreEqual("config_overridden", events[1].GetProperty("code").GetString());
    }

    [TestMethod]
    public async Task What_is_not_there_is_no_failure()
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "unset", "timeout", "--data", "data"));
        StringAssert.Contains(host.Error, "timeout is not set in ");
        StringAssert.Contains(host.Error, "It is 2m (default).");
        Assert.IsEmpty(Directory.GetFileSystemEntries(host.Folder.Path));
    }

    [TestMethod]
    public async Task Without_a_home_the_settings_are_listed_and_a_change_names_data()
    {
        using var host = new FakeHost();
        host.Variables["HOME"] = "";
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config"));
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("config", "set", "timeout", "5m"));
        StringAssert.Contains(host.Error, "--data DIR");
    }

    private static string Shape(IEnumerable<JsonElement> events, string key)
    {
        JsonElement one = events.Single(candidate => candidate.GetProperty("key").GetString() == key);
        return $"{one.GetProperty("value")} {one.GetProperty("origin")} {one.GetProperty("source")}";
    }

    private static Task WriteAsync(FakeHost host, string json)
    {
        Directory.CreateDirectory(host.Folder["data"]);
        return File.WriteAllTextAsync(host.Folder["data", "config.json"], json);
    }

    private static Task<string> ReadAsync(FakeHost host) => File.ReadAllTextAsync(host.Folder["data", "config.json"]);
}
