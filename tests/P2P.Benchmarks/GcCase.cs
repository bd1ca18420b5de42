using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core;
using P2P.Core.Store;

namespace P2P.Benchmarks;

/// <summary>
/// Collecting 100,000 blocks that nothing keeps, 90,000 of 4 KiB (in the index) and 10,000 of 128 KiB (files): alone, and beside a fetch of 1 GiB into the
/// same node, whose speed is compared with that of the same fetch without a collection. The fetch begins with the collection and is repeated until it ends.
/// </summary>
internal static class GcCase
{
    private const int SmallBlocks = 90_000, SmallBytes = 4 << 10, LargeBlocks = 10_000, LargeBytes = 128 << 10, BlocksPerBatch = 500;
    private const long FetchBytes = 1L << 30, KeptBytes = 10_000_000;

    public static async Task<int> RunAsync(int rounds)
    {
        string file = Bench.RandomFile(FetchBytes), kept = Bench.RandomFile(KeptBytes), data = Path.Combine(Bench.Scratch, "gc-data");
        Bench.Warm(file);
        List<double> alone = [], beside = [], fetchAlone = [], fetchBeside = [];
        for (int round = 0; round < rounds; round++)
        {
            await FillAsync(data);
            await using (P2PNode node = await P2PNode.StartAsync(P2PNodeOptions.Loopback(data)))
            {
                Share share = await KeepAsync(node, kept);
                alone.Add(await CollectAsync(node));
                await CheckAsync(node, share, kept);
            }

            await FillAsync(data);
            await using (P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("gc-sharer"))))
            await using (P2PNode node = await P2PNode.StartAsync(P2PNodeOptions.Loopback(data)))
            {
                ShareLink link = (await sharer.ShareAsync(file)).Link;
                Share share = await KeepAsync(node, kept);
                await FetchAsync(node, link, file); // the first is not counted: it compiles the code
                fetchAlone.Add(await FetchAsync(node, link, file));
                Task<double> collection = CollectAsync(node);
                fetchBeside.Add(await FetchAsync(node, link, file));
                beside.Add(await collection);
                await CheckAsync(node, share, kept);
            }

            Console.Error.WriteLine($"round {round + 1}: alone {Bench.F(alone[^1])} s, beside a fetch {Bench.F(beside[^1])} s; fetch {Bench.F(fetchAlone[^1])} s, beside {Bench.F(fetchBeside[^1])} s");
        }

        double speed = 100 * Bench.Median(fetchAlone) / Bench.Median(fetchBeside);
        Bench.Row($"| collect 100,000 blocks (1.7 GB) | {Bench.F(Bench.Median(alone))} s | | <= 10 s |");
        Bench.Row($"| the same beside a fetch of 1 GiB | {Bench.F(Bench.Median(beside))} s | | <= 30 s |");
        Bench.Row($"| speed of that fetch | {Bench.F(FetchBytes / 1048576.0 / Bench.Median(fetchBeside), "F0")} MiB/s | without it {Bench.F(FetchBytes / 1048576.0 / Bench.Median(fetchAlone), "F0")} MiB/s | {Bench.F(speed, "F0")} % (>= 70 %) |");
        return 0;
    }

    /// <summary>Something owned that is kept, among all that is not.</summary>
    private static async Task<Share> KeepAsync(P2PNode node, string kept)
    {
        await using FileStream content = File.OpenRead(kept);
        return await node.ShareAsync(content, "kept");
    }

    private static async Task<double> CollectAsync(P2PNode node)
    {
        var clock = Stopwatch.StartNew();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        GarbageReport report = await node.Store.CollectGarbageAsync();
        Console.Error.WriteLine($"collected {report.Blocks:N0} blocks in {Bench.F(clock.Elapsed.TotalSeconds)} s; this process used {Bench.F((Environment.CpuUsage.TotalTime - cpu).TotalSeconds)} s of CPU meanwhile");
        return clock.Elapsed.TotalSeconds;
    }

    private static async Task<double> FetchAsync(P2PNode node, ShareLink link, string file)
    {
        string output = Bench.Fresh("gc-out.bin");
        var clock = Stopwatch.StartNew();
        await node.FetchAsync(link, output);
        double seconds = clock.Elapsed.TotalSeconds;
        if (!await FetchCase.SameAsync(file, output))
            throw new InvalidOperationException("The fetched file is not the shared one.");
        return seconds;
    }

    /// <summary>What is kept is there and right; nothing else is.</summary>
    private static async Task CheckAsync(P2PNode node, Share share, string kept)
    {
        StoreUsage usage = await node.Store.GetUsageAsync();
        if (usage.OwnedBytes < KeptBytes || usage.OwnedBytes - usage.ReclaimableBytes > KeptBytes + (1 << 20))
            throw new InvalidOperationException($"After the collection the store holds {usage}.");
        if (usage.OwnedBytes > KeptBytes + (4 << 20))
            throw new InvalidOperationException($"Garbage was left: {usage}.");
        string output = Bench.Fresh("gc-kept.bin");
        await using (P2PNode other = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = Bench.Fresh("gc-other"), Listen = false, Lan = new LanOptions { Enabled = false } }))
            await other.FetchAsync(share.Link, output);
        if (!await FetchCase.SameAsync(kept, output))
            throw new InvalidOperationException("What was kept is not what it was.");
    }

    private static async Task FillAsync(string data)
    {
        Bench.Fresh("gc-data");
        var clock = Stopwatch.StartNew();
        await using BlockStore store = await BlockStore.OpenAsync(data, new StoreOptions(), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        byte[] block = RandomNumberGenerator.GetBytes(LargeBytes);
        for (int first = 0; first < SmallBlocks + LargeBlocks; first += BlocksPerBatch)
        {
            using StoreBatch batch = store.BeginBatch();
            for (int number = first; number < first + BlocksPerBatch; number++)
            {
                // Large ones between the small ones, as content brings them.
                BitConverter.TryWriteBytes(block, number);
                ReadOnlySpan<byte> bytes = block.AsSpan(0, number % 10 == 0 ? LargeBytes : SmallBytes);
                batch.AddOwned(Cid.OfRaw(bytes), bytes);
            }

            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }

        Console.Error.WriteLine($"wrote {SmallBlocks + LargeBlocks:N0} blocks in {Bench.F(clock.Elapsed.TotalSeconds, "F1")} s");
    }
}
