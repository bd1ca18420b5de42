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
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("lan", "--listen", "/ip4/127.0.0.1/tcp/0"), host.Error);
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("fetch", "lan:x", "--listen", "/ip6/::1/tcp/0"), host.Error);
        Trees.AssertOnly(host.Folder.Path, "x"); // no data folder
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Settings_that_contradict_each_other_stop_a_command_before_it_makes_a_folder()
    {
        using var host = new FakeHost { Variables = { ["P2P_DHT_MODE"] = "off" } };
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("node", "--offer", "1GB", "--listen", "/ip4/127.0.0.1/tcp/0"), host.Error);
        StringAssert.Contains(host.Error, "replication.offer_bytes: who offers disk is found through the DHT, and with dht.mode off");
        Assert.IsEmpty(Directory.GetFileSystemEntries(host.Folder.Path), "no data folder");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_setting_that_contradicts_what_stands_in_the_file_is_not_written()
    {
        using var host = new FakeHost();
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "set", "replication.offer_bytes", "1GB"), host.Error);
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("config", "set", "dht.mode", "off"), host.Error);
        StringAssert.Contains(host.Error, "dht.mode does not go with what stands in the file. replication.offer_bytes: ");
        Assert.AreEqual(ExitCodes.Usage, await host.RunAsync("config", "set", "replication.lease", "30m"), host.Error);
        StringAssert.Contains(host.Error, "replication.lease: a lease of 00:30:00 may end before it is renewed");
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "set", "replication.check_interval", "5m"), host.Error);
        Assert.AreEqual(ExitCodes.Done, await host.RunAsync("config", "set", "replication.lease", "30m"), host.Error);
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
        Assert.IsEmpty(Directory.GetFileSystemEntries(host.Folder.Path), "no data folder");
    }
}
