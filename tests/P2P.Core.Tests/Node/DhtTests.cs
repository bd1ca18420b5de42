using P2P.Testing;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: content is found by its id alone. Method: real nodes on a network in memory, of which each knows one other at first.</summary>
[TestClass]
public sealed class DhtTests
{
    private const int Bytes = 3_000_000;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    public async Task Content_is_found_by_its_id_alone()
    {
        await using var network = new TestNetwork(1);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 8);
        Share share = await nodes[3].ShareAsync(await WriteAsync(folder, "f"), cancellationToken: TestContext.CancellationToken);
        Assert.IsGreaterThan(0, share.Announced.Nodes);
        Assert.AreEqual(share.Announced.Of, share.Announced.Nodes);
        Assert.IsTrue(share.Announced.Verified);

        FetchResult result = await nodes[6].FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);

        Assert.AreEqual(Bytes, result.Bytes);
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(folder["f"]), await File.ReadAllBytesAsync(folder["got"]));
        Assert.AreEqual(nodes[3].Id, result.BytesByPeer.Single().Key);
    }

    [TestMethod]
    public async Task A_dead_provider_does_not_keep_others_from_being_found()
    {
        await using var network = new TestNetwork(2);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 8);
        string path = await WriteAsync(folder, "f");
        Share share = await nodes[3].ShareAsync(path, cancellationToken: TestContext.CancellationToken);
        await nodes[4].ShareAsync(path, cancellationToken: TestContext.CancellationToken);
        await nodes[3].StopAsync(TestContext.CancellationToken);

        FetchResult result = await nodes[6].FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);

        Assert.AreEqual(nodes[4].Id, result.BytesByPeer.Single().Key);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task What_was_announced_by_who_is_gone_is_unreachable_and_what_nobody_announced_is_not_found()
    {
        await using var network = new TestNetwork(9);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 6);
        Share share = await nodes[3].ShareAsync(await WriteAsync(folder, "f"), cancellationToken: TestContext.CancellationToken);
        await nodes[3].StopAsync(TestContext.CancellationToken);

        P2PException gone = await FailAsync(Bare(share));
        Assert.AreEqual(P2PErrorCode.Unreachable, gone.Code, gone.Message);
        StringAssert.Contains(gone.Message, $"{nodes[3].Id}");
        P2PException unknown = await FailAsync(ShareLink.Parse($"{Cid.OfRaw("nobody has this"u8)}"));
        Assert.AreEqual(P2PErrorCode.NotFound, unknown.Code, unknown.Message);

        async Task<P2PException> FailAsync(ShareLink link)
        {
            Task fetch = nodes[5].FetchAsync(link, folder["got"], new FetchOptions { StallTimeout = TimeSpan.FromSeconds(8) }, cancellationToken: TestContext.CancellationToken);
            await WaitAsync(() =>
            {
                network.Time.Advance(TimeSpan.FromSeconds(0.02));
                return fetch.IsCompleted;
            });
            return await Assert.ThrowsExactlyAsync<P2PException>(() => fetch);
        }
    }

    [TestMethod]
    public async Task A_share_for_named_peers_is_not_announced()
    {
        await using var network = new TestNetwork(3);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 4);
        var options = new ShareOptions { AllowedPeers = [nodes[2].Id] };
        Share share = await nodes[1].ShareAsync(await WriteAsync(folder, "f"), options, cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(default, share.Announced);
        Assert.IsTrue(nodes.All(node => node.Status.Dht!.Providers == 0));
    }

    [TestMethod]
    public async Task A_node_that_starts_again_finds_its_network_without_being_told()
    {
        await using var network = new TestNetwork(4);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 5);
        Share share = await nodes[1].ShareAsync(await WriteAsync(folder, "f"), cancellationToken: TestContext.CancellationToken);
        await nodes[4].StopAsync(TestContext.CancellationToken);
        await nodes[0].StopAsync(TestContext.CancellationToken); // the one that it had been told of

        await nodes[4].StartAsync(TestContext.CancellationToken);
        FetchResult result = await nodes[4].FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);

        Assert.AreEqual(Bytes, result.Bytes);
    }

    [TestMethod]
    public async Task Alone_a_node_says_that_nobody_is_known_and_works()
    {
        await using var network = new TestNetwork(5);
        using var folder = new Content.TempFolder();
        P2PNode alone = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        Share share = await alone.ShareAsync(await WriteAsync(folder, "f"), cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(default, share.Announced);
        Assert.AreEqual(0, alone.Status.Dht!.Contacts);
        await alone.FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);
    }

    [TestMethod]
    public async Task Who_takes_no_part_is_in_nobodys_table()
    {
        await using var network = new TestNetwork(6);
        P2PNode first = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        P2PNode client = await JoinAsync(network, first, options => options.Dht.Mode = DhtMode.Client);
        P2PNode off = await network.StartNodeAsync(
            options =>
            {
                options.Dht.Mode = DhtMode.Off;
                options.BootstrapPeers = [AddressOf(first)];
            },
            TestContext.CancellationToken);
        await WaitAsync(() => first.GetPeers().Count == 2 && client.Status.Dht!.Contacts == 1);
        Assert.IsNull(off.Status.Dht);
        Assert.AreEqual(0, first.Status.Dht!.Contacts);
        Assert.IsFalse(client.Status.Dht!.IsServer);
    }

    [TestMethod]
    public async Task A_node_that_begins_to_listen_is_taken_into_tables_over_the_connections_it_has()
    {
        await using var network = new TestNetwork(7);
        P2PNode first = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        string[] addresses = [];
        P2PNode late = await JoinAsync(network, first, options => (addresses, options.Listen) = ([.. options.ListenAddresses], false));
        Assert.IsFalse(late.Status.Dht!.IsServer);
        Assert.AreEqual(0, first.Status.Dht!.Contacts);

        Assert.IsTrue(await late.ListenAsync(addresses, TestContext.CancellationToken));

        Assert.IsTrue(late.Status.Dht!.IsServer);
        await WaitAsync(() => first.Status.Dht!.Contacts == 1);
    }

    [TestMethod]
    public async Task A_node_that_is_to_be_a_client_stays_one_when_it_begins_to_listen()
    {
        await using var network = new TestNetwork(8);
        P2PNode first = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        string[] addresses = [];
        P2PNode client = await JoinAsync(
            network,
            first,
            options =>
            {
                (addresses, options.Listen) = ([.. options.ListenAddresses], false);
                options.Dht.Mode = DhtMode.Client;
            });

        Assert.IsTrue(await client.ListenAsync(addresses, TestContext.CancellationToken));

        Assert.IsFalse(client.Status.Dht!.IsServer);
    }

    private async Task<P2PNode[]> StartAsync(TestNetwork network, int count)
    {
        P2PNode first = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        List<P2PNode> nodes = [first];
        while (nodes.Count < count)
            nodes.Add(await JoinAsync(network, first));
        await WaitAsync(() => nodes.TrueForAll(node => node.Status.Dht!.Contacts >= Math.Min(count - 1, 3)));
        return [.. nodes];
    }

    private async Task<P2PNode> JoinAsync(TestNetwork network, P2PNode by, Action<P2PNodeOptions>? configure = null)
    {
        P2PNode node = await network.StartNodeAsync(
            options =>
            {
                options.BootstrapPeers = [AddressOf(by)];
                configure?.Invoke(options);
            },
            TestContext.CancellationToken);
        await WaitAsync(() => node.Status.Dht!.Contacts > 0);
        return node;
    }

    private async Task WaitAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, TestContext.CancellationToken);
    }

    private static string AddressOf(P2PNode node) => $"{node.Status.Addresses[0]}/p2p/{node.Id}";

    private static ShareLink Bare(Share share) => ShareLink.Parse(share.Root.ToString());

    private static async Task<string> WriteAsync(Content.TempFolder folder, string name)
    {
        byte[] bytes = new byte[Bytes];
        new SeededRandom(Bytes).NextBytes(bytes);
        await File.WriteAllBytesAsync(folder[name], bytes);
        return folder[name];
    }
}
