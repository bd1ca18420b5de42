using P2P.Testing;

namespace P2P.Fuzz;

/// <summary>Makes inputs that a decoder half believes: valid ones with a few things wrong. The same seed makes the same input.</summary>
internal static class Mutation
{
    /// <summary>The longest input made (bytes).</summary>
    public const int MaxBytes = 16 << 10;

    // ends of ranges, varint edges, separators of texts
    private static readonly byte[] Telling = [0x00, 0x01, 0x7F, 0x80, 0x81, 0xFE, 0xFF, 0x0A, 0x12, 0x20, (byte)'/', (byte)'%', (byte)'#', (byte)'?', (byte)'=', (byte)'\n', (byte)'A', (byte)'1'];

    public static byte[] Make(SeededRandom random, IReadOnlyList<byte[]> samples)
    {
        // one in sixteen is noise: it finds what needs no valid beginning
        if (random.Next(16) == 0)
        {
            byte[] noise = new byte[random.Next(64)];
            random.NextBytes(noise);
            return noise;
        }

        List<byte> bytes = [.. samples[random.Next(samples.Count)]];
        for (int steps = random.Next(9); steps > 0; steps--)
        {
            Step(random, bytes, samples);
        }

        return [.. bytes.Take(MaxBytes)];
    }

    private static void Step(SeededRandom random, List<byte> bytes, IReadOnlyList<byte[]> samples)
    {
        int at = random.Next(bytes.Count + 1);
        int rest = bytes.Count - at;
        switch (random.Next(9))
        {
            case 0 when rest > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when rest > 0:
                bytes[at] = Telling[random.Next(Telling.Length)];
                break;
            case 2 when rest > 0:
                bytes[at] = (byte)(bytes[at] + random.Next(-2, 3));
                break;
            case 3:
                bytes.InsertRange(at, Enumerable.Repeat(Telling[random.Next(Telling.Length)], random.Next(1, 12)));
                break;
            case 4:
                bytes.RemoveRange(at, random.Next(Math.Min(rest, 8) + 1));
                break;
            case 5:
                bytes.RemoveRange(at, rest);
                break;
            case 6:
                bytes.InsertRange(at, bytes.GetRange(at, random.Next(rest + 1)));
                break;
            case 7:
                byte[] other = samples[random.Next(samples.Count)];
                int start = random.Next(other.Length + 1);
                bytes.InsertRange(at, other.AsSpan(start, random.Next(other.Length - start + 1)).ToArray());
                break;
            default:
                // a length that promises far more than follows
                bytes.InsertRange(at, Convert.FromHexString(((string[])["ffffffff07", "ffffffff0f", "ffffffffffffffff7f", "ffffffffffffffffff01", "80808001"])[random.Next(5)]));
                break;
        }

        if (bytes.Count > MaxBytes)
        {
            bytes.RemoveRange(MaxBytes, bytes.Count - MaxBytes);
        }
    }
}
