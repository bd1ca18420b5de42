using System.CommandLine;
using P2P.Cli.Commands;
using P2P.Cli.Parsing;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.Parsing;

[TestClass]
public sealed class ParserTests
{
    [TestMethod]
    [DataRow("@x", false)]
    [DataRow("@", false)]
    [DataRow("[x]", false)]
    [DataRow("[suggest:3]", false)]
    [DataRow("a b", false)]
    [DataRow("/h", false)]
    [DataRow("/?", false)]
    [DataRow("true", false)]
    [DataRow("share", false)]
    [DataRow("a=b", false)]
    [DataRow("-x", true)]
    [DataRow("--", true)]
    [DataRow("--json", true)]
    [DataRow("-", false)]
    public void A_file_may_have_any_name(string name, bool needsDashes)
    {
        // The name must arrive as it was typed: behind a flag, behind --, among others.
        string[][] lines = needsDashes
            ? [["share", "--", name], ["share", "--json", "--", name, "other"], ["--quiet", "share", "--", "other", name]]
            : [["share", name], ["share", "--json", name, "other"], ["--quiet", "share", "other", name], ["share", "--", name]];
        foreach (string[] line in lines)
        {
            CollectionAssert.Contains(Paths(line), name, string.Join(' ', line));
        }
    }

    [TestMethod]
    public void A_value_may_be_a_commands_name() => Assert.AreEqual("share", Parse("share", "--name", "share", "x").GetValue<string>("--name"));

    [TestMethod]
    public void A_global_option_may_stand_before_the_command()
    {
        ParseResult parse = Parse("--data", "share", "share", "x");
        Assert.AreEqual("share", parse.GetValue<string>("--data"));
        CollectionAssert.AreEqual(new[] { "x" }, parse.GetValue<string[]>("PATH"));
    }

    [TestMethod]
    public void A_value_that_begins_with_a_dash_is_written_with_an_equals_sign() => Assert.AreEqual("-x", Parse("share", "--name=-x", "y").GetValue<string>("--name"));

    [TestMethod]
    [DataRow("share|-x", "-x is no option", "-- -x")]
    [DataRow("share|--nmae|x|y", "--nmae is no option", "--name")]
    [DataRow("share|--nmae=x|y", "--nmae is no option", "--name")]
    [DataRow("fetch|-json|x", "-json is no option", "--json")]
    [DataRow("fetch|x|--overwrit", "--overwrit is no option", "--overwrite")]
    [DataRow("share|--name|-x|y", "-x is no option", "--name=-x")]
    [DataRow("--jsn", "--jsn is no option", "--json")]
    [DataRow("shar|x", "\"shar\" is no command", "\"share\"")]
    [DataRow("share", "PATH is missing", "p2p share PATH")]
    [DataRow("share|x|--name", "--name needs a value", "p2p share --help")]
    [DataRow("node|--offer|--quiet", "--offer needs a value", "p2p node --help")]
    [DataRow("completion|tcsh", "\"tcsh\" is not known here", "bash, zsh, fish or pwsh")]
    [DataRow("service|print", "SYSTEM is missing", "systemd|launchd|windows")]
    [DataRow("cid|a|b", "'b'", "p2p cid --help")]
    [DataRow("share|--json=true|x", "--json takes no value", "--help")]
    [DataRow("share|--name|a|--name|b|x", "--name", "--help")]
    [DataRow("fetch", "A link is missing", "p2p fetch LINK")]
    [DataRow("fetch|l|--overwrite|--rename", "--overwrite and --rename", "contradict")]
    [DataRow("share|a/x|b/x", "the same name", "a/x and b/x")]
    [DataRow("share|-", "has no name", "--name")]
    [DataRow("share|-|x", "alone", "")]
    [DataRow("share|x|--qrcode", "--qrcode is no option", "--qr")]
    [DataRow("share|--qr|film.mkv|x", "ends in .svg", "--")]
    [DataRow("share|x|--lan", "not looked at", "no_lan")]
    [DataRow("share|x|--lan|--private|--no-lan", "not looked at", "--no-lan")]
    [DataRow("lan|--no-lan", "not looked at", "--no-lan")]
    [DataRow("fetch|lan:", "lan:NAME@PEERID", "p2p lan")]
    [DataRow("fetch|lan:/x", "lan:NODE/NAME", "p2p lan")]
    [DataRow("fetch|lan:x", "not looked at", "--no-lan")]
    [DataRow("ls|lan:x", "not looked at", "--no-lan")]
    [DataRow("cat|lan:x", "not looked at", "--no-lan")]
    [DataRow("pin|add|lan:x", "not looked at", "--no-lan")]
    [DataRow("car|export|lan:x", "not looked at", "--no-lan")]
    [DataRow("fetch|lan:x|a|b://c", "A second link", "one link at a time")]
    [DataRow("health|lan:x", "lan: name is no link", "")]
    [DataRow("fetch|nonsense!", "no", "")]
    [DataRow("fetch|bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku|p2p://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku/~private#CiAk", "A second link", "one link at a time")]
    [DataRow("cat|bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku|--range|5", "\"5\" is no range", "--range A-B")]
    [DataRow("fetch|bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku|--timeout|5", "--timeout: \"5\" is no time", "30s")]
    [DataRow("cat|bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku|--json", "--json has no place", "")]
    [DataRow("id|--listen|nonsense", "--listen: \"nonsense\" is no multiaddr", "/ip4/")]
    [DataRow("id|--peer|/ip4/127.0.0.1/tcp/1", "does not say which peer", "/p2p/ID")]
    [DataRow("fetch|p2p://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku/~private", "lost its key", "after #")]
    [DataRow("config|gte|timeout", "\"gte\" is no command of p2p config", "\"get\"")]
    [DataRow("config|get|timeotu", "\"timeotu\" is no setting", "\"timeout\"")]
    [DataRow("config|set|timeotu|5m", "\"timeotu\" is no setting", "\"timeout\"")]
    [DataRow("config|unset|timeotu", "\"timeotu\" is no setting", "\"timeout\"")]
    [DataRow("config|unset|limits", "group of settings", "limits.max_connections")]
    [DataRow("config|set|timeout", "VALUE is missing", "p2p config set KEY VALUE")]
    [DataRow("config|set|timeout|soon", "timeout: \"soon\" is no time", "30s")]
    [DataRow("config|set|timeout|5|m", "takes one value", "quotes")]
    [DataRow("config|set|limits.max_connections|1", "limits.max_connections: 1 is not between 8", "65536")]
    [DataRow("config|set|replication.offer_to|local,me", "'me' is neither local", "peer id")]
    [DataRow("config|set|peer|/ip4/127.0.0.1/tcp/1", "does not say which peer", "/p2p/ID")]
    [DataRow("config|set|data|/x", "inside the data folder", "--config FILE")]
    [DataRow("id|--up|fast", "--up: \"fast\" is no rate", "500KiB")]
    [DataRow("id|--down|0", "--down: \"0\" is too little", "16KiB")]
    [DataRow("config|set|up|16383", "up: \"16383\" is too little", "as fast as the network")]
    [DataRow("link|l|x", "\"x\" is one argument too many", "")]
    public async Task Wrong_usage_ends_with_2_and_says_what_to_do(string line, string what, string hint)
    {
        using var host = new FakeHost();
        int exit = await host.RunAsync(line.Split('|'));
        if (!line.Contains("--json", StringComparison.Ordinal))
        {
            StringAssert.StartsWith(host.Error, "p2p: ");
            Assert.AreEqual("", host.Output);
        }

        string text = host.Error + host.Output;
        StringAssert.Contains(text.Replace("\\u0022", "\"", StringComparison.Ordinal), what);
        StringAssert.Contains(text.Replace("\\u0022", "\"", StringComparison.Ordinal), hint);
        Assert.AreEqual(ExitCodes.Usage, exit);
        Assert.IsFalse(text.Contains("   at ", StringComparison.Ordinal), "no stack trace without --verbose");
    }

    [TestMethod]
    public async Task Wrong_usage_with_json_is_one_event()
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("share", "--json", "--nmae", "x"));
        Assert.AreEqual("", host.Error);
        string line = host.Output.TrimEnd('\n');
        Assert.AreEqual("usage", EventSchemas.Check(line).GetProperty("code").GetString());
    }

    [TestMethod]
    public async Task The_tool_alone_prints_three_examples_and_the_commands()
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync());
        foreach (string command in new[] { "share", "fetch", "ls", "cat", "link", "cid", "id", "demo" })
            StringAssert.Contains(host.Output, $"\n  {command} ");
        StringAssert.Contains(host.Output, "  p2p share film.mkv");
        StringAssert.Contains(host.Output, "  p2p fetch LINK");
        StringAssert.Contains(host.Output, "  p2p demo");
        Assert.AreEqual("", host.Error);
    }

    [TestMethod]
    [DataRow("--help")]
    [DataRow("-h")]
    [DataRow("share|--help")]
    [DataRow("fetch|-h")]
    [DataRow("ls|--help")]
    [DataRow("cat|--help")]
    [DataRow("cid|--help")]
    [DataRow("id|--help")]
    [DataRow("link|--help")]
    [DataRow("demo|--help")]
    [DataRow("config|--help")]
    [DataRow("config|set|--help")]
    [DataRow("config|unset|--help")]
    [DataRow("")]
    public async Task Help_fits_80_columns(string line)
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync(line.Split('|', StringSplitOptions.RemoveEmptyEntries)));
        foreach (string text in host.Output.Split('\n'))
            Assert.IsLessThanOrEqualTo(80, text.Length, text);
        Assert.IsFalse(host.Output.Contains("\n\n\n", StringComparison.Ordinal), host.Output);
    }

    [TestMethod]
    [DataRow("fetch|--help")]
    [DataRow("ls|--help")]
    [DataRow("cat|--help")]
    [DataRow("link|--help")]
    public async Task Help_says_that_an_argument_can_be_seen(string line)
    {
        using var host = new FakeHost();
        await host.RunAsync(line.Split('|'));
        StringAssert.Contains(host.Output, "visible in ps");
    }

    [TestMethod]
    public async Task The_version_names_the_commit()
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("--version"));
        StringAssert.StartsWith(host.Output, "p2p " + ToolVersion.Number);
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("--version", "--json"));
        string line = host.Output.Split('\n')[1];
        Assert.AreEqual(ToolVersion.Number, EventSchemas.Check(line).GetProperty("version").GetString());
    }

    [TestMethod]
    [DataRow("--jsom", "--json")]
    [DataRow("--vresion", "--version")]
    [DataRow("--over", "--overwrite")]
    [DataRow("--tiemout", "--timeout")]
    public void The_nearest_name_is_found(string typed, string meant) =>
        Assert.AreEqual(meant, NearestName.Find(typed, ["--json", "--version", "--overwrite", "--timeout", "--help", "-o"]));

    [TestMethod]
    public void A_name_that_is_far_from_all_has_no_nearest() => Assert.IsNull(NearestName.Find("frobnicate", ["share", "fetch", "id"]));

    [TestMethod]
    [DataRow("", "abc", 3)]
    [DataRow("share", "shrae", 1)]
    [DataRow("kitten", "sitting", 3)]
    [DataRow("same", "same", 0)]
    public void Distance_counts_edits(string a, string b, int distance) => Assert.AreEqual(distance, NearestName.Distance(a, b));

    private static ParseResult Parse(params string[] args)
    {
        var root = new CommandTree();
        ParseResult parse = root.Parse(args, Tool.ParserConfiguration);
        ArgumentRules.Check(root, parse, args);
        return parse;
    }

    private static string[] Paths(params string[] args) => Parse(args).GetValue<string[]>("PATH")!;
}
