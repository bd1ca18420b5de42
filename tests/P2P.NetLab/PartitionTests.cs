using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace P2P.NetLab;

/// <summary>Goal: parts of a network that were apart are one again soon after. Method: the cable between two switches is pulled and put back.</summary>
[TestClass]
public sealed class PartitionTests
{
    private const int Limit = 240_000; // ms

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task What_is_shared_while_a_network_is_divided_is_found_when_it_is_whole_again()
    {
        await using Divided lab = await Divided.StartAsync(Token);
        Host[] hosts = [lab.LeftA, lab.LeftB, lab.Right];
        ToolRun[] nodes = [.. hosts.Select(static host => host.Start("node", "--json"))];
        foreach (ToolRun node in nodes)
            await node.SaidAsync("\"ready\"", Token);
        await lab.JoinAsync(joined: false, Token);
        await File.WriteAllTextAsync(lab.LeftA["left.txt"], "from the left", Token);
        await File.WriteAllTextAsync(lab.Right["right.txt"], "from the right", Token);
        string left = await ShareAsync(lab.LeftA, "left.txt"), right = await ShareAsync(lab.Right, "right.txt");
        ToolRun watch = lab.LeftB.Start("lan", "--watch", "--json");
        await watch.SaidAsync("left.txt", Token);
        await Task.Delay(TimeSpan.FromSeconds(5), Token);
        Assert.DoesNotContain("right.txt", watch.Output);

        await lab.JoinAsync(joined: true, Token);
        long began = Stopwatch.GetTimestamp();
        await watch.SaidAsync("right.txt", Token);
        TestContext.WriteLine($"who watches sees it after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        ToolRun list = await lab.LeftB.RunAsync(Token, "lan");
        StringAssert.Contains(list.Output, "right.txt", list.ToString());
        await FetchAsync(lab.Right, left, "from the left");
        await FetchAsync(lab.LeftB, right, "from the right");
        TestContext.WriteLine($"fetched by content id in both directions after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        Assert.IsLessThan(60, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_fetch_goes_on_by_itself_when_the_network_is_whole_again()
    {
        await using Divided lab = await Divided.StartAsync(Token);
        byte[] content = RandomNumberGenerator.GetBytes(30_000_000);
        await File.WriteAllBytesAsync(lab.Right["film.bin"], content, Token);
        ToolRun sharer = lab.Right.Start("share", "film.bin", "--up", "2MB", "--json");
        await sharer.SaidAsync("\"shared\"", Token);
        ToolRun fetch = lab.LeftA.Start("fetch", ShareOf(sharer, "link"), "-o", "got", "--timeout", "3m", "--json");
        await fetch.SaidAsync("\"progress\"", Token);
        await lab.JoinAsync(joined: false, Token);
        await fetch.SaidAsync("\"stalled\"", Token);
        await Task.Delay(TimeSpan.FromSeconds(15), Token);
        await lab.JoinAsync(joined: true, Token);
        long began = Stopwatch.GetTimestamp();
        await fetch.EndAsync(Token);
        TestContext.WriteLine($"done {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s after it was whole again");
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(lab.LeftA["got"], Token));
        Assert.IsLessThan(90, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private async Task<string> ShareAsync(Host host, string name)
    {
        ToolRun share = await host.RunAsync(Token, "share", name, "--lan", "--json"); // on the host's node, which goes on
        Assert.AreEqual(0, share.ExitCode, share.ToString());
        return ShareOf(share, "cid");
    }

    private async Task FetchAsync(Host host, string cid, string content)
    {
        ToolRun fetch = await host.RunAsync(Token, "fetch", cid, "-o", "got.txt", "--timeout", "1m");
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        Assert.AreEqual(content, await File.ReadAllTextAsync(host["got.txt"], Token));
    }

    private static string ShareOf(ToolRun share, string field) =>
        JsonDocument.Parse(share.Output.Split('\n').First(static line => line.Contains("\"shared\"", StringComparison.Ordinal))).RootElement.GetProperty(field).GetString()!;
}
