using System.Diagnostics;
using P2P.Core.Content;

namespace P2P.Benchmarks;

/// <summary>FastCDC alone on one core, and how much of 1 GiB it finds again after 100 insertions of 1 KiB.</summary>
internal static class ChunkerCase
{
    private const int Bytes = 1 << 30;
    private const int Insertions = 100;
    private const int InsertedBytes = 1024;

    public static int Run(int rounds)
    {
        byte[] content = new byte[Bytes];
        new Random(1).NextBytes(content);
        HashSet<UInt128> known = [];
        Cut(content, known.Add); // the first pass is not counted: it compiles the code
        List<double> walls = [], cores = [];
        for (int round = 0; round < rounds; round++)
        {
            using var process = Process.GetCurrentProcess();
            TimeSpan before = process.TotalProcessorTime;
            var clock = Stopwatch.StartNew();
            Cut(content, null);
            walls.Add(clock.Elapsed.TotalSeconds);
            process.Refresh();
            cores.Add((process.TotalProcessorTime - before).TotalSeconds);
        }

        byte[] edited = Insert(content);
        long found = 0;
        Cut(edited, null, (leaf, length) => found += known.Contains(leaf) ? length : 0);
        Bench.Row($"| FastCDC alone, 1 GiB | {Bench.F(1 / Bench.Median(cores))} GiB for each second of a core ({Bench.F(1 / Bench.Median(walls))} GiB/s of the clock) | target 2 | |");
        Bench.Row($"| found again after {Insertions} insertions of 1 KiB in 1 GiB | {100.0 * found / edited.Length:F1} % | target 90 % | |");
        return 0;
    }

    private static byte[] Insert(byte[] content)
    {
        var random = new Random(2);
        byte[] edited = new byte[content.Length + (Insertions * InsertedBytes)];
        int from = 0, to = 0;
        foreach (int at in Enumerable.Range(0, Insertions).Select(_ => random.Next(content.Length)).Order())
        {
            content.AsSpan(from, at - from).CopyTo(edited.AsSpan(to));
            to += at - from;
            random.NextBytes(edited.AsSpan(to, InsertedBytes));
            to += InsertedBytes;
            from = at;
        }

        content.AsSpan(from).CopyTo(edited.AsSpan(to));
        return edited;
    }

    private static void Cut(byte[] content, Func<UInt128, bool>? add, Action<UInt128, int>? seen = null)
    {
        var chunker = new FastCdc(1 << 20);
        for (int at = 0, length; at < content.Length; at += length)
        {
            length = chunker.NextLength(content.AsSpan(at));
            if (add is null && seen is null)
                continue;
            UInt128 leaf = System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(System.Security.Cryptography.SHA256.HashData(content.AsSpan(at, length)));
            add?.Invoke(leaf);
            seen?.Invoke(leaf, length);
        }
    }
}
