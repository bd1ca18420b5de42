using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>Goal: a command that needs what the node is not set up for says so, and whose doing it is. Method: the tool on the loopback interface.</summary>
[TestClass]
public sealed class NotSetUpTests
{
    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_node_on_this_machine_alone_tells_nobody_on_a_network()
    {
        using var host = new FakeHost { Variables = { ["P2P_NO_LAN"] = "false" } };
        await File.WriteAllTextAsync(Path.Combine(host.Folder.Path, "x"), "x", TestContext.CancellationToken);
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("share", "x", "--lan", "--listen", "/ip4/127.0.0.1/tcp/0"), host.Error);
        StringAssert.Contains(host.Error, "The node does not look at the local network: it listens on this machine alone");
        Assert.AreEqual("", host.Output);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_timeout_for_a_share_that_does_not_end_is_refused()
    {
        using var host = new FakeHost();
        await File.WriteAllTextAsync(Path.Combine(host.Folder.Path, "x"), "x", TestContext.CancellationToken);
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("share", "x", "--timeout", "5s", "--listen", "/ip4/127.0.0.1/tcp/0"), host.Error);
        StringAssert.Contains(host.Error, "--detach-after-replication");
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("share", "x", "--timeout", "5s", "--dry-run"), host.Error);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow("health")]
    [DataRow("renew")]
    public async Task Without_the_dht_there_are_no_holders(string command)
    {
        using var host = new FakeHost { Variables = { ["P2P_DHT_MODE"] = "off" } };
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync(command, "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "--listen", "/ip4/127.0.0.1/tcp/0"), host.Error);
        StringAssert.Contains(host.Error, "takes no part in the DHT (dht.mode is off)");
    }
}
