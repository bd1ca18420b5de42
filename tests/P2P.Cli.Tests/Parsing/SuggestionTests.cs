using P2P.Cli.Commands;
using P2P.Cli.Parsing;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.Parsing;

/// <summary>Goal: a shell that completes our lines offers what may stand there, and leaves files to itself.</summary>
[TestClass]
public sealed class SuggestionTests
{
    [TestMethod]
    [DataRow("p2p sh", "share,shares")]
    [DataRow("p2p pin ", "add,ls,rm")]
    [DataRow("p2p share --rep", "--replicas")]
    [DataRow("p2p share --l", "--lan,--listen,--log")]
    [DataRow("p2p share ", "")]
    [DataRow("p2p share fi", "")]
    [DataRow("p2p completion ", "bash,fish,pwsh,zsh")]
    [DataRow("p2p service print s", "systemd")]
    [DataRow("p2p config ", "get,set,unset")]
    [DataRow("p2p config get limits.max_c", "limits.max_connections,limits.max_connections_per_address")]
    [DataRow("p2p config set node", "node_name")]
    [DataRow("p2p config set node_name at", "")]
    [DataRow("/usr/bin/p2p  unsh", "unshare")]
    [DataRow("p2p nonsense --", "")]
    [DataRow("p2p 'an open quote", "")]
    public void The_words_that_may_come_next_are_said(string line, string words)
    {
        Assert.IsTrue(Suggestions.TryRead([$"[suggest:{line.Length}]", line], out string text));
        string[] found = [.. Suggestions.Of(new CommandTree(), text)];
        if (words.Length > 0 || !line.EndsWith("--", StringComparison.Ordinal))
            Assert.AreEqual(words, string.Join(',', found));
    }

    [TestMethod]
    public void What_stands_behind_the_position_does_not_count()
    {
        Assert.IsTrue(Suggestions.TryRead(["[suggest:6]", "p2p fe --json"], out string text));
        CollectionAssert.AreEqual(new[] { "fetch" }, Suggestions.Of(new CommandTree(), text).ToArray());
        Assert.IsTrue(Suggestions.TryRead(["[suggest:99]", "p2p fe"], out text));
        Assert.AreEqual("fe", text);
        Assert.IsFalse(Suggestions.TryRead(["[suggest:]", "p2p"], out _));
        Assert.IsFalse(Suggestions.TryRead(["[suggest:1]"], out _));
        Assert.IsFalse(Suggestions.TryRead(["[suggest:-1]", "p2p"], out _));
    }

    [TestMethod]
    public async Task A_shell_completes_by_the_script()
    {
        if (!File.Exists("/bin/bash"))
            Assert.Inconclusive("bash is not on this machine");
        using var folder = new TemporaryFolder();
        var start = new System.Diagnostics.ProcessStartInfo("/bin/bash", ["-c", "source <(p2p completion bash); COMP_LINE='p2p sha'; COMP_POINT=7; _p2p; echo \"${COMPREPLY[*]}\""])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = folder.Path,
        };
        start.Environment["PATH"] = Path.GetDirectoryName(ToolProcess.Program) + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        start.Environment["HOME"] = folder.Path;
        using var shell = System.Diagnostics.Process.Start(start)!;
        Assert.AreEqual("share\nshares\n".Replace('\n', ' ').Trim(), (await shell.StandardOutput.ReadToEndAsync()).Trim().Replace('\n', ' '));
        await shell.WaitForExitAsync();
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder.Path), "nothing was written");
    }

    [TestMethod]
    [DataRow("bash", "complete -o default -F _p2p p2p")]
    [DataRow("zsh", "compdef _p2p p2p")]
    [DataRow("fish", "complete -c p2p")]
    [DataRow("pwsh", "Register-ArgumentCompleter -Native -CommandName p2p")]
    public async Task Every_shell_has_a_script(string shell, string what)
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("completion", shell));
        StringAssert.Contains(host.Output, what);
        StringAssert.Contains(host.Output, "[suggest:");
    }

    [TestMethod]
    [DataRow("systemd", "Type=notify", "node --data \"/a \\\"b\\\" 50%%$$\"")]
    [DataRow("launchd", "<string>--data</string>", "<string>/a &quot;b&quot; 50%$</string>")]
    [DataRow("windows", "Register-ScheduledTask", "'node --data \"/a \"b\" 50%$\"'")]
    public async Task A_unit_names_the_program_and_the_data_folder_whatever_is_in_their_names(string system, string what, string folder)
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("service", "print", system, "--data", "/a \"b\" 50%$"));
        StringAssert.Contains(host.Output, what);
        StringAssert.Contains(host.Output, folder);
        if (system == "launchd")
            System.Xml.Linq.XDocument.Parse(host.Output.Replace("<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">", "", StringComparison.Ordinal));
    }

    [TestMethod]
    [DataRow("completion|tcsh")]
    [DataRow("service|print|cron")]
    [DataRow("completion|bash|--json")]
    public async Task What_there_is_none_for_is_said(string line)
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync(line.Split('|')));
    }
}
