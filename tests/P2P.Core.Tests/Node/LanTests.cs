using P2P.Core.Tests.Discovery;
using P2P.Testing;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: nodes of one network see each other and what is shared there, and nobody else sees it. Method: whole nodes on networks in memory.</summary>
[TestClass]
public sealed class LanTests
{
    private readonly FakeLan _lan = new();

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task What_is_shared_on_the_network_is_seen_fetched_and_gone_again()
    {
        await using var network = new TestNetwork(1) { Lan = address => _lan.AddHost(address) };
        using var folder = new Content.TempFolder();
        P2PNode sharer = await network.StartNodeAsync(static options => options.NodeName = "alice", Token), watcher = await network.StartNodeAsync(cancellationToken: Token);
        await File.WriteAllTextAsync(folder["f.txt"], "near", Token);
        var changes = new System.Collections.Concurrent.ConcurrentQueue<LanChange>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task watching = WatchAsync(watcher, changes, stop.Token);
        await UntilAsync(network, () => changes.Any(change => change.Kind == LanChangeKind.PeerFound && change.Peer == sharer.Id));
        Assert.IsFalse(changes.Any(static change => change.Kind == LanChangeKind.ItemFound));

        Task<Share> sharing = sharer.ShareAsync(folder["f.txt"], new ShareOptions { OnLan = true }, cancellationToken: Token);
        await AdvanceAsync(network, sharing);
        Share share = await sharing;
        await UntilAsync(network, () => changes.Any(static change => change.Kind == LanChangeKind.ItemFound));
        LanChange found = changes.Single(static change => change.Kind == LanChangeKind.ItemFound);
        Assert.AreEqual(("alice", "f.txt", 4L, share.Root, false), (found.NodeName, found.Item!.Name, found.Item.Bytes, found.Item.Root, found.Item.IsFolder));
        await AdvanceAsync(network, watcher.FetchAsync(found.Item.Link, folder["got.txt"], cancellationToken: Token));
        Assert.AreEqual("near", await File.ReadAllTextAsync(folder["got.txt"], Token));

        await AdvanceAsync(network, sharer.StopSharingAsync(share.Root, Token));
        await UntilAsync(network, () => changes.Any(change => change.Kind == LanChangeKind.ItemGone && change.Item == found.Item));
        await AdvanceAsync(network, sharer.StopAsync(Token));
        await UntilAsync(network, () => changes.Any(change => change.Kind == LanChangeKind.PeerGone && change.Peer == sharer.Id));
        await stop.CancelAsync();
        await watching;
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_content_id_alone_is_found_at_a_neighbour()
    {
        await using var network = new TestNetwork(2) { Lan = address => _lan.AddHost(address) };
        using var folder = new Content.TempFolder();
        P2PNode sharer = await network.StartNodeAsync(static options => options.Dht.Mode = DhtMode.Off, Token), fetcher = await network.StartNodeAsync(static options => options.Dht.Mode = DhtMode.Off, Token);
        await File.WriteAllTextAsync(folder["f.txt"], "near", Token);
        Share share = await sharer.ShareAsync(folder["f.txt"], cancellationToken: Token);
        Task<FetchResult> fetch = fetcher.FetchAsync(ShareLink.Parse($"{share.Root}"), folder["got.txt"], cancellationToken: Token);
        await UntilAsync(network, () => fetch.IsCompleted);
        Assert.AreEqual(4, (await fetch).Bytes);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Who_was_reached_before_is_found_again_where_nothing_can_be_found()
    {
        await using var network = new TestNetwork(5) { Lan = address => _lan.AddHost(address) };
        using var folder = new Content.TempFolder();
        void Configure(P2PNodeOptions options) => (options.DataDirectory, options.Dht.Mode) = (folder["data"], DhtMode.Off);
        P2PNode sharer = await network.StartNodeAsync(static options => options.Dht.Mode = DhtMode.Off, Token), before = await network.StartNodeAsync(Configure, Token);
        await UntilAsync(network, () => before.GetPeers().Any(peer => peer.Id == sharer.Id && peer.Agent is not null));
        await AdvanceAsync(network, before.StopAsync(Token));

        _lan.CarriesMulticast = false;
        P2PNode after = await network.StartNodeAsync(Configure, Token), stranger = await network.StartNodeAsync(static options => options.Dht.Mode = DhtMode.Off, Token);
        var changes = new System.Collections.Concurrent.ConcurrentQueue<LanChange>();
        var others = new System.Collections.Concurrent.ConcurrentQueue<LanChange>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task[] watching = [WatchAsync(after, changes, stop.Token), WatchAsync(stranger, others, stop.Token)];
        await UntilAsync(network, () => changes.Any(change => change.Kind == LanChangeKind.PeerFound && change.Peer == sharer.Id));
        Assert.IsEmpty(others);
        await stop.CancelAsync();
        await Task.WhenAll(watching);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task What_a_neighbour_lists_who_does_not_answer_is_unreachable_and_what_none_lists_is_not_found()
    {
        await using var network = new TestNetwork(6) { Lan = address => _lan.AddHost(address) };
        using var folder = new Content.TempFolder();
        P2PNode sharer = await network.StartNodeAsync(static options => options.Dht.Mode = DhtMode.Off, Token), fetcher = await network.StartNodeAsync(static options => options.Dht.Mode = DhtMode.Off, Token);
        await File.WriteAllTextAsync(folder["f.txt"], "near", Token);
        Task<Share> sharing = sharer.ShareAsync(folder["f.txt"], new ShareOptions { OnLan = true }, cancellationToken: Token);
        await AdvanceAsync(network, sharing);
        var changes = new System.Collections.Concurrent.ConcurrentQueue<LanChange>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task watching = WatchAsync(fetcher, changes, stop.Token);
        await UntilAsync(network, () => changes.Any(static change => change.Kind == LanChangeKind.ItemFound));
        await stop.CancelAsync();
        await watching;
        _lan.CarriesMulticast = false; // it goes without being heard
        await AdvanceAsync(network, sharer.StopAsync(Token));

        P2PException gone = await FailAsync(ShareLink.Parse($"{(await sharing).Root}"));
        Assert.AreEqual(P2PErrorCode.Unreachable, gone.Code, gone.Message);
        StringAssert.Contains(gone.Message, $"{sharer.Id}");
        P2PException unknown = await FailAsync(ShareLink.Parse($"{Cid.OfRaw("nobody lists this"u8)}"));
        Assert.AreEqual(P2PErrorCode.NotFound, unknown.Code, unknown.Message);

        async Task<P2PException> FailAsync(ShareLink link)
        {
            Task<FetchResult> fetch = fetcher.FetchAsync(link, folder["got"], new FetchOptions { StallTimeout = TimeSpan.FromSeconds(3) }, cancellationToken: Token);
            await UntilAsync(network, () => fetch.IsCompleted);
            return await Assert.ThrowsExactlyAsync<P2PException>(() => fetch);
        }
    }

    [TestMethod]
    public async Task A_node_that_does_not_look_says_so()
    {
        await using var network = new TestNetwork(4) { Lan = address => _lan.AddHost(address) };
        P2PNode node = await network.StartNodeAsync(static options => options.Lan.Enabled = false, Token);
        Assert.ThrowsExactly<InvalidOperationException>(() => node.WatchLanAsync(Token));
        await Assert.ThrowsExactlyAsync<InvalidOperationException>(() => node.ShareAsync(Environment.ProcessPath!, new ShareOptions { OnLan = true }, cancellationToken: Token));
        await Assert.ThrowsExactlyAsync<ArgumentException>(() => node.ShareAsync(Environment.ProcessPath!, new ShareOptions { OnLan = true, Private = true }, cancellationToken: Token));
    }

    private static async Task WatchAsync(P2PNode node, System.Collections.Concurrent.ConcurrentQueue<LanChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (LanChange change in node.WatchLanAsync(cancellationToken))
                changes.Enqueue(change);
        }
        catch (OperationCanceledException)
        {
            // enough was seen
        }
    }

    private async Task AdvanceAsync(TestNetwork network, Task task)
    {
        await UntilAsync(network, () => task.IsCompleted);
        await task;
    }

    private async Task UntilAsync(TestNetwork network, Func<bool> condition)
    {
        while (!condition())
        {
            network.Time.Advance(TimeSpan.FromSeconds(0.02)); // not much faster than time passes: what waits for the processor must not run into its time limits
            await Task.Delay(10, Token);
        }
    }
}
