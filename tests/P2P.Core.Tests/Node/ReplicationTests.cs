using System.Globalization;
using P2P.Testing;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: content outlives its sharer. Method: real nodes on a network in memory, some of which offer disk.</summary>
[TestClass]
public sealed class ReplicationTests
{
    private const long Offer = 256L << 20;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_share_with_replicas_is_fetched_by_its_id_when_the_sharer_is_gone()
    {
        await using var network = new TestNetwork(1);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 4);
        P2PNode sharer = await JoinAsync(network, holders[0]), fetcher = await JoinAsync(network, holders[0]);
        string path = await WriteAsync(folder, "f", 5_000_000);

        Share share = await sharer.ShareAsync(path, new ShareOptions { Replicas = 3 }, cancellationToken: TestContext.CancellationToken);

        HealthReport health = share.Health!;
        Assert.IsGreaterThanOrEqualTo(3, health.MinCopies);
        Assert.AreEqual(1, health.Runs);
        Assert.AreEqual(3, health.Target);
        Assert.IsGreaterThanOrEqualTo(3, (await sharer.GetHealthAsync(share.Link, TestContext.CancellationToken)).MinCopies);
        await sharer.StopAsync(TestContext.CancellationToken);

        FetchResult result = await fetcher.FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);

        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(path), await File.ReadAllBytesAsync(folder["got"]));
        Assert.IsTrue(result.BytesByPeer.Keys.All(peer => holders.Any(holder => holder.Id == peer)));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_folder_with_an_empty_file_is_kept_too()
    {
        await using var network = new TestNetwork(10);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 3);
        P2PNode sharer = await JoinAsync(network, holders[0]), fetcher = await JoinAsync(network, holders[0]);
        Directory.CreateDirectory(folder["d"]);
        await WriteAsync(folder, Path.Combine("d", "full"), 2_000_000);
        await WriteAsync(folder, Path.Combine("d", "empty"), 0);
        Share share = await sharer.ShareAsync(folder["d"], new ShareOptions { Replicas = 2 }, cancellationToken: TestContext.CancellationToken);
        Assert.IsGreaterThanOrEqualTo(2, share.Health!.MinCopies);
        Assert.IsGreaterThanOrEqualTo(2, (await sharer.GetHealthAsync(share.Link, TestContext.CancellationToken)).MinCopies);
        await sharer.StopAsync(TestContext.CancellationToken);
        Assert.IsGreaterThanOrEqualTo(2, (await fetcher.GetHealthAsync(Bare(share), TestContext.CancellationToken)).MinCopies);
        await fetcher.FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual((0L, 2_000_000L), (new FileInfo(Path.Combine(folder["got"], "empty")).Length, new FileInfo(Path.Combine(folder["got"], "full")).Length));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_private_share_is_kept_by_holders_that_cannot_read_it()
    {
        await using var network = new TestNetwork(2);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 3);
        P2PNode sharer = await JoinAsync(network, holders[0]), fetcher = await JoinAsync(network, holders[0]);
        string path = await WriteAsync(folder, "f", 3_000_000);
        Share share = await sharer.ShareAsync(path, new ShareOptions { Replicas = 2, Private = true }, cancellationToken: TestContext.CancellationToken);
        await sharer.StopAsync(TestContext.CancellationToken);
        await fetcher.FetchAsync(share.Link, folder["got"], cancellationToken: TestContext.CancellationToken);
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(path), await File.ReadAllBytesAsync(folder["got"]));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_large_share_is_cut_into_runs_and_found_whole()
    {
        await using var network = new TestNetwork(3);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 5);
        P2PNode sharer = await JoinAsync(network, holders[0]), fetcher = await JoinAsync(network, holders[0]);
        string path = await WriteAsync(folder, "f", (66 << 20) + 5);
        Share share = await sharer.ShareAsync(path, new ShareOptions { Replicas = 2 }, cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(3, share.Health!.Runs); // the root, 64 leaves, 3 leaves
        Assert.IsGreaterThanOrEqualTo(2, share.Health.MinCopies);
        await sharer.StopAsync(TestContext.CancellationToken);
        FetchResult result = await fetcher.FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual((66 << 20) + 5, result.Bytes);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Runs_that_lie_far_from_the_root_are_looked_up_by_themselves()
    {
        await using var network = new TestNetwork(8);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 24);
        P2PNode sharer = await JoinAsync(network, holders[0]), fetcher = await JoinAsync(network, holders[0]);
        string path = await WriteAsync(folder, "f", (66 << 20) + 5);
        Share share = await sharer.ShareAsync(path, new ShareOptions { Replicas = 1 }, cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(1, share.Health!.MinCopies);
        await sharer.StopAsync(TestContext.CancellationToken);
        Task<FetchResult> fetch = fetcher.FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => fetch.IsCompleted, TimeSpan.FromSeconds(0.05));
        FetchResult result = await fetch;
        Assert.AreEqual((66 << 20) + 5, result.Bytes);
        Assert.IsGreaterThan(1, result.BytesByPeer.Count(peer => peer.Value > 1 << 20), "the two runs of leaves lie with different holders");
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_holder_keeps_its_leases_over_a_restart_and_lets_go_when_released()
    {
        await using var network = new TestNetwork(4);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 1);
        P2PNode sharer = await JoinAsync(network, holders[0]);
        Share share = await sharer.ShareAsync(await WriteAsync(folder, "f", 1_000_000), new ShareOptions { Replicas = 1 }, cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(1, share.Health!.MinCopies);
        Assert.AreEqual(1_000_000, await HeldAsync(holders[0]));

        await holders[0].StopAsync(TestContext.CancellationToken);
        Assert.AreEqual(1, (await sharer.GetHealthAsync(share.Link, TestContext.CancellationToken)).MinCopies, "within the grace");
        await holders[0].StartAsync(TestContext.CancellationToken);
        Assert.AreEqual(1_000_000, await HeldAsync(holders[0]));

        await sharer.StopSharingAsync(share.Root, TestContext.CancellationToken);
        Assert.AreEqual(0, await HeldAsync(holders[0]));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_full_holder_refuses_and_says_why()
    {
        await using var network = new TestNetwork(5);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 1, offer: 1_500_000);
        P2PNode sharer = await JoinAsync(network, holders[0]);
        Share first = await sharer.ShareAsync(await WriteAsync(folder, "f", 1_000_000), new ShareOptions { Replicas = 1 }, cancellationToken: TestContext.CancellationToken);
        Share second = await sharer.ShareAsync(await WriteAsync(folder, "g", 1_000_001), new ShareOptions { Replicas = 1 }, cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(1, first.Health!.MinCopies);
        Assert.AreEqual(0, second.Health!.MinCopies);
        Assert.AreEqual("full", second.Health.Refusals.Single().Key);
        Assert.AreEqual(1_000_000, await HeldAsync(holders[0]));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_stranger_is_refused_unless_it_is_admitted_or_everybody_is()
    {
        await using var network = new TestNetwork(9);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 1);
        P2PNode sharer = await JoinAsync(network, holders[0]);
        network.OnLink = [];
        string path = await WriteAsync(folder, "f", 1_000_000);
        HealthReport refused = await ReplicateAsync(isPrivate: false);
        Assert.AreEqual(0, refused.MinCopies);
        Assert.AreEqual("does not hold for this publisher", refused.Refusals.Single().Key);
        Assert.AreEqual(0, await HeldAsync(holders[0]));

        P2PNode admits = await JoinAsync(network, holders[0], options => (options.Replication.OfferBytes, options.Replication.OfferTo) = (Offer, [$"{sharer.Id}"]));
        await MeetAsync(admits);
        Assert.AreEqual(1, (await ReplicateAsync(isPrivate: false)).MinCopies);
        Assert.AreEqual(1_000_000, await HeldAsync(admits));
        await sharer.StopSharingAsync((await sharer.ShareAsync(path)).Root, TestContext.CancellationToken);
        await admits.StopAsync(TestContext.CancellationToken);

        P2PNode anyone = await JoinAsync(network, holders[0], options => (options.Replication.OfferBytes, options.Replication.OfferTo) = (Offer, ["anyone"]));
        await MeetAsync(anyone);
        Assert.AreEqual(0, (await ReplicateAsync(isPrivate: false)).MinCopies, "of strangers only what it cannot read");
        Assert.AreEqual(1, (await ReplicateAsync(isPrivate: true)).MinCopies);
        Assert.IsGreaterThan(1_000_000, await HeldAsync(anyone));

        async Task MeetAsync(P2PNode holder) // strangers are not told private addresses, which are all that there are here
        {
            int before = sharer.Status.Dht!.Holders;
            await sharer.ConnectAsync(Multiaddress.Parse($"{holder.Status.Addresses[0]}/p2p/{holder.Id}", CultureInfo.InvariantCulture), TestContext.CancellationToken);
            await WaitAsync(network, () => sharer.Status.Dht!.Holders > before);
        }

        async Task<HealthReport> ReplicateAsync(bool isPrivate) =>
            (await sharer.ShareAsync(path, new ShareOptions { Replicas = 1, Private = isPrivate }, cancellationToken: TestContext.CancellationToken)).Health!;
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Holders_make_good_what_is_lost_when_the_sharer_is_gone()
    {
        await using var network = new TestNetwork(7);
        using var folder = new Content.TempFolder();
        List<P2PNode> holders = [.. await StartHoldersAsync(network, 10, configure: Quick)];
        P2PNode sharer = await JoinAsync(network, holders[0], Quick), fetcher = await JoinAsync(network, holders[0], Quick);
        string path = await WriteAsync(folder, "f", 3_000_000);
        Share share = await sharer.ShareAsync(path, new ShareOptions { Replicas = 3 }, cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(6, share.Health!.MinCopies, "three, and three more of a root");
        await sharer.StopAsync(TestContext.CancellationToken);
        HealthReport seen = await fetcher.GetHealthAsync(Bare(share), TestContext.CancellationToken);
        Assert.AreEqual((6, 3, 1, share.Health.Blocks), (seen.MinCopies, seen.Target, seen.Runs, seen.Blocks));
        Assert.IsNotNull(seen.LeaseUntil);

        for (int round = 0; round < 2; round++)
        {
            List<P2PNode> keepers = await KeepersAsync(holders);
            foreach (P2PNode keeper in keepers.Where(keeper => keeper != holders[0]).Take(keepers.Count - 2)) // the first is everybody's way in
            {
                holders.Remove(keeper);
                await keeper.StopAsync(TestContext.CancellationToken);
            }

            Assert.AreEqual(2, (await KeepersAsync(holders)).Count);
            while ((await KeepersAsync(holders)).Count < 3)
            {
                network.Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(10, TestContext.CancellationToken);
            }
        }

        await fetcher.FetchAsync(Bare(share), folder["got"], cancellationToken: TestContext.CancellationToken);
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(path), await File.ReadAllBytesAsync(folder["got"]));

        static void Quick(P2PNodeOptions options) => (options.Replication.Grace, options.Replication.CheckInterval) = (TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(60));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task What_is_on_the_deny_list_is_not_held_not_served_and_not_fetched()
    {
        await using var network = new TestNetwork(9);
        using var folder = new Content.TempFolder();
        List<string> data = [];
        P2PNode[] holders = await StartHoldersAsync(network, 1, configure: options => data.Add(options.DataDirectory!));
        P2PNode sharer = await JoinAsync(network, holders[0], options => data.Add(options.DataDirectory!));
        Share share = await sharer.ShareAsync(await WriteAsync(folder, "f", 1000), cancellationToken: TestContext.CancellationToken);
        string line = Convert.ToHexStringLower(P2P.Core.Blocks.DenyList.NameOf(share.Root));
        foreach ((P2PNode node, string folderOfNode) in new[] { (holders[0], data[0]), (sharer, data[1]) })
        {
            await node.StopAsync(TestContext.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folderOfNode, "deny"), $"# not here\n{line}\n", TestContext.CancellationToken);
            await node.StartAsync(TestContext.CancellationToken);
        }

        Assert.AreEqual(P2PErrorCode.Permission, (await Assert.ThrowsExactlyAsync<P2PException>(() => holders[0].FetchAsync(share.Link, folder["got"], cancellationToken: TestContext.CancellationToken))).Code);
        Share again = await sharer.ShareAsync(folder["f"], new ShareOptions { Replicas = 1 }, cancellationToken: TestContext.CancellationToken);
        Assert.AreEqual(0, again.Health!.MinCopies);
        Assert.AreEqual(0, await HeldAsync(holders[0]));
        P2PNode fetcher = await JoinAsync(network, holders[0]);
        Task<FetchResult> fetch = fetcher.FetchAsync(share.Link, folder["got"], new FetchOptions { StallTimeout = TimeSpan.FromSeconds(2) }, cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => fetch.IsCompleted);
        Assert.AreEqual(P2PErrorCode.NotFound, (await Assert.ThrowsExactlyAsync<P2PException>(() => fetch)).Code);

        await holders[0].StopAsync(TestContext.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(data[0], "deny"), "no hash\n", TestContext.CancellationToken);
        StringAssert.Contains((await Assert.ThrowsExactlyAsync<P2PException>(() => holders[0].StartAsync(TestContext.CancellationToken))).Message, "Line 1");
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Copies_that_cannot_be_made_because_a_file_is_another_say_so()
    {
        await using var network = new TestNetwork(10);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 1);
        P2PNode sharer = await JoinAsync(network, holders[0]);
        string path = await WriteAsync(folder, "f", 3_000_000);
        Task<Share> sharing = sharer.ShareAsync(path, new ShareOptions { Replicas = 1 }, cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => sharing.IsCompleted);
        ShareLink link = (await sharing).Link;
        await holders[0].StopAsync(TestContext.CancellationToken);
        await File.WriteAllBytesAsync(path, new byte[3_000_000], TestContext.CancellationToken);
        P2PNode fetcher = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        Task<FetchResult> fetch = fetcher.FetchAsync(link, folder["got"], new FetchOptions { StallTimeout = TimeSpan.FromSeconds(2) }, cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => fetch.IsCompleted);
        await Assert.ThrowsExactlyAsync<P2PException>(() => fetch);
        await sharer.StopAsync(TestContext.CancellationToken);
        await sharer.StartAsync(TestContext.CancellationToken);

        Task<HealthReport> renewal = sharer.RenewReplicasAsync(link, TestContext.CancellationToken);
        await WaitAsync(network, () => renewal.IsCompleted);
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => renewal);
        Assert.AreEqual(P2PErrorCode.SourceChanged, error.Code);
        StringAssert.Contains(error.Message, $"The shared file {path} was changed");
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_share_ended_without_the_dht_is_not_to_be_copied_any_more()
    {
        await using var network = new TestNetwork(11);
        using var folder = new Content.TempFolder();
        P2PNode[] holders = await StartHoldersAsync(network, 1);
        P2PNode sharer = await JoinAsync(network, holders[0], options => options.DataDirectory = folder["data"]);
        string path = await WriteAsync(folder, "f", 100_000);
        Task<Share> sharing = sharer.ShareAsync(path, new ShareOptions { Replicas = 1 }, cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => sharing.IsCompleted);
        Share share = await sharing;
        Assert.AreEqual(1, share.Replicas);
        Share listed = (await sharer.GetSharesAsync().ToListAsync()).Single();
        Assert.AreEqual((1, true), (listed.Replicas, listed.ReplicasUntil > network.Time.GetUtcNow() + TimeSpan.FromDays(6)));

        await sharer.StopAsync(TestContext.CancellationToken);
        P2PNode alone = await network.StartNodeAsync(options => (options.DataDirectory, options.Dht.Mode) = (folder["data"], DhtMode.Off), TestContext.CancellationToken);
        listed = (await alone.GetSharesAsync().ToListAsync()).Single();
        Assert.AreEqual((1, true), (listed.Replicas, listed.ReplicasUntil is not null));
        Assert.IsTrue(await alone.StopSharingAsync(share.Root, TestContext.CancellationToken));
        await alone.ShareAsync(path, cancellationToken: TestContext.CancellationToken);
        listed = (await alone.GetSharesAsync().ToListAsync()).Single();
        Assert.AreEqual((0, null), (listed.Replicas, listed.ReplicasUntil));
    }

    [TestMethod]
    public async Task Replicas_and_named_peers_exclude_each_other()
    {
        await using var network = new TestNetwork(6);
        using var folder = new Content.TempFolder();
        P2PNode node = await network.StartNodeAsync(cancellationToken: TestContext.CancellationToken);
        string path = await WriteAsync(folder, "f", 1000);
        await Assert.ThrowsExactlyAsync<ArgumentException>(() => node.ShareAsync(path, new ShareOptions { Replicas = 1, AllowedPeers = [node.Id] }));
        await Assert.ThrowsExactlyAsync<ArgumentException>(() => node.ShareAsync(path, new ShareOptions { Replicas = 17 }));
        Share alone = await node.ShareAsync(path, new ShareOptions { Replicas = 3 });
        Assert.AreEqual(0, alone.Health!.MinCopies);
    }

    private async Task<P2PNode[]> StartHoldersAsync(TestNetwork network, int count, long offer = Offer, Action<P2PNodeOptions>? configure = null)
    {
        P2PNode first = await network.StartNodeAsync(Configure, TestContext.CancellationToken);
        List<P2PNode> nodes = [first];
        while (nodes.Count < count)
            nodes.Add(await JoinAsync(network, first, Configure));
        if (count == 1)
            return [first];
        await WaitAsync(network, () => nodes.TrueForAll(node => node.Status.Dht!.Holders >= Math.Min(count - 1, 2)));
        return [.. nodes];

        void Configure(P2PNodeOptions options)
        {
            options.Replication.OfferBytes = offer;
            configure?.Invoke(options);
        }
    }

    private async Task<P2PNode> JoinAsync(TestNetwork network, P2PNode by, Action<P2PNodeOptions>? configure = null)
    {
        P2PNode node = await network.StartNodeAsync(
            options =>
            {
                options.BootstrapPeers = [$"{by.Status.Addresses[0]}/p2p/{by.Id}"];
                configure?.Invoke(options);
            },
            TestContext.CancellationToken);
        await WaitAsync(network, () => node.Status.Dht!.Contacts > 0 && by.Status.Dht!.Contacts > 0);
        await WaitAsync(network, () => by.Status.Dht!.Providers + node.Status.Dht!.Providers > 0 || configure is not null);
        return node;
    }

    private async Task WaitAsync(TestNetwork network, Func<bool> condition, TimeSpan? step = null)
    {
        while (!condition())
        {
            network.Time.Advance(step ?? TimeSpan.FromSeconds(0.1)); // faster, and what waits for the processor runs into its time limits
            await Task.Delay(10, TestContext.CancellationToken);
        }
    }

    private static async Task<List<P2PNode>> KeepersAsync(IEnumerable<P2PNode> holders)
    {
        List<P2PNode> keepers = [];
        foreach (P2PNode holder in holders)
        {
            if (await HeldAsync(holder) > 0)
                keepers.Add(holder);
        }

        return keepers;
    }

    private static async Task<long> HeldAsync(P2PNode holder) =>
        (await holder.Store.GetUsageAsync()).ByPurpose!.Where(usage => usage.Purpose == PinPurpose.Held).Sum(usage => usage.OwnedBytes);

    private static ShareLink Bare(Share share) => ShareLink.Parse(share.Root.ToString());

    private static async Task<string> WriteAsync(Content.TempFolder folder, string name, int bytes)
    {
        byte[] content = new byte[bytes];
        new SeededRandom((ulong)bytes).NextBytes(content);
        await File.WriteAllBytesAsync(folder[name], content);
        return folder[name];
    }
}
