using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>The blocks that crash scenarios use: made once, the same for every seed, so that a run does not spend its time on hashing.</summary>
internal static class CrashCorpus
{
    /// <summary>Blocks that lie in the index (count); those behind them lie in files.</summary>
    public const int SmallBlocks = 40;

    public const int Blocks = 48;

    private static readonly byte[][] Data = Create();
    private static readonly Cid[] Cids = [.. Data.Select(data => Cid.OfRaw(data))];
    private static readonly Dictionary<string, int> Numbers = Enumerable.Range(0, Blocks).ToDictionary(block => Convert.ToHexString(Cids[block].MultihashSpan));

    public static byte[] DataOf(int block) => Data[block];

    public static Cid CidOf(int block) => Cids[block];

    /// <summary>The block of a key of the index, or -1.</summary>
    public static int NumberOf(ReadOnlySpan<byte> key) => Numbers.GetValueOrDefault(Convert.ToHexString(key), -1);

    public static bool IsSmall(int block) => block < SmallBlocks;

    private static byte[][] Create()
    {
        SeededRandom random = new(48);
        byte[][] data = new byte[Blocks][];
        for (int block = 0; block < Blocks; block++)
        {
            int length = block switch
            {
                0 => 0,
                1 => StoreOptions.MaxInlineBytes,
                < SmallBlocks => random.Next(1, 3000),
                _ => StoreOptions.MaxInlineBytes + 1 + random.Next(3000),
            };
            data[block] = new byte[length];
            random.NextBytes(data[block]);
        }
        return data;
    }
}
