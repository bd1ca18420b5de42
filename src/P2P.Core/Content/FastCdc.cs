using System.Buffers.Binary;
using System.Security.Cryptography;

namespace P2P.Core.Content;

/// <summary>
/// Content-defined chunking, so that an insertion moves the cuts around it and no others: FastCDC with normalised chunking (Xia et al., USENIX ATC 2016).
/// docs/protocol.md has the rule and its test vector; everybody who cuts by it gets the same leaves.
/// <para>Differs from the paper in two points. The hash is run over the 64 bytes before the first place where a cut is allowed, so that every decision
/// depends on the 64 bytes before it and nothing else; and a cut is where the hash is below a limit, which is the paper's mask over its highest bits.</para>
/// </summary>
internal sealed class FastCdc : IChunker
{
    /// <summary>No leaf but the last is shorter (bytes).</summary>
    public const int MinBytes = 128 << 10;

    /// <summary>Until here a cut is four times rarer than on average, from here on four times more frequent (bytes).</summary>
    public const int AverageBytes = 512 << 10;

    /// <summary>These rules, as the index names them. The number is stored: never change it.</summary>
    public const int LayoutNumber = 1;

    private const int AverageBits = 19;
    private const int NormalisationBits = 2;
    private const int WindowBytes = 64; // a bit leaves the hash after so many shifts

    private const ulong RareLimit = 1UL << (64 - AverageBits - NormalisationBits);
    private const ulong FrequentLimit = 1UL << (64 - AverageBits + NormalisationBits);

    private static readonly ulong[] Gear = [.. Enumerable.Range(0, 256).Select(static value => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData([(byte)value])))];

    private readonly int _maxBytes;

    /// <summary>A chunker with leaves of at most so many bytes.</summary>
    public FastCdc(int maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, AverageBytes);
        _maxBytes = maxBytes;
    }

    /// <summary>What each byte adds to the hash.</summary>
    public static ReadOnlySpan<ulong> GearTable => Gear;

    public int WholeBytes => MinBytes;

    public int MaxBytes => _maxBytes;

    public bool DependsOnBytes => true;

    public unsafe int NextLength(ReadOnlySpan<byte> rest)
    {
        int end = Math.Min(rest.Length, _maxBytes);
        if (end <= MinBytes)
            return end;
        fixed (byte* bytes = rest)
        fixed (ulong* gear = Gear)
        {
            ulong hash = 0;
            for (int i = MinBytes - WindowBytes; i < MinBytes; i++)
                hash = (hash << 1) + gear[bytes[i]];
            byte* middle = bytes + Math.Min(end, AverageBytes);
            byte* cut = FindBelow(RareLimit, bytes + MinBytes, middle, gear, ref hash);
            if (cut == middle)
                cut = FindBelow(FrequentLimit, middle, bytes + end, gear, ref hash);
            return Math.Min((int)(cut - bytes) + 1, end);
        }
    }

    /// <summary>The first byte after which the hash is below the limit; <paramref name="to"/> when there is none.</summary>
    private static unsafe byte* FindBelow(ulong limit, byte* from, byte* to, ulong* gear, ref ulong hash)
    {
        const int Step = 4;
        ulong h = hash;
        byte* at = from;

        // Four bytes a step: what they add to each other does not wait for the hash before them, so only one shift and one addition a step do. The branches
        // are never taken but at the end.
        for (byte* last = to - Step; at <= last; at += Step)
        {
            ulong first = gear[at[0]];
            ulong second = (first << 1) + gear[at[1]];
            ulong third = (second << 1) + gear[at[2]];
            ulong fourth = (third << 1) + gear[at[3]];
            if ((h << 1) + first < limit)
                return at;
            if ((h << 2) + second < limit)
                return at + 1;
            if ((h << 3) + third < limit)
                return at + 2;
            h = (h << Step) + fourth;
            if (h < limit)
                return at + 3;
        }

        for (; at < to; at++)
        {
            h = (h << 1) + gear[*at];
            if (h < limit)
                return at;
        }

        hash = h;
        return to;
    }
}
