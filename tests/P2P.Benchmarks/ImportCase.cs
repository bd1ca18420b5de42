using System.Diagnostics;
using System.Security.Cryptography;
using P2P.Core;

namespace P2P.Benchmarks;

/// <summary>Sharing 1 GiB in place: the second import in one process, each with a new store, beside reading and hashing the cached file with SHA-256 on all cores.</summary>
internal static class ImportCase
{
    private const long Bytes = 1L << 30;

    public static async Task<int> RunAsync(int rounds)
    {
        string file = Bench.RandomFile(Bytes);
        Bench.Warm(file);
        List<double> ours = [], bare = [];
        await ImportAsync(file); // the first import is not counted: it compiles the code
        for (int round = 0; round < rounds; round++)
        {
            bare.Add(Hash(file));
            ours.Add(await ImportAsync(file));
        }

        double own = Bench.Median(ours), least = Bench.Median(bare);
        Bench.Row($"| share 1 GiB | {Bench.F(own)} s | read + SHA-256 on all cores {Bench.F(least)} s | {Bench.F(own / least)} x |");
        return 0;
    }

    private static async Task<double> ImportAsync(string file)
    {
        string data = Bench.Fresh("import-data");
        await using P2PNode node = await P2PNode.StartAsync(P2PNodeOptions.Loopback(data));
        var clock = Stopwatch.StartNew();
        await node.ShareAsync(file);
        return clock.Elapsed.TotalSeconds;
    }

    private static double Hash(string path)
    {
        var clock = Stopwatch.StartNew();
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
        int next = -1;
        Parallel.For(0, Environment.ProcessorCount, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, _ =>
        {
            byte[] block = new byte[1 << 20], digest = new byte[32];
            for (long at = (long)Interlocked.Increment(ref next) << 20; at < Bytes; at = (long)Interlocked.Increment(ref next) << 20)
                SHA256.HashData(block.AsSpan(0, RandomAccess.Read(file, block, at)), digest);
        });
        return clock.Elapsed.TotalSeconds;
    }
}
