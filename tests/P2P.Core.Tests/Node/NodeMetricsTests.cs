using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: an operator sees what a node does. Method: real nodes on loopback, each with a meter that a listener follows.</summary>
[TestClass]
public sealed class NodeMetricsTests
{
    private const int MiB = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-metrics-").FullName;

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_share_and_a_fetch_show_in_every_instrument()
    {
        const int bytes = (3 * MiB) + 5;
        await File.WriteAllBytesAsync(In("film.bin"), RandomNumberGenerator.GetBytes(bytes), Token);
        using var sharerMeters = new Readings();
        using var fetcherMeters = new Readings();
        await using (P2PNode sharer = await StartAsync("a", sharerMeters))
        {
            Share share = await sharer.ShareAsync(In("film.bin"), cancellationToken: Token);
            await using P2PNode fetcher = await StartAsync("b", fetcherMeters);
            await fetcher.FetchAsync(share.Link, In("copy.bin"), cancellationToken: Token);
            Assert.AreEqual(1, fetcherMeters.Sum("p2p.connections", "outbound"));
            // the network is read every five seconds while a connection is open
            while (fetcherMeters.Sum("p2p.network.received") < bytes)
                await Task.Delay(20, Token);
        }

        Assert.AreEqual(bytes, sharerMeters.Sum("p2p.import.bytes"));
        Assert.AreEqual(5, sharerMeters.Sum("p2p.blocks.served"), "four leaves and the root");
        Assert.AreEqual(5, fetcherMeters.Sum("p2p.blocks.received", "verified"));
        Assert.AreEqual(1, fetcherMeters.Count("p2p.dial.duration", "connected"));
        Assert.AreEqual(1, fetcherMeters.Count("p2p.fetch.duration", "done"));
        Assert.AreEqual(0, fetcherMeters.Sum("p2p.fetches"));
        Assert.AreEqual(2, fetcherMeters.Count("p2p.fetches"), "once up, once down");
        Assert.AreEqual(0, fetcherMeters.Sum("p2p.connections"));
        Assert.AreEqual(0, sharerMeters.Sum("p2p.connections"));
        Assert.AreEqual(2, sharerMeters.Count("p2p.connections", "inbound"));
        Assert.IsGreaterThanOrEqualTo(bytes, sharerMeters.Sum("p2p.network.sent"));
        Assert.IsLessThan(bytes + MiB, sharerMeters.Sum("p2p.network.sent"));
        Assert.IsGreaterThan(0, sharerMeters.Sum("p2p.network.received"));
        Assert.IsGreaterThan(0, fetcherMeters.Sum("p2p.network.sent"));
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task What_fails_is_counted_by_its_cause()
    {
        using var meters = new Readings();
        await using P2PNode node = await StartAsync("a", meters);
        await using P2PNode other = await StartAsync("b", null);
        Multiaddress taken = other.Status.Addresses[0];
        const string nobody = "12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS";
        var nowhere = ShareLink.Parse($"p2p://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyka/x?peer=/ip4/127.0.0.1/tcp/1/p2p/{nobody}");

        await Assert.ThrowsExactlyAsync<P2PException>(() => node.ConnectAsync(Multiaddress.Parse($"{taken}/p2p/{nobody}"), Token));
        await Assert.ThrowsExactlyAsync<P2PException>(() => node.FetchAsync(nowhere, In("x"), new FetchOptions { StallTimeout = TimeSpan.FromSeconds(1) }, cancellationToken: Token));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAsync<OperationCanceledException>(() => node.FetchAsync(nowhere, In("x"), cancellationToken: cancel.Token));

        Assert.AreEqual(1, meters.Count("p2p.dial.duration", "rejected"), "another peer than expected");
        Assert.IsGreaterThan(0, meters.Count("p2p.dial.duration", "unreachable"));
        Assert.AreEqual(1, meters.Count("p2p.fetch.duration", "unavailable"));
        Assert.AreEqual(1, meters.Count("p2p.fetch.duration", "cancelled"));
        Assert.AreEqual(0, meters.Sum("p2p.fetches"));
    }

    private string In(string name) => Path.Combine(_folder, name);

    private async Task<P2PNode> StartAsync(string name, IMeterFactory? meters)
    {
        var node = new P2PNode(P2PNodeOptions.Loopback(In(name)), meters: meters);
        await node.StartAsync(Token);
        return node;
    }

    /// <summary>A meter of its own and all that it reported.</summary>
    private sealed class Readings : IMeterFactory
    {
        private readonly Meter _meter = new(P2PDiagnostics.MeterName);
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<(string Name, string Tag, double Value)> _all = [];

        public Readings()
        {
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, _meter))
                    self.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.Start();
        }

        public Meter Create(MeterOptions options) => _meter;

        public double Sum(string name, string? tag = null) => Of(name, tag).Sum();

        public int Count(string name, string? tag = null) => Of(name, tag).Count();

        public void Dispose()
        {
            _listener.Dispose();
            _meter.Dispose();
        }

        private IEnumerable<double> Of(string name, string? tag) => _all.Where(each => each.Name == name && (tag is null || each.Tag == tag)).Select(each => each.Value);

        private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            _all.Enqueue((instrument.Name, tags.IsEmpty ? "" : (string)tags[0].Value!, value));
    }
}
