using System.CommandLine;
using System.Reflection;
using System.Text;
using P2P.Cli.Commands;
using P2P.Cli.Configuration;
using P2P.Cli.Tests.Support;
using P2P.Core;

namespace P2P.Cli.Tests.Configuration;

[TestClass]
public sealed class SettingsTests
{
    [TestMethod]
    public void Command_line_wins_over_environment_over_file_over_default()
    {
        using var host = new FakeHost();
        string data = host.Folder["data"];
        Directory.CreateDirectory(data);
        File.WriteAllText(Path.Combine(data, "config.json"), """
            {
              // comments and a trailing comma are fine
              "node_name": "file", "network": "file", "timeout": "1h",
              "listen": ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2"],
              "limits": { "max_connections": 11, "idle_timeout": "00:15:00" }, /* both forms */
            }
            """);
        host.Variables["P2P_DATA"] = data;
        host.Variables["P2P_NETWORK"] = "environment";
        host.Variables["P2P_NODE_NAME"] = "environment";
        host.Variables["P2P_LISTEN"] = "/ip4/127.0.0.1/tcp/3, /ip4/127.0.0.1/tcp/4";
        host.Variables["P2P_LIMITS_MAX_CONNECTIONS"] = "12";
        host.Variables["P2P_QUIET"] = "";
        host.Variables["P2P_SOMETHING_ELSE"] = "is not looked at";

        Settings settings = Load(host, "id", "--node-name", "line");
        Assert.AreEqual("line", settings.NodeName);
        Assert.AreEqual("environment", settings.Network);
        CollectionAssert.AreEqual(new[] { "/ip4/127.0.0.1/tcp/3", "/ip4/127.0.0.1/tcp/4" }, settings.Listen.ToArray());
        Assert.AreEqual(TimeSpan.FromHours(1), settings.Timeout);
        P2PNodeOptions node = settings.ForNode(data, listen: false);
        Assert.AreEqual(12, node.Limits.MaxConnections);
        Assert.AreEqual(TimeSpan.FromMinutes(15), node.Limits.IdleTimeout);
        Assert.AreEqual(new LimitOptions().DialTimeout, node.Limits.DialTimeout);
        Assert.IsTrue(node.Listen, "an address was given");
        Assert.AreEqual(data, settings.DataFolderOf(host.Host));
        Assert.IsFalse(settings.Quiet);
    }

    [TestMethod]
    public void Limits_reach_the_node_each_by_its_name_and_those_of_the_node_before_hold_where_none_is_given()
    {
        using var host = new FakeHost();
        host.Variables["P2P_UP"] = "2 MB/s";
        Settings settings = Load(host, "id", "--down", "500KiB");
        settings.Rooms.Limits.MaxConnections = 21;
        settings.Rooms.Limits.MaxConnectionsPerAddress = 22;
        settings.Rooms.Limits.MaxInboundStreamsPerPeer = 23;
        settings.Rooms.Limits.IdleTimeout = TimeSpan.FromSeconds(24);
        settings.Rooms.Limits.DialTimeout = TimeSpan.FromSeconds(25);
        LimitOptions limits = settings.ForNode("data", listen: false).Limits;
        Assert.AreEqual((2_000_000L, 512_000L), (limits.UploadBytesPerSecond, limits.DownloadBytesPerSecond));
        foreach (PropertyInfo property in typeof(LimitOptions).GetProperties())
            Assert.AreEqual(property.GetValue(settings.Rooms.Limits), property.GetValue(limits), property.Name);

        var later = new Settings { Inherited = new InheritedSettings("p2p", [], [], Up: 100_000, Down: null) };
        Assert.AreEqual((100_000L, (long?)null), (later.ForNode("data", listen: false).Limits.UploadBytesPerSecond, later.DownOfNode));
        settings.Inherited = later.Inherited;
        Assert.AreEqual(2_000_000, settings.UpOfNode);
    }

    [TestMethod]
    public void A_command_has_its_own_key_for_the_timeout()
    {
        using var host = new FakeHost();
        host.Variables["P2P_TIMEOUT"] = "1h";
        Assert.AreEqual(TimeSpan.FromHours(1), Load(host, "fetch", "link").Timeout);
        Assert.AreEqual(TimeSpan.FromSeconds(9), Load(host, "fetch", "link", "--timeout", "9s").Timeout);
    }

    [TestMethod]
    public void A_named_file_is_read_instead_of_the_folders_own()
    {
        using var host = new FakeHost();
        File.WriteAllText(host.Folder["other.json"], """{"data":"elsewhere","json":true}""");
        Settings settings = Load(host, "id", "--config", "other.json");
        Assert.AreEqual(host.Folder["elsewhere"], settings.DataFolderOf(host.Host));
        Assert.IsTrue(settings.Json);
        host.Variables["P2P_CONFIG"] = host.Folder["missing.json"];
        StringAssert.Contains(Assert.ThrowsExactly<UsageException>(() => Load(host, "id")).Message, "missing.json");
    }

    [TestMethod]
    [DataRow("{\n\"nodename\": \"x\"}", "line 2", "\"node_name\"")]
    [DataRow("{\n\n \"limits\": {\n \"max_conections\": 5 } }", "line 4", "\"limits.max_connections\"")]
    [DataRow("{\"limits\": 5}", "line 1", "limits")]
    [DataRow("{\"limits\": {\"max_connections\": \"many\"}}", "limits.max_connections", "no whole number")]
    [DataRow("{\"storage\": {\"max_owned_bytes\": \"10 XB\"}}", "storage.max_owned_bytes", "no size")]
    [DataRow("{\n\"timeout\": \"soon\"}", "line 2", "no time")]
    [DataRow("{\"timeout\": \"0s\"}", "timeout", "longer than nothing")]
    [DataRow("{\"quiet\": \"maybe\"}", "quiet", "neither true nor false")]
    [DataRow("{\"node_name\": [\"x\"]}", "node_name", "one value")]
    [DataRow("{\"listen\": {\"x\":1}}", "listen", "list of texts")]
    [DataRow("{\"node_name\": null}", "node_name", "one value")]
    [DataRow("{\"data\": \"x\"}", "line 1", "--data")]
    [DataRow("{\n\"node_name\": \n}", "line 3", "not JSON")]
    [DataRow("[]", "line 1", "one JSON object")]
    [DataRow("", "line 1", "JSON")]
    [DataRow("{} {}", "line 1", "JSON")]
    [DataRow("{\n\"node_name\": \"\\ud800\"}", "line 2", "not Unicode")]
    [DataRow("{\n\"\\ud800\": 1}", "line 2", "not Unicode")]
    public async Task A_fault_in_the_file_names_the_line_and_ends_with_2(string json, string where, string what)
    {
        using var host = new FakeHost();
        Directory.CreateDirectory(host.Folder["data"]);
        await File.WriteAllTextAsync(host.Folder["data", "config.json"], json);
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("id", "--data", "data"));
        StringAssert.Contains(host.Error, where);
        StringAssert.Contains(host.Error, what);
    }

    [TestMethod]
    public async Task A_fault_in_the_environment_names_the_variable()
    {
        using var host = new FakeHost();
        host.Variables["P2P_LIMITS_DIAL_TIMEOUT"] = "soon";
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("id"));
        StringAssert.Contains(host.Error, "P2P_LIMITS_DIAL_TIMEOUT: \"soon\" is no time");
    }

    [TestMethod]
    public async Task Without_a_home_a_command_that_needs_the_folder_names_data()
    {
        using var host = new FakeHost();
        host.Variables["HOME"] = "";
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("id"));
        StringAssert.Contains(host.Error, "--data DIR");
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("link", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"), "a command that needs none does not ask for one");
    }

    [TestMethod]
    public void Every_option_of_the_library_has_a_key()
    {
        var keys = SettingKey.All.Select(key => key.Key).ToHashSet(StringComparer.Ordinal);
        foreach (Type room in new[] { typeof(StorageOptions), typeof(ExchangeOptions), typeof(LimitOptions) })
        {
            // A rebuild is asked for by a command, never by a setting that stays.
            // Two have options of their own: --up and --down.
            string[] others = [nameof(StorageOptions.IndexRebuild), nameof(LimitOptions.UploadBytesPerSecond), nameof(LimitOptions.DownloadBytesPerSecond)];
            foreach (PropertyInfo property in room.GetProperties().Where(property => !others.Contains(property.Name)))
                Assert.Contains($"{Snake(room.Name.Replace("Options", "", StringComparison.Ordinal)).TrimEnd('s')}.{Snake(property.Name)}", keys.Select(key => key.Replace("limits.", "limit.", StringComparison.Ordinal)));
        }
    }

    [TestMethod]
    public void Every_global_option_can_be_set_elsewhere_too()
    {
        foreach (Option option in new GlobalOptions().All.Where(option => option.Name is not ("--config" or "--help" or "--version")))
            Assert.IsNotNull(SettingKey.Find(option.Name.TrimStart('-').Replace('-', '_')), option.Name);
    }

    [TestMethod]
    public void A_byte_order_mark_is_no_fault() =>
        Assert.HasCount(1, ConfigFile.Parse(Encoding.UTF8.GetPreamble().Concat(Encoding.UTF8.GetBytes("""{"network":"x"}""")).ToArray(), "f"));

    private static Settings Load(FakeHost host, params string[] args)
    {
        var root = new CommandTree();
        ParseResult parse = root.Parse(args, Tool.ParserConfiguration);
        return SettingsLoader.Load(root.Globals.Given(parse, parse.CommandResult.Command), parse.GetValue(root.Globals.Config), host.Host);
    }

    private static string Snake(string name)
    {
        var text = new StringBuilder();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && text.Length > 0)
                text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
