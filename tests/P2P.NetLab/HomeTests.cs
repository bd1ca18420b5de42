using System.Security.Cryptography;
using System.Text.Json;

namespace P2P.NetLab;

/// <summary>Goal: who sits behind a router at home is reached from another home without anybody setting up anything. Method: the tool, nftables and miniupnpd in network namespaces.</summary>
[TestClass]
public sealed class HomeTests
{
    private const int Limit = 180_000; // ms: for a machine that is busy with other tests

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    [DataRow(Asking.Upnp, "upnp")]
    [DataRow(Asking.NatPmpAndPcp, "pcp")]
    public async Task A_home_fetches_from_another_by_the_link_alone(Asking asking, string protocol)
    {
        await using Homes homes = await Homes.StartAsync(Token);
        await homes.RouterA.StartMappingAsync(asking, Token);
        byte[] content = RandomNumberGenerator.GetBytes(5_000_000);
        await File.WriteAllBytesAsync(homes.A["film.bin"], content, Token);
        ToolRun share = homes.A.Start("share", "film.bin", "--json");
        await share.SaidAsync("\"shared\"", Token);
        string link = JsonDocument.Parse(share.Output.Split('\n').Single(static line => line.Contains("\"shared\"", StringComparison.Ordinal))).RootElement.GetProperty("link").GetString()!;

        ToolRun status = await homes.A.RunAsync(Token, "status", "--json");
        StringAssert.Contains(status.Output, $"/ip4/{homes.RouterA.Address}/tcp/");
        ToolRun fetch = await homes.B.RunAsync(Token, "fetch", link);
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(homes.B["film.bin"], Token));

        ToolRun doctor = await homes.A.RunAsync(Token, "doctor", "--json");
        StringAssert.Contains(doctor.Output, $"\"protocol\":\"{protocol}\"");
        await share.InterruptAsync(Token);
        Assert.IsFalse(await homes.RouterA.HasMappingAsync(Token), "the port is given back in the end");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    [DataRow(Asking.Upnp)]
    [DataRow(Asking.NatPmpAndPcp)]
    public async Task A_router_that_was_restarted_has_the_port_again_within_a_minute(Asking asking)
    {
        await using Homes homes = await Homes.StartAsync(Token);
        await homes.RouterA.StartMappingAsync(asking, Token);
        _ = homes.A.Start("node", "--json");
        await homes.RouterA.WaitForMappingAsync(there: true, Token);
        await homes.RouterA.StopMappingAsync(Token);
        Assert.IsFalse(await homes.RouterA.HasMappingAsync(Token));
        await homes.RouterA.StartMappingAsync(asking, Token);
        TimeSpan took = await homes.RouterA.WaitForMappingAsync(there: true, Token);
        TestContext.WriteLine($"mapped again after {took.TotalSeconds:0.0} s");
        Assert.IsLessThan(TimeSpan.FromSeconds(60), took);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    [DataRow(Asking.Upnp)]
    [DataRow(Asking.NatPmpAndPcp)]
    public async Task Who_is_behind_two_routers_hears_so_from_the_doctor_and_fetches_all_the_same(Asking asking)
    {
        await using Homes homes = await Homes.StartAsync(Token, throughCarrier: true);
        await homes.RouterA.StartMappingAsync(asking, Token);
        await File.WriteAllTextAsync(homes.Public["f.txt"], "from outside", Token);
        ToolRun node = homes.Public.Start("share", "f.txt", "--json");
        await node.SaidAsync("\"shared\"", Token);
        JsonElement shared = JsonDocument.Parse(node.Output.Split('\n').Single(static line => line.Contains("\"shared\"", StringComparison.Ordinal))).RootElement;
        ToolRun fetch = await homes.A.RunAsync(Token, "fetch", shared.GetProperty("link").GetString()!);
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        string address = shared.GetProperty("addresses").EnumerateArray().Select(static one => one.GetString()!).Single(static one => one.StartsWith("/ip4/11.", StringComparison.Ordinal));
        string id = (await homes.Public.RunAsync(Token, "id")).Output.Trim();
        ToolRun doctor = await homes.A.RunAsync(Token, "doctor", "--peer", $"{address}/p2p/{id}");
        Assert.AreEqual(1, doctor.ExitCode, doctor.ToString());
        string said = string.Join(' ', doctor.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        StringAssert.Contains(said, "192.168.1.1 maps no port"); // miniupnpd gives none when its own address is private
        StringAssert.Contains(said, "peers see it at 11.4.0.1");
        StringAssert.Contains(said, "Is it another than 11.4.0.1");
        StringAssert.Contains(said, "this is double NAT");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_peer_outside_proves_that_a_port_is_open_and_without_one_the_doctor_says_what_to_do()
    {
        await using Homes homes = await Homes.StartAsync(Token);
        ToolRun node = homes.Public.Start("node", "--json");
        await node.SaidAsync("\"ready\"", Token);
        JsonElement ready = JsonDocument.Parse(node.Output.Split('\n')[0]).RootElement;
        string address = ready.GetProperty("addresses").EnumerateArray().Select(static one => one.GetString()!).Single(static one => one.StartsWith("/ip4/11.", StringComparison.Ordinal));
        string peer = $"{address}/p2p/{ready.GetProperty("peer_id").GetString()}";

        ToolRun without = await homes.A.RunAsync(Token, "doctor", "--peer", peer);
        Assert.AreEqual(1, without.ExitCode, without.ToString());
        StringAssert.Contains(without.Output, "maps no port");
        StringAssert.Contains(without.Output, "not reachable from outside (1 peer");
        StringAssert.Contains(without.Output, homes.RouterA.Address);
        StringAssert.Contains(without.Output, "What to do: Switch on UPnP or NAT-PMP in the router at 192.168.1.1");

        await homes.RouterA.StartMappingAsync(Asking.Upnp, Token);
        ToolRun with = await homes.A.RunAsync(Token, "doctor", "--peer", peer);
        for (int again = 0; again < 4 && with.Output.Contains("no peer outside has been found", StringComparison.Ordinal); again++)
            with = await homes.A.RunAsync(Token, "doctor", "--peer", peer); // on a machine that is busy with other tests the peer may not have answered in the time that the doctor takes
        Assert.AreEqual(0, with.ExitCode, with.ToString());
        StringAssert.Contains(with.Output, $"reachable from outside at {homes.RouterA.Address}:");

        // proved, it is told to the network: who knows the content id alone finds the way
        await File.WriteAllTextAsync(homes.A["f.txt"], "found", Token);
        ToolRun share = homes.A.Start("share", "f.txt", "--peer", peer, "--json");
        await share.SaidAsync("\"announced\"", Token);
        string cid = JsonDocument.Parse(share.Output.Split('\n').Single(static line => line.Contains("\"shared\"", StringComparison.Ordinal))).RootElement.GetProperty("cid").GetString()!;
        ToolRun fetch = await homes.B.RunAsync(Token, "fetch", cid, "-o", "got.txt", "--peer", peer);
        Assert.AreEqual(0, fetch.ExitCode, fetch.ToString());
        Assert.AreEqual("found", await File.ReadAllTextAsync(homes.B["got.txt"], Token));
    }
}
