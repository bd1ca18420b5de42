using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary><c>config</c> as a user meets it: beside a node that runs, from several terminals, and for the next start.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
public sealed class ConfigTests : EndToEndTest
{
    private const string Loopback = "/ip4/127.0.0.1/tcp/0";

    [TestMethod]
    public async Task A_node_that_runs_is_not_disturbed_and_has_to_be_restarted()
    {
        ToolProcess node = Start("node", "--data", "A", "--listen", Loopback, "--json");
        await node.EventAsync("ready");
        ToolProcess set = await RunAsync("config", "set", "replication.offer_bytes", "50MB", "--data", "A", "--json");
        await set.ExpectAsync(0);
        Assert.AreEqual("50MB file restart_needed", $"{set.Events[0].GetProperty("value")} {set.Events[0].GetProperty("origin")} {set.Events[1].GetProperty("code")}");
        Assert.AreEqual(0, await OfferedAsync());
        ToolProcess command = await RunAsync("config", "set", "timeout", "5m", "--data", "A");
        await command.ExpectAsync(0);
        Assert.DoesNotContain("Restart", command.Error, "every command reads it anew");

        node.Signal(ToolProcess.Interrupt);
        await node.ExpectAsync(0);
        Assert.AreEqual("", node.Error);
        ToolProcess again = Start("node", "--data", "A", "--listen", Loopback, "--json");
        await again.EventAsync("ready");
        Assert.AreEqual(50_000_000, await OfferedAsync());
        ToolProcess unset = await RunAsync("config", "unset", "replication.offer_bytes", "--data", "A");
        await unset.ExpectAsync(0);
        StringAssert.Contains(unset.Error, "Note: A node runs on ");

        async Task<long> OfferedAsync() => (await RunAsync("status", "--data", "A", "--json")).Events[^1].GetProperty("offer_bytes").GetInt64();
    }

    [TestMethod]
    public async Task What_is_set_holds_for_the_next_command_and_the_file_stays_a_persons()
    {
        Directory.CreateDirectory(Folder["A"]);
        await File.WriteAllTextAsync(Folder["A", "config.json"], """
            {
              // the machine in the attic
              "limits": { "idle_timeout": "2m" }, // it forgets
            }
            """);
        await (await RunAsync("config", "set", "limits.max_connections", "64", "--data", "A")).ExpectAsync(0);
        await (await RunAsync("config", "set", "node_name", "attic", "--data", "A")).ExpectAsync(0);
        Assert.AreEqual("""
            {
              // the machine in the attic
              "limits": { "idle_timeout": "2m", "max_connections": 64 }, // it forgets
              "node_name": "attic",
            }
            """, await File.ReadAllTextAsync(Folder["A", "config.json"]));
        Assert.AreEqual("64\n", (await RunAsync("config", "get", "limits.max_connections", "--data", "A")).Output);
        await (await RunAsync("id", "--data", "A")).ExpectAsync(0);
        await (await RunAsync("config", "unset", "limits.max_connections", "--data", "A")).ExpectAsync(0);
        await (await RunAsync("config", "unset", "limits.idle_timeout", "--data", "A")).ExpectAsync(0);
        Assert.AreEqual("""
            {
              // the machine in the attic
              // it forgets
              "node_name": "attic",
            }
            """, await File.ReadAllTextAsync(Folder["A", "config.json"]));
    }

    [TestMethod]
    public async Task Nothing_is_lost_when_several_write_at_once()
    {
        string[] keys = ["timeout", "limits.idle_timeout", "limits.dial_timeout", "replication.grace", "replication.lease", "dht.provide_interval"];
        await Task.WhenAll(keys.Select(async key => await (await RunAsync("config", "set", key, key == "limits.dial_timeout" ? "20s" : "2h", "--data", "A")).ExpectAsync(0)));
        ToolProcess list = await RunAsync("config", "--data", "A", "--json");
        string[] set = [.. list.Events.Where(one => one.GetProperty("origin").GetString() == "file").Select(one => one.GetProperty("key").GetString()!)];
        CollectionAssert.AreEquivalent(keys, set);
        Trees.AssertOnly(Folder["A"], "config.json");
    }

    [TestMethod]
    public async Task A_folder_that_may_not_be_written_is_said_and_the_file_is_as_it_was()
    {
        string prefix = Environment.UserName == "root" ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
        Directory.CreateDirectory(Folder["A"]);
        await File.WriteAllTextAsync(Folder["A", "config.json"], "{}");
        ToolProcess prepared = Keep(ToolProcess.StartShell(Folder, "/bin/sh", "chmod 755 . && chmod 555 A && " + prefix + "true"));
        if (await prepared.ExitAsync() != 0)
            Assert.Inconclusive("cannot become another user here: " + prepared.Error);
        ToolProcess set = Keep(ToolProcess.StartShell(Folder, "/bin/sh", $"{prefix}$P2P config set timeout 5m --data A --json"));
        await set.ExpectAsync(5);
        Assert.AreEqual("permission", JsonDocument.Parse(set.Output).RootElement.GetProperty("code").GetString());
        Assert.AreEqual("{}", await File.ReadAllTextAsync(Folder["A", "config.json"]));
    }
}
