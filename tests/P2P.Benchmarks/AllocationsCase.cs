using P2P.Core;

namespace P2P.Benchmarks;

/// <summary>What a transfer allocates: 256 MiB between two nodes in this process, after a first one that warms the pools.</summary>
internal static class AllocationsCase
{
    private const long Bytes = 256L << 20;

    public static async Task<int> RunAsync()
    {
        string file = Bench.RandomFile(Bytes);
        await using P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("alloc-a")));
        await using P2PNode fetcher = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("alloc-b")));
        ShareLink link = (await sharer.ShareAsync(file)).Link;
        await fetcher.FetchAsync(link, Bench.Fresh("alloc-out.bin"));
        long before = GC.GetTotalAllocatedBytes(precise: true);
        int collections = GC.CollectionCount(0);
        await fetcher.FetchAsync(link, Bench.Fresh("alloc-out.bin"));
        long blocks = Bytes >> 20, allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Bench.Row($"| allocated for each 1 MiB block, both sides in one process | {allocated / blocks:N0} bytes | {GC.CollectionCount(0) - collections} collections | |");
        return 0;
    }
}
