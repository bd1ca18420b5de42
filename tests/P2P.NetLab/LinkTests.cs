using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace P2P.NetLab;

/// <summary>Goal: a transfer gets out of a slow or changing link what it has. Method: the tool over links that the kernel limits.</summary>
[TestClass]
public sealed class LinkTests
{
    private const int Limit = 180_000; // ms
    private const int Fast = 20, Slow = 1; // Mbit/s

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_transfer_fills_a_limited_link_and_survives_that_it_narrows()
    {
        await using Lab lab = await Lab.StartAsync(2, Token);
        byte[] content = RandomNumberGenerator.GetBytes(15_000_000);
        string link = await ShareAsync(lab[0], content);
        await lab.LimitAsync(0, Fast, Token);
        double rate = 8e-6 * content.Length / await FetchAsync(lab[1], link, content, "whole");
        TestContext.WriteLine($"{rate:0.0} of {Fast} Mbit/s");
        Assert.IsInRange(0.6 * Fast, 1.1 * Fast, rate); // more, and it was not limited

        ToolRun fetch = lab[1].Start("fetch", link, "-o", "narrowed", "--data", "other", "--json");
        await ReachAsync(fetch, 4_000_000);
        await lab.LimitAsync(0, Slow, Token);
        await Task.Delay(TimeSpan.FromSeconds(5), Token);
        Assert.DoesNotContain("\"stalled\"", fetch.Output, "it is slow, and moves");
        await lab.LimitAsync(0, Fast, Token);
        await fetch.EndAsync(Token);
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(lab[1]["narrowed"], Token));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_slow_source_does_not_hold_up_a_fast_one()
    {
        await using Lab lab = await Lab.StartAsync(3, Token);
        byte[] content = RandomNumberGenerator.GetBytes(12_000_000);
        string link = await ShareAsync(lab[0], content);
        await ShareAsync(lab[1], content);
        await lab.LimitAsync(0, Fast, Token);
        await lab.LimitAsync(1, Slow, Token);
        double alone = await FetchAsync(lab[2], link, content, "alone", "--no-lan");
        double both = await FetchAsync(lab[2], link, content, "both", "--no-lan", "--peer", await AddressAsync(lab[1], 2));
        TestContext.WriteLine($"the fast one alone {alone:0.0} s, with the slow one {both:0.0} s");
        Assert.IsLessThan(1.5 * alone, both);
    }

    /// <summary>The address of a host's node, as <c>--peer</c> takes it.</summary>
    private async Task<string> AddressAsync(Host host, int number)
    {
        string id = (await host.RunAsync(Token, "id")).Output.Trim();
        ToolRun status = await host.RunAsync(Token, "status", "--json");
        string address = JsonDocument.Parse(status.Output.Split('\n')[0]).RootElement.GetProperty("addresses").EnumerateArray().Select(static one => one.GetString()!)
            .First(one => one.StartsWith(string.Create(CultureInfo.InvariantCulture, $"/ip4/10.77.0.{number}/"), StringComparison.Ordinal));
        return address.Contains("/p2p/", StringComparison.Ordinal) ? address : $"{address}/p2p/{id}";
    }

    private async Task<string> ShareAsync(Host host, byte[] content)
    {
        await File.WriteAllBytesAsync(host["film.bin"], content, Token);
        ToolRun sharer = host.Start("share", "film.bin", "--json");
        await sharer.SaidAsync("\"shared\"", Token);
        return JsonDocument.Parse(sharer.Output.Split('\n').First(static line => line.Contains("\"shared\"", StringComparison.Ordinal))).RootElement.GetProperty("link").GetString()!;
    }

    private async Task ReachAsync(ToolRun fetch, long bytes)
    {
        while (true)
        {
            string? last = fetch.Output.Split('\n').LastOrDefault(static line => line.Contains("\"progress\"", StringComparison.Ordinal) && line.EndsWith('}'));
            if (last is not null && JsonDocument.Parse(last).RootElement.GetProperty("bytes").GetInt64() >= bytes)
                return;
            await Task.Delay(20, Token);
        }
    }

    private async Task<double> FetchAsync(Host host, string link, byte[] content, string name, params string[] options)
    {
        ToolRun fetch = await host.RunAsync(Token, ["fetch", link, "-o", name, "--data", $"data-{name}", "--json", .. options]);
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(host[name], Token));
        return JsonDocument.Parse(fetch.Output.Split('\n').Single(static line => line.Contains("\"done\"", StringComparison.Ordinal))).RootElement.GetProperty("seconds").GetDouble();
    }
}
