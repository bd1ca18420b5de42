using System.CommandLine;
using System.Text.RegularExpressions;
using P2P.Cli.Commands;
using P2P.Cli.Configuration;
using P2P.Cli.Output;
using P2P.Cli.Tests.Support;
using P2P.Core;

namespace P2P.Cli.Tests.Contract;

/// <summary>Holds docs/cli.md and the code against each other.</summary>
[TestClass]
public sealed partial class ContractTests
{
    [TestMethod]
    public void The_documented_exit_codes_are_those_of_the_code()
    {
        (string, int)[] documented = [.. ErrorRow().Matches(Repository.ReadDoc("cli.md")).Select(row => (row.Groups[1].Value, int.Parse(row.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)))];
        CollectionAssert.AreEqual(ExitCodes.Table.ToArray(), documented);
        int[] exits = [.. ExitRow().Matches(Repository.ReadDoc("cli.md")).Select(row => int.Parse(row.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))];
        CollectionAssert.AreEquivalent(ExitCodes.Table.Select(row => row.Exit).Append(ExitCodes.Done).Distinct().ToArray(), exits);
    }

    [TestMethod]
    public void Every_error_of_the_library_has_a_name_and_an_exit_code()
    {
        foreach (P2PErrorCode code in Enum.GetValues<P2PErrorCode>())
        {
            string name = ExitCodes.NameOf(code);
            Assert.AreEqual(Regex.Replace(code.ToString(), "(?<!^)[A-Z]", match => "_" + match.Value, RegexOptions.None, TimeSpan.FromSeconds(1)).ToLowerInvariant(), name);
            Assert.HasCount(1, ExitCodes.Table.Where(row => row.Code == name));
        }
    }

    [TestMethod]
    [DataRow(P2PErrorCode.NotFound, 3)]
    [DataRow(P2PErrorCode.Unreachable, 3)]
    [DataRow(P2PErrorCode.Integrity, 4)]
    [DataRow(P2PErrorCode.NoSpace, 5)]
    [DataRow(P2PErrorCode.Quota, 5)]
    [DataRow(P2PErrorCode.Permission, 5)]
    [DataRow(P2PErrorCode.Exists, 1)]
    [DataRow(P2PErrorCode.InUse, 1)]
    [DataRow(P2PErrorCode.Store, 1)]
    public void A_failure_of_the_library_ends_with_its_code_and_one_sentence(P2PErrorCode code, int exit)
    {
        using var host = new FakeHost();
        var root = new CommandTree();
        using var context = new CommandContext(host.Host, new Settings(), root.Parse(["id"]));
        Assert.AreEqual(exit, FailureReport.Write(context, new P2PException(code, "A sentence\u001b[0m.")));
        Assert.AreEqual("p2p: A sentence\\u{1b}[0m.\n", host.Error);
        Assert.AreEqual("", host.Output);
    }

    [TestMethod]
    public void A_failure_with_json_is_one_event_that_shows_no_link()
    {
        using var host = new FakeHost();
        using var context = new CommandContext(host.Host, new Settings { Json = true }, new CommandTree().Parse(["id"]));
        Assert.AreEqual(ExitCodes.Integrity, FailureReport.Write(context, new P2PException(P2PErrorCode.Integrity, "A sentence.")));
        Assert.AreEqual("integrity", EventSchemas.Check(host.Output.TrimEnd('\n')).GetProperty("code").GetString());
        Assert.AreEqual("", host.Error);
    }

    [TestMethod]
    public void A_closed_pipe_is_the_quiet_end()
    {
        using var host = new FakeHost();
        using var context = new CommandContext(host.Host, new Settings(), new CommandTree().Parse(["id"]));
        Assert.AreEqual(ExitCodes.Done, FailureReport.Write(context, new ClosedPipeException(new IOException())));
        Assert.AreEqual("", host.Error + host.Output);
    }

    [TestMethod]
    public void A_stack_trace_is_shown_with_verbose_only()
    {
        foreach (bool verbose in new[] { false, true })
        {
            using var host = new FakeHost();
            using var context = new CommandContext(host.Host, new Settings { Verbose = verbose }, new CommandTree().Parse(["id"]));
            Assert.AreEqual(ExitCodes.Failed, FailureReport.Write(context, Thrown()));
            StringAssert.StartsWith(host.Error, "p2p: This should not have happened: InvalidTimeZoneException: oops");
            Assert.AreEqual(verbose, host.Error.Contains("   at ", StringComparison.Ordinal));
        }
    }

    [TestMethod]
    public void Every_command_and_option_is_documented()
    {
        string doc = Repository.ReadDoc("cli.md");
        var root = new CommandTree();
        foreach (Option option in root.Globals.All)
            StringAssert.Contains(doc, $"| `{option.Name}");
        foreach (Command command in root.Runnable())
        {
            // The row of "config" is not that of "config get".
            string below = string.Concat(command.Subcommands.Select(one => $@"(?! {one.Name}\b)"));
            string row = doc.Split('\n').Single(line => Regex.IsMatch(line, $@"^\| `p2p {command.FullName()}\b{below}", RegexOptions.None, TimeSpan.FromSeconds(1)));
            foreach (Option option in command.Options.Where(option => option.Name is not ("--link-file" or "--output")))
                StringAssert.Contains(row, option.Name);
        }

        StringAssert.Contains(doc, "`--link-file FILE`");
        foreach (SettingKey key in SettingKey.All.Where(key => key.Key.Contains('.', StringComparison.Ordinal)))
            StringAssert.Contains(doc, $"| `{key.Key}` | `{string.Join(", ", key.Show(new Settings()))}` |");
    }

    private static InvalidTimeZoneException Thrown()
    {
        try
        {
            throw new InvalidTimeZoneException("oops");
        }
        catch (InvalidTimeZoneException failure)
        {
            return failure;
        }
    }

    [GeneratedRegex(@"^\| `([a-z_]+)` \| (\d+) \|", RegexOptions.Multiline, 1000)]
    private static partial Regex ErrorRow();

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline, 1000)]
    private static partial Regex ExitRow();
}
