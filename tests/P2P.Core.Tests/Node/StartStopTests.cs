using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using P2P.Core.Tests.Discovery;
using P2P.Core.Tests.Nat;
using P2P.Testing;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: an app may start and stop its node as often as it likes. Method: handles, threads, memory and ports are counted after many times; alone in the process.</summary>
[TestClass]
[DoNotParallelize]
public sealed class StartStopTests
{
    public required TestContext TestContext { get; init; }

    private int _port;

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public Task A_hundred_starts_and_stops_leave_nothing_behind() => StartAndStopAsync(100);

    [TestMethod]
    [SlowTest]
    [Timeout(900_000, CooperativeCancellation = true)]
    public Task A_thousand_starts_and_stops_leave_nothing_behind() => StartAndStopAsync(1_000);

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Nor_do_those_of_nodes_with_a_local_network_and_a_router()
    {
        await using var network = new TestNetwork(seed: 1);
        var lan = new FakeLan();
        var router = new FakeRouter(network.Time) { SpeaksPcp = true };
        network.Lan = lan.AddHost;
        network.Gateways = router;
        P2PNode node = await network.StartNodeAsync(cancellationToken: Token);
        await node.StopAsync(Token);
        await CycleAsync(node, 20);
        lan.Said.Clear();
        Count before = Take();
        await CycleAsync(node, 100);
        lan.Said.Clear();
        Check(before, Take());
        Assert.IsEmpty(router.Mappings, "each gave its port back");
        Assert.IsNotEmpty(router.Asked);
    }

    private async Task StartAndStopAsync(int times)
    {
        string folder = Directory.CreateTempSubdirectory("p2p-startstop-").FullName;
        try
        {
            var node = new P2PNode(P2PNodeOptions.Loopback(folder));
            await using (node)
            {
                await CycleAsync(node, 20); // what is made once is made
                Count before = Take();
                long began = Stopwatch.GetTimestamp();
                await CycleAsync(node, times);
                TestContext.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalMilliseconds / times:0.0} ms for a start and a stop");
                Check(before, Take());
                Assert.DoesNotContain(_port, IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(static end => end.Port));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task CycleAsync(P2PNode node, int times)
    {
        for (int i = 0; i < times; i++)
        {
            await node.StartAsync(Token);
            if (_port == 0 && node.Status.Addresses[0].TryGetEndPoint(out IPEndPoint? end))
                _port = end.Port;
            await node.StopAsync(Token);
        }
    }

    private void Check(Count before, Count after)
    {
        TestContext.WriteLine($"before {before}, after {after}");
        Assert.IsLessThanOrEqualTo(before.Handles + 8, after.Handles, "handles");
        Assert.IsLessThanOrEqualTo(before.Threads + 8, after.Threads, "threads");
        Assert.IsLessThanOrEqualTo(before.Bytes + (4 << 20), after.Bytes, "memory");
    }

    private static Count Take()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        using var self = Process.GetCurrentProcess();
        int handles = OperatingSystem.IsLinux() ? Directory.GetFiles("/proc/self/fd").Length : self.HandleCount;
        return new Count(handles, self.Threads.Count, GC.GetTotalMemory(forceFullCollection: true));
    }

    private readonly record struct Count(int Handles, int Threads, long Bytes);
}
