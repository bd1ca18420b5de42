using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core;
using P2P.Core.Store;

namespace P2P.Benchmarks;

/// <summary>
/// A million blocks in the index: how long a node takes to open it, how long `has` takes, how much memory both need. Measured in a process of its own,
/// which opens what this one has written.
/// </summary>
internal static class IndexCase
{
    public const string Measuring = "index-measure";

    // 950 files of 1,000 blocks, and the nodes above them: what sharing a terabyte writes, with more nodes than it has
    private const int Files = 950, BlocksPerFile = 1_000, Nodes = 50_000, Blocks = (Files * BlocksPerFile) + Nodes;
    private const int BlockBytes = 1 << 20, NodeBytes = 100, LookUps = 200_000;

    public static async Task<int> RunAsync(int rounds)
    {
        string data = Path.Combine(Bench.Scratch, "index-data"), files = Path.Combine(Bench.Scratch, "index-files");
        if (!File.Exists(Path.Combine(data, "complete")))
            await FillAsync(data, files);
        List<double> open = [], start = [], has = [], slow = [], memory = [];
        for (int round = 0; round < rounds; round++)
        {
            string line = (await Bench.RunAsync(Environment.ProcessPath!, [Measuring, data])).Trim();
            double[] values = [.. line.Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
            Console.Error.WriteLine($"round {round + 1}: store {Bench.F(values[0], "F3")} s, node {Bench.F(values[1], "F3")} s, has {Bench.F(values[2])} us, 99 % below {Bench.F(values[3])} us, {Bench.F(values[4], "F0")} MB");
            open.Add(values[0]);
            start.Add(values[1]);
            has.Add(values[2]);
            slow.Add(values[3]);
            memory.Add(values[4]);
        }

        Bench.Row($"| open the index of {Blocks:N0} blocks; a node with it | {Bench.F(Bench.Median(open), "F3")} s; {Bench.F(Bench.Median(start), "F3")} s | | <= 1 s |");
        Bench.Row($"| `has` in it, median (99 % below) | {Bench.F(Bench.Median(has), "F1")} us ({Bench.F(Bench.Median(slow), "F1")} us) | | <= 20 us |");
        Bench.Row($"| peak resident memory of both | {Bench.F(Bench.Median(memory), "F0")} MB | | <= 250 MB |");
        return 0;
    }

    /// <summary>The measured process: opens, looks up blocks that are there and blocks that are not, and says what it took.</summary>
    public static async Task<int> MeasureAsync(string data)
    {
        var clock = Stopwatch.StartNew();
        await using (P2PNode node = await P2PNode.StartAsync(P2PNodeOptions.Loopback(data)))
            clock.Stop();
        double node1 = clock.Elapsed.TotalSeconds;

        clock.Restart();
        await using BlockStore store = await BlockStore.OpenAsync(data, new StoreOptions(), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        double open = clock.Elapsed.TotalSeconds;

        // Once through everything in another order than it was written in, so that caches hold what they hold in use.
        var random = new Random(1);
        double[] micros = new double[LookUps];
        for (int i = 0; i < LookUps; i++)
        {
            bool isThere = i % 2 == 0;
            Cid cid = CidOf(isThere ? random.Next(Blocks) : Blocks + random.Next(Blocks));
            long began = Stopwatch.GetTimestamp();
            bool has = store.Has(cid);
            micros[i] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            if (has != isThere)
                throw new InvalidOperationException($"The index says {has} of a block that is {(isThere ? "there" : "not there")}.");
        }

        Array.Sort(micros);
        string peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        double megabytes = long.Parse(peak.Split(':')[1].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024 / 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{open} {node1} {micros[LookUps / 2]} {micros[LookUps / 100 * 99]} {megabytes}"));
        return 0;
    }

    private static async Task FillAsync(string data, string files)
    {
        Bench.Fresh("index-data");
        Bench.Fresh("index-files");
        Directory.CreateDirectory(files);
        var clock = Stopwatch.StartNew();
        await using (BlockStore store = await BlockStore.OpenAsync(data, new StoreOptions(), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None))
        {
            PinId pin = await store.AddPinAsync(new Pin { Kind = PinKind.Shared, Root = CidOf(0), Name = "all", Path = files }, CancellationToken.None);
            for (int file = 0; file < Files; file++)
            {
                // As long as it claims to be but without a byte on the disk: `has` looks at the file, not into it.
                string path = Path.Combine(files, $"{file:D4}");
                await using (FileStream sparse = File.Create(path))
                    sparse.SetLength((long)BlocksPerFile * BlockBytes);
                if (!FileSystemDisk.Instance.TryGetIdentity(path, out FileIdentity identity))
                    throw new InvalidOperationException($"{path} is gone.");
                using StoreBatch batch = store.BeginBatch(pin);
                FileId id = batch.AddFile(path, identity).Id;
                for (int block = 0; block < BlocksPerFile; block++)
                    batch.AddReference(CidOf((file * BlocksPerFile) + block), id, (long)block * BlockBytes, BlockBytes);
                batch.FinishFile(id, identity, CidOf(-1 - file));
                await batch.CommitAsync(Durability.Visible, CancellationToken.None);
            }

            for (int first = 0; first < Nodes; first += BlocksPerFile)
            {
                using StoreBatch batch = store.BeginBatch(pin);
                for (int i = first; i < first + BlocksPerFile; i++)
                    batch.AddOwned(CidOf((Files * BlocksPerFile) + i), NodeOf(i));
                await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
            }
        }

        Console.Error.WriteLine($"wrote {Blocks:N0} blocks in {Bench.F(clock.Elapsed.TotalSeconds, "F1")} s, index {new FileInfo(Path.Combine(data, "index.db")).Length / 1_000_000} MB");
        await File.WriteAllTextAsync(Path.Combine(data, "complete"), "");
    }

    private static byte[] NodeOf(int number)
    {
        byte[] node = new byte[NodeBytes];
        BitConverter.TryWriteBytes(node, number);
        return node;
    }

    /// <summary>The name of a block: nodes are there, the others in the index only.</summary>
    private static Cid CidOf(int number)
    {
        if (number is >= Files * BlocksPerFile and < Blocks)
            return Cid.OfRaw(NodeOf(number - (Files * BlocksPerFile)));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(BitConverter.GetBytes(number), digest);
        return Cid.FromSha256(Cid.RawCodec, digest);
    }
}
