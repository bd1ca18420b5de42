using System.Diagnostics;
using System.Text.Json.Nodes;
using P2P.Core;

namespace P2P.Interop;

/// <summary>
/// Goal: what a user of Helia and a user of ours exchange arrives whole, whoever dials whom. Method: a live Helia node in a process of its own,
/// both on loopback; contents are generated on both sides by one rule, so that nothing has to be stored to compare them.
/// </summary>
[TestClass]
[Helia]
public sealed class HeliaTests
{
    private const int MiB = 1 << 20;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow(0L)]
    [DataRow(1L)]
    [DataRow(52_000L)]
    [DataRow(3L * MiB)]
    public async Task Helia_fetches_a_file_from_us(long bytes)
    {
        using var folder = new Scratch();
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        await using P2PNode node = await StartAsync(folder);
        string file = folder.Write("file.bin", bytes, seed: 3);
        Share share = await node.ShareAsync(file);

        JsonNode got = await AskTwiceAsync(helia, "fetch", new { cid = share.Root.ToString(), address = AddressOf(node) });

        Assert.AreEqual(bytes, (long)got["bytes"]!);
        Assert.AreEqual(Pattern.Sha256(bytes, 3), (string)got["sha256"]!);
    }

    [TestMethod]
    public async Task Helia_fetches_a_folder_from_us()
    {
        using var folder = new Scratch();
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        await using P2PNode node = await StartAsync(folder);
        for (int i = 0; i < 40; i++)
            folder.Write($"tree/f{i:00000}.bin", 1_000 + i, seed: i);
        Share share = await node.ShareAsync(folder.Path("tree"));

        JsonNode got = await AskTwiceAsync(helia, "fetchFolder", new { cid = share.Root.ToString(), address = AddressOf(node) });

        JsonArray entries = got["entries"]!.AsArray();
        Assert.HasCount(40, entries);
        for (int i = 0; i < 40; i++)
        {
            Assert.AreEqual($"f{i:00000}.bin", (string)entries[i]!["name"]!);
            Assert.AreEqual(Pattern.Sha256(1_000 + i, i), (string)entries[i]!["sha256"]!);
        }
    }

    [TestMethod]
    [DataRow(0L)]
    [DataRow(1L)]
    [DataRow(52_000L)]
    [DataRow(3L * MiB)]
    public async Task We_fetch_a_file_from_Helia(long bytes)
    {
        using var folder = new Scratch();
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        await using P2PNode node = await StartAsync(folder);
        string cid = (string)(await helia.AskAsync("add", new { bytes, seed = 5 }))["cid"]!;

        FetchResult result = await FetchAsync(node, helia, cid, folder.Path("out.bin"));

        Assert.AreEqual(bytes, result.Bytes);
        Assert.AreEqual(Pattern.Sha256(bytes, 5), folder.Sha256("out.bin"));
    }

    [TestMethod]
    public async Task We_fetch_a_folder_from_Helia()
    {
        using var folder = new Scratch();
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        await using P2PNode node = await StartAsync(folder);
        string cid = (string)(await helia.AskAsync("addFolder", new { files = 200, bytes = 2_000 }))["cid"]!;

        FetchResult result = await FetchAsync(node, helia, cid, folder.Path("out"));

        Assert.AreEqual(200, result.Files);
        for (int i = 0; i < 200; i++)
            Assert.AreEqual(Pattern.Sha256(2_000, i), folder.Sha256($"out/f{i:00000}.bin"));
    }

    [TestMethod]
    public async Task A_file_of_100_MiB_travels_both_ways_byte_for_byte()
    {
        const long Bytes = 100L * MiB;
        using var folder = new Scratch();
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        await using P2PNode node = await StartAsync(folder);
        var clock = Stopwatch.StartNew();
        string cid = (string)(await helia.AskAsync("add", new { bytes = Bytes, seed = 7 }))["cid"]!;
        await FetchAsync(node, helia, cid, folder.Path("from-helia.bin"));
        Assert.AreEqual(Pattern.Sha256(Bytes, 7), folder.Sha256("from-helia.bin"));
        TestContext.WriteLine($"from Helia: {clock.Elapsed.TotalSeconds:F1} s, its import included");

        Share share = await node.ShareAsync(folder.Write("to-helia.bin", Bytes, seed: 8));
        clock.Restart();
        JsonNode got = await AskTwiceAsync(helia, "fetch", new { cid = share.Root.ToString(), address = AddressOf(node) });
        Assert.AreEqual(Bytes, (long)got["bytes"]!);
        Assert.AreEqual(Pattern.Sha256(Bytes, 8), (string)got["sha256"]!);
        TestContext.WriteLine($"to Helia: {clock.Elapsed.TotalSeconds:F1} s");
    }

    [TestMethod]
    public async Task Both_dial_identify_and_ping_each_other()
    {
        using var folder = new Scratch();
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        await using P2PNode node = await StartAsync(folder);

        PeerInfo peer = await node.ConnectAsync(Multiaddress.Parse(helia.Address));
        Assert.AreEqual(helia.PeerId, peer.Id.ToString());
        await Until(() => node.GetPeers().Any(p => p.Agent is { } agent && agent.Contains("helia", StringComparison.Ordinal) && p.RoundTripTime is not null),
            "we know Helia's agent and round trip");

        await using HeliaPeer dialer = await HeliaPeer.StartAsync();
        JsonNode dialed = await dialer.AskAsync("dial", new { address = AddressOf(node) });
        Assert.AreEqual(node.Id.ToString(), (string)dialed["peer"]!);
        Assert.AreEqual("/noise", (string)dialed["encryption"]!);
        Assert.AreEqual("/yamux/1.0.0", (string)dialed["muxer"]!);
        JsonNode seen = await dialer.AskAsync("identify", new { address = AddressOf(node) });
        string[] protocols = [.. seen["protocols"]!.AsArray().Select(p => (string)p!)];
        CollectionAssert.IsSubsetOf(new[] { "/ipfs/bitswap/1.2.0", "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0" }, protocols);
        Assert.IsTrue((bool)seen["signed"]!);
        StringAssert.StartsWith((string)seen["agent"]!, "p2p");
        Assert.IsLessThan(1_000, (double)(await dialer.AskAsync("ping", new { address = AddressOf(node) }))["milliseconds"]!);
    }

    private static Task<P2PNode> StartAsync(Scratch folder) => P2PNode.StartAsync(P2PNodeOptions.Loopback(folder.Path("data")));

    private static string AddressOf(P2PNode node) => $"{node.Status.Addresses[0]}/p2p/{node.Id}";

    private static Task<FetchResult> FetchAsync(P2PNode node, HeliaPeer helia, string cid, string target) =>
        node.FetchAsync(ShareLink.Parse(cid), target, new FetchOptions { ExtraPeers = [Multiaddress.Parse(helia.Address)], StallTimeout = TimeSpan.FromSeconds(40) });

    /// <summary>Helia's own fetch is known to hang now and then with many blocks in flight: one retry, and the output says so.</summary>
    private async Task<JsonNode> AskTwiceAsync(HeliaPeer helia, string command, object arguments)
    {
        try
        {
            return await helia.AskAsync(command, arguments, TimeSpan.FromSeconds(45));
        }
        catch (TimeoutException e)
        {
            TestContext.WriteLine($"{e.Message} Asked once more.");
            return await helia.AskAsync(command, arguments, TimeSpan.FromSeconds(45));
        }
    }

    private static async Task Until(Func<bool> condition, string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (!condition())
        {
            if (patience.IsCancellationRequested)
                Assert.Fail($"Not within 15 s: {what}.");
            await Task.Delay(20);
        }
    }
}
