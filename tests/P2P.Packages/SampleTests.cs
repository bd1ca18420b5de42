using System.Text.Json;

namespace P2P.Packages;

/// <summary>Goal: what the samples show works with the packages as they are packed, on a machine that has nothing else. Method: built against the feed, run in network namespaces.</summary>
[TestClass]
public sealed class SampleTests
{
    private const int Limit = 300_000; // ms: building a sample restores packages

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Sharing_and_fetching_and_telemetry()
    {
        using Feed feed = Feed.Open();
        await using Lab lab = await Lab.StartAsync(2, Token);
        string sharing = await feed.BuildAsync("share", Token), fetching = await feed.BuildAsync("fetch", Token), telemetry = await feed.BuildAsync("telemetry", Token);
        await File.WriteAllBytesAsync(lab[0]["film.bin"], new byte[3_000_000], Token);
        ToolRun share = lab[0].StartProgram(sharing, "film.bin");
        string link = await LinkOfAsync(share);
        ToolRun fetch = lab[1].StartProgram(fetching, link, "film.bin");
        await fetch.EndAsync(Token);
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        CollectionAssert.AreEqual(new byte[3_000_000], await File.ReadAllBytesAsync(lab[1]["film.bin"], Token));

        ToolRun told = lab[0].StartProgram(telemetry, "film.bin");
        await told.EndAsync(Token);
        Assert.AreEqual(0, told.ExitCode, told.ToString());
        StringAssert.Contains(told.Output, "p2p.import");
        StringAssert.Contains(told.Output, "p2p.import.bytes");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_folder_by_http_and_what_becomes_of_it_when_it_changes()
    {
        Laboratory.Need("curl");
        using Feed feed = Feed.Open();
        await using Lab lab = await Lab.StartAsync(2, Token);
        string working = await feed.BuildAsync("worker", Token), serving = await feed.BuildAsync("http", Token);
        Directory.CreateDirectory(lab[0]["folder/sub"]);
        await File.WriteAllTextAsync(lab[0]["folder/sub/a.txt"], "0123456789", Token);
        ToolRun worker = lab[0].StartProgram(working, "folder");
        string link = await LinkOfAsync(worker);

        ToolRun http = lab[1].StartProgram(serving, link);
        await http.SaidSomewhereAsync("Now listening", Token);
        Assert.AreEqual("[\"sub/a.txt\"]", await CurlAsync(lab[1], "http://localhost:5080/"));
        Assert.AreEqual("345", await CurlAsync(lab[1], "-r", "3-5", "http://localhost:5080/sub/a.txt"));
        Assert.AreEqual("Healthy", await CurlAsync(lab[1], "http://localhost:5080/healthz"));
        StringAssert.Contains(await CurlAsync(lab[1], "-I", "-X", "GET", "http://localhost:5080/none"), "404");

        await File.WriteAllTextAsync(lab[0]["folder/b.txt"], "new", Token);
        while (Links(worker).Length < 2)
            await Task.Delay(50, Token);
        Assert.AreNotEqual(link, Links(worker)[1]);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task The_local_network_and_the_tool_from_its_package()
    {
        using Feed feed = Feed.Open();
        await using Lab lab = await Lab.StartAsync(2, Token);
        string watching = await feed.BuildAsync("lan", Token);
        await feed.DotnetAsync(Token, "tool", "install", "P2P.Cli", "--version", Feed.Version, "--tool-path", feed["tools"]);
        string tool = Path.Combine(feed["tools"], "p2p");
        ToolRun version = lab[0].StartProgram(tool, "--version");
        await version.EndAsync(Token);
        StringAssert.Contains(version.Output, Feed.Version);

        await File.WriteAllTextAsync(lab[0]["f.txt"], "found", Token);
        lab[0].StartProgram(tool, "share", "--lan", "f.txt", "--data", lab[0]["data"], "--node-name", "alice");
        ToolRun lan = lab[1].StartProgram(watching);
        await lan.SaidAsync("alice", Token);
        await lan.SaidAsync("f.txt, 5 bytes: p2p://", Token);
        ToolRun fetch = lab[1].StartProgram(tool, "fetch", "lan:f.txt", "--data", lab[1]["data"], "--json");
        await fetch.EndAsync(Token);
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        Assert.AreEqual("found", await File.ReadAllTextAsync(lab[1]["f.txt"], Token));
        Assert.AreEqual(5, JsonDocument.Parse(fetch.Output.Trim().Split('\n')[^1]).RootElement.GetProperty("bytes").GetInt64());
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_users_own_test()
    {
        using Feed feed = Feed.Open();
        await using Lab lab = await Lab.StartAsync(1, Token);
        string testing = await feed.BuildAsync("testing", Token);
        ToolRun test = lab[0].StartProgram(testing);
        await test.EndAsync(Token);
        Assert.AreEqual(0, test.ExitCode, test.ToString());
        StringAssert.Contains(test.Output, "succeeded: 1");
    }

    [TestMethod]
    public void Every_sample_is_run_here_and_named_on_the_page()
    {
        string page = File.ReadAllText(Path.Combine(Feed.Samples, "README.md"));
        string[] samples = [.. Directory.GetFiles(Feed.Samples, "*.cs").Select(static path => Path.GetFileNameWithoutExtension(path)).Order()];
        CollectionAssert.AreEqual(new[] { "fetch", "http", "lan", "share", "telemetry", "testing", "worker" }, samples);
        foreach (string sample in samples)
        {
            StringAssert.Contains(page, $"({sample}.cs)");
            string text = File.ReadAllText(Path.Combine(Feed.Samples, $"{sample}.cs"));
            StringAssert.Contains(text, $"@{Feed.Version}\n", "it names the version that is packed");
        }
    }

    private async Task<string> LinkOfAsync(ToolRun run)
    {
        while (Links(run).Length == 0)
        {
            await run.SaidAsync("p2p://", Token);
            await Task.Delay(20, Token); // the rest of the line
        }

        return Links(run)[0];
    }

    private static string[] Links(ToolRun run) => [.. run.Output.Split('\n')[..^1].Where(static line => line.StartsWith("p2p://", StringComparison.Ordinal))];

    private async Task<string> CurlAsync(Host host, params string[] args)
    {
        ToolRun run = host.StartProgram("curl", ["-s", .. args]);
        await run.EndAsync(Token);
        return run.Output;
    }
}
