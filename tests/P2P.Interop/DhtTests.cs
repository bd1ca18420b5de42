using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using P2P.Core;
using P2P.Core.Dht;
using P2P.Core.Identity;

namespace P2P.Interop;

/// <summary>
/// Goal: our DHT nodes and those of js-libp2p make one network. Method: ten of each on loopback; each of theirs knows one of ours at first, each of ours
/// one of theirs; what one side tells, the other is asked for, by nodes that have not met.
/// </summary>
[TestClass]
[Helia]
public sealed class DhtTests
{
    private const int Nodes = 10;
    private const string Protocol = "/p2p-files/kad/1.0.0";

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(180_000, CooperativeCancellation = true)]
    public async Task Ten_of_ours_and_ten_of_js_libp2p_make_one_network()
    {
        CancellationToken cancellationToken = TestContext.CancellationToken;
        using var folder = new Scratch();
        await using HeliaPeer js = await HeliaPeer.StartDhtAsync(Protocol, Nodes);
        string[] theirs = [.. (await js.AskAsync("addresses", new { }))["addresses"]!.AsArray().Select(address => (string)address!)];
        List<P2PNode> ours = [];
        try
        {
            for (int i = 0; i < Nodes; i++)
            {
                P2PNodeOptions options = P2PNodeOptions.Loopback(folder.Path($"node{i}"));
                options.BootstrapPeers = [theirs[i]];
                ours.Add(await P2PNode.StartAsync(options, cancellationToken));
                await js.AskAsync("dial", new { node = i, address = $"{ours[Random.Shared.Next(ours.Count)].Status.Addresses[0]}" });
                await js.AskAsync("dial", new { node = i, address = theirs[(i + 1) % Nodes] });
            }

            await SettleAsync(js, ours, cancellationToken);

            await ProvidedHereFoundThereAsync(js, ours, folder, cancellationToken);
            await ProvidedThereFoundHereAsync(js, ours, cancellationToken);
            await PeersAreFoundAsync(js, ours, theirs, cancellationToken);
            await RecordsAreExchangedAsync(js, ours, cancellationToken);
        }
        finally
        {
            await Task.WhenAll(ours.Select(node => node.DisposeAsync().AsTask()));
        }
    }

    /// <summary>Waits until every node knows most of the network.</summary>
    private async Task SettleAsync(HeliaPeer js, List<P2PNode> ours, CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            int[] sizes = [.. (await js.AskAsync("tables", new { }))["sizes"]!.AsArray().Select(size => (int)size!)];
            int[] own = [.. ours.Select(node => node.Status.Dht!.Contacts)];
            if (sizes.Min() >= Nodes / 2 && own.Min() >= Nodes)
            {
                TestContext.WriteLine($"settled after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s: tables of ours {string.Join(' ', own)}, of js {string.Join(' ', sizes)}");
                return;
            }

            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(60))
                Assert.Fail($"the network does not form: tables of ours {string.Join(' ', own)}, of js {string.Join(' ', sizes)}");
            await Task.Delay(200, cancellationToken);
            foreach (P2PNode node in ours)
                await node.Dht!.FindClosestAsync(node.Id.ToArray(), Core.Connections.DialPurpose.Awaited, cancellationToken);
        }
    }

    private static async Task ProvidedHereFoundThereAsync(HeliaPeer js, List<P2PNode> ours, Scratch folder, CancellationToken cancellationToken)
    {
        Share share = await ours[2].ShareAsync(folder.Write("here.bin", 100_000, seed: 1), cancellationToken: cancellationToken);
        Assert.IsGreaterThan(0, share.Announced.Nodes);
        Assert.IsTrue(share.Announced.Verified, "we do not find ourselves");
        JsonNode found = await js.AskAsync("findProviders", new { node = 7, cid = share.Root.ToString() });
        CollectionAssert.Contains(found["providers"]!.AsArray().Select(id => (string)id!).ToArray(), ours[2].Id.ToString());
    }

    private static async Task ProvidedThereFoundHereAsync(HeliaPeer js, List<P2PNode> ours, CancellationToken cancellationToken)
    {
        Cid cid = Cid.OfRaw("theirs"u8);
        await js.AskAsync("provide", new { node = 4, cid = cid.ToString() });
        List<string> providers = [];
        await foreach (Contact provider in ours[8].Dht!.FindProvidersAsync(cid.ToArray().AsMemory(2), 5, cancellationToken))
            providers.Add(provider.Peer.ToString());
        string wanted = (string)(await js.AskAsync("addresses", new { }))["addresses"]!.AsArray()[4]!;
        CollectionAssert.Contains(providers, wanted[(wanted.LastIndexOf('/') + 1)..]);
    }

    private static async Task PeersAreFoundAsync(HeliaPeer js, List<P2PNode> ours, string[] theirs, CancellationToken cancellationToken)
    {
        string their = theirs[9][(theirs[9].LastIndexOf('/') + 1)..];
        Contact? found = await ours[0].Dht!.FindPeerAsync(PeerId.Parse(their), cancellationToken);
        Assert.IsNotNull(found);
        Assert.Contains(theirs[9][..theirs[9].IndexOf("/p2p/", StringComparison.Ordinal)], found.Addresses.Select(address => address.ToString()));
        JsonNode known = await js.AskAsync("findPeer", new { node = 1, peer = ours[9].Id.ToString() });
        Assert.Contains(ours[9].Status.Addresses[0].ToString(), string.Join(' ', known["addresses"]!.AsArray().Select(address => (string)address!)));
    }

    private static async Task RecordsAreExchangedAsync(HeliaPeer js, List<P2PNode> ours, CancellationToken cancellationToken)
    {
        byte[] value = Convert.FromHexString((string)(await js.AskAsync("makeKey", new { node = 0, bits = 2048 }))["publicKey"]!);
        byte[] key = KeyOf(value);
        ProvideResult put = await ours[3].Dht!.PutValueAsync(key, value, cancellationToken);
        Assert.IsGreaterThan(Nodes, put.Told, "js nodes took it too");
        JsonNode got = await js.AskAsync("get", new { node = 6, key = Convert.ToHexString(key) });
        Assert.AreEqual(Convert.ToHexStringLower(value), (string?)got["value"]);

        byte[] other = Convert.FromHexString((string)(await js.AskAsync("makeKey", new { node = 5, bits = 2048 }))["publicKey"]!);
        byte[] otherKey = KeyOf(other);
        await js.AskAsync("put", new { node = 5, key = Convert.ToHexString(otherKey), value = Convert.ToHexString(other) });
        ReadOnlyMemory<byte>? here = await ours[1].Dht!.GetValueAsync(otherKey, quorum: 0, cancellationToken);
        Assert.AreEqual(Convert.ToHexStringLower(other), here is { } bytes ? Convert.ToHexStringLower(bytes.Span) : null);
    }

    private static byte[] KeyOf(byte[] publicKey)
    {
        Assert.IsTrue(PublicKey.TryDecode(publicKey, out PublicKey? key, out _));
        return [.. Encoding.ASCII.GetBytes("/pk/"), .. key!.ToPeerId().ToArray()];
    }
}
