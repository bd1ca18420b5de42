using P2P.Testing;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: every block of what is shared is announced, again and again, over restarts, and no longer than it is shared. Method: real nodes in virtual time.</summary>
[TestClass]
public sealed class AnnouncingTests
{
    private const int Bytes = 20 << 20;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Every_block_is_announced_and_found_by_its_own_id()
    {
        await using var network = new TestNetwork(31);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 6);
        Share share = await nodes[2].ShareAsync(await WriteAsync(folder, "f"), cancellationToken: TestContext.CancellationToken);

        await WaitAsync(network, () => nodes[2].Status.Dht is { NeverAnnounced: 0 } dht && dht.Announced == share.Blocks);

        // five others are told of each
        await WaitAsync(network, () => nodes.Sum(node => node.Status.Dht!.Providers) == 5 * share.Blocks);
        byte[] content = await File.ReadAllBytesAsync(folder["f"]);
        ShareLink last = ShareLink.Parse(Cid.OfRaw(content.AsSpan(Bytes - (1 << 20))).ToString());
        Task<FetchResult> fetch = nodes[5].FetchAsync(last, folder["got"], cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => fetch.IsCompleted);
        Assert.AreEqual(1 << 20, (await fetch).Bytes);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_restart_goes_on_where_it_was_and_a_round_leaves_out_what_is_shared_no_longer()
    {
        await using var network = new TestNetwork(32);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 4, TimeSpan.FromMinutes(2));
        Share kept = await nodes[1].ShareAsync(await WriteAsync(folder, "f"), cancellationToken: TestContext.CancellationToken);
        Share ended = await nodes[1].ShareAsync(await WriteAsync(folder, "g", seed: 2), cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => nodes[1].Status.Dht is { NeverAnnounced: 0 } dht && dht.Announced == kept.Blocks + ended.Blocks);

        await nodes[1].StopAsync(TestContext.CancellationToken);
        await nodes[1].StartAsync(TestContext.CancellationToken);
        Assert.AreEqual((kept.Blocks + ended.Blocks, 0L), (nodes[1].Status.Dht!.Announced, nodes[1].Status.Dht!.NeverAnnounced));

        Assert.IsTrue(await nodes[1].StopSharingAsync(ended.Root, TestContext.CancellationToken));
        await WaitAsync(network, () => nodes[1].Status.Dht!.Announced == kept.Blocks, TimeSpan.FromSeconds(1));
        Assert.AreEqual(TimeSpan.Zero, nodes[1].Status.Dht!.Lag);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Who_forgot_everything_is_told_again_within_the_interval()
    {
        await using var network = new TestNetwork(33);
        using var folder = new Content.TempFolder();
        P2PNode[] nodes = await StartAsync(network, 4, TimeSpan.FromMinutes(2));
        Share share = await nodes[1].ShareAsync(await WriteAsync(folder, "f"), cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => nodes[3].Status.Dht!.Providers == share.Blocks);

        await nodes[3].StopAsync(TestContext.CancellationToken); // what it kept for others was in memory
        await nodes[3].StartAsync(TestContext.CancellationToken);
        Assert.AreEqual(0, nodes[3].Status.Dht!.Providers);

        await WaitAsync(network, () => nodes[3].Status.Dht!.Providers == share.Blocks, TimeSpan.FromSeconds(1));
    }

    private async Task<P2PNode[]> StartAsync(TestNetwork network, int count, TimeSpan? interval = null)
    {
        P2PNode first = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        List<P2PNode> nodes = [first];
        while (nodes.Count < count)
        {
            nodes.Add(await network.StartNodeAsync(
                options =>
                {
                    options.BootstrapPeers = [$"{first.Status.Addresses[0]}/p2p/{first.Id}"];
                    options.Dht.ProvideInterval = interval ?? options.Dht.ProvideInterval;
                },
                TestContext.CancellationToken));
        }

        await WaitAsync(network, () => nodes.TrueForAll(node => node.Status.Dht!.Contacts == count - 1));
        return [.. nodes];
    }

    private async Task WaitAsync(TestNetwork network, Func<bool> condition, TimeSpan? step = null)
    {
        while (!condition())
        {
            network.Time.Advance(step ?? TimeSpan.FromSeconds(0.1)); // faster, and what waits for the processor runs into its time limits
            await Task.Delay(5, TestContext.CancellationToken);
        }
    }

    private static async Task<string> WriteAsync(Content.TempFolder folder, string name, ulong seed = 1)
    {
        byte[] bytes = new byte[Bytes];
        new SeededRandom(seed).NextBytes(bytes);
        await File.WriteAllBytesAsync(folder[name], bytes);
        return folder[name];
    }
}
