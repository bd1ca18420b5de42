using Microsoft.Extensions.Logging;
using P2P.Testing;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: a large share is fetched from those that keep copies with few lookups and few peers. Method: real nodes in virtual time, counted by what they log.</summary>
[TestClass]
public sealed class FetchCostTests
{
    private const int DhtLookup = 2000, ProviderJoined = 1609;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public Task A_share_of_many_runs_is_fetched_with_few_lookups_and_peers() => FetchAsync(holders: 20, bytes: 130L << 20);

    [TestMethod]
    [SlowTest]
    [Timeout(1_800_000, CooperativeCancellation = true)]
    public Task A_gibibyte_at_many_holders_is_fetched_with_sixty_lookups_and_a_hundred_peers() => FetchAsync(holders: 120, bytes: 1L << 30);

    private async Task FetchAsync(int holders, long bytes)
    {
        using var counter = new EventCounter();
        await using var network = new TestNetwork(41, counter);
        using var folder = new Content.TempFolder();
        P2PNode first = await network.StartNodeAsync(Offer, TestContext.CancellationToken);
        List<P2PNode> nodes = [first];
        while (nodes.Count < holders + 2)
        {
            bool isHolder = nodes.Count < holders;
            nodes.Add(await network.StartNodeAsync(
                options =>
                {
                    options.BootstrapPeers = [$"{first.Status.Addresses[0]}/p2p/{first.Id}"];
                    if (isHolder)
                        Offer(options);
                },
                TestContext.CancellationToken));
        }

        (P2PNode sharer, P2PNode fetcher) = (nodes[^2], nodes[^1]);
        await WaitAsync(network, () => sharer.Status.Dht!.Holders >= Math.Min(20, holders) && fetcher.Status.Dht!.Contacts >= Math.Min(20, holders));
        string path = await WriteAsync(folder, bytes);
        Task<Share> sharing = sharer.ShareAsync(path, new ShareOptions { Replicas = 3 }, cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => sharing.IsCompleted);
        Share share = await sharing;
        Assert.IsGreaterThanOrEqualTo(3, share.Health!.MinCopies);
        await sharer.StopAsync(TestContext.CancellationToken);

        int before = counter.Count(DhtLookup);
        Task<FetchResult> fetching = fetcher.FetchAsync(ShareLink.Parse(share.Root.ToString()), folder["got"], cancellationToken: TestContext.CancellationToken);
        await WaitAsync(network, () => fetching.IsCompleted);
        FetchResult result = await fetching;
        int lookups = counter.Count(DhtLookup) - before, peers = counter.CountDistinct(ProviderJoined, $"{share.Root}");
        Console.WriteLine($"{holders} holders, {bytes >> 20} MiB in {share.Health.Runs} runs: {lookups} lookups, {peers} peers asked, {result.BytesByPeer.Count} of them sent");
        Assert.AreEqual(bytes, result.Bytes);
        Assert.IsGreaterThanOrEqualTo(result.BytesByPeer.Count, peers);
        Assert.IsLessThanOrEqualTo(60, lookups); // those of all nodes together
        Assert.IsLessThanOrEqualTo(100, peers);

        void Offer(P2PNodeOptions options) => options.Replication.OfferBytes = 2 * bytes;
    }

    private async Task WaitAsync(TestNetwork network, Func<bool> condition)
    {
        while (!condition())
        {
            network.Time.Advance(TimeSpan.FromSeconds(0.05)); // faster, and what waits for the processor runs into its time limits
            await Task.Delay(10, TestContext.CancellationToken);
        }
    }

    private static async Task<string> WriteAsync(Content.TempFolder folder, long bytes)
    {
        var random = new SeededRandom(41);
        byte[] piece = new byte[1 << 20];
        await using FileStream file = File.Create(folder["f"]);
        for (long at = 0; at < bytes; at += piece.Length)
        {
            random.NextBytes(piece);
            await file.WriteAsync(piece);
        }

        return folder["f"];
    }

    /// <summary>Counts log lines by their event, and keeps those of providers.</summary>
    private sealed class EventCounter : ILoggerFactory, ILogger
    {
        private readonly Dictionary<int, int> _counts = [];
        private readonly HashSet<string> _providers = [];
        private readonly Lock _gate = new();

        public int Count(int id)
        {
            lock (_gate)
                return _counts.GetValueOrDefault(id);
        }

        public int CountDistinct(int id, string about)
        {
            lock (_gate)
                return _providers.Count(line => line.StartsWith($"{id} ", StringComparison.Ordinal) && line.Contains(about, StringComparison.Ordinal));
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_gate)
            {
                _counts[eventId.Id] = _counts.GetValueOrDefault(eventId.Id) + 1;
                if (eventId.Id == ProviderJoined)
                    _providers.Add($"{eventId.Id} {formatter(state, exception)}");
            }
        }

        public void Dispose()
        {
        }
    }
}
