using System.IO.Compression;
using System.Text;

namespace P2P.Core.Content;

/// <summary>
/// What names become that some systems take for the same: letters without case, and composed characters in their parts, in canonical order. The runtime
/// has no such tables here (invariant globalization), so this has its own: full case folding and canonical decomposition of Unicode 14.
/// <para>It folds at least as much as any system does, rather too much than too little: two names with one key get two places, which is never wrong.</para>
/// </summary>
internal static partial class UnicodeFolding
{
    private const int FirstSyllable = 0xAC00, Syllables = 11_172, VowelsAndTails = 588, Tails = 28; // Hangul composes by rule
    private const int FirstLead = 0x1100, FirstVowel = 0x1161, FirstTail = 0x11A7;

    private static readonly Lazy<Tables> Table = new(Tables.Load);

    /// <summary>The name without case and with composed characters in their parts.</summary>
    public static string Fold(string name)
    {
        if (Ascii.IsValid(name))
            return name.ToLowerInvariant();
        Tables table = Table.Value;
        var folded = new List<Rune>(name.Length + 8);
        foreach (Rune rune in name.EnumerateRunes())
            Add(folded, rune, table);
        Order(folded, table);
        var text = new StringBuilder(folded.Count);
        foreach (Rune rune in folded)
            text.Append(rune.ToString());
        return text.ToString();
    }

    private static void Add(List<Rune> folded, Rune rune, Tables table)
    {
        int value = rune.Value;
        if (IsIgnored(value))
            return;
        if (rune.IsAscii)
        {
            folded.Add(Rune.ToLowerInvariant(rune));
        }
        else if (value - FirstSyllable is >= 0 and < Syllables and int syllable)
        {
            folded.Add(new Rune(FirstLead + (syllable / VowelsAndTails)));
            folded.Add(new Rune(FirstVowel + (syllable % VowelsAndTails / Tails)));
            if (syllable % Tails != 0)
                folded.Add(new Rune(FirstTail + (syllable % Tails)));
        }
        else if (table.Folds.TryGetValue(value, out Rune[]? parts) || table.Folds.TryGetValue(Rune.ToLowerInvariant(rune).Value, out parts))
        {
            folded.AddRange(parts);
        }
        else
        {
            folded.Add(Rune.ToLowerInvariant(rune)); // letters that are younger than the table; for all others it is the same
        }
    }

    // HFS+ looks past these when it compares: joiners, marks of direction, the byte order mark
    private static bool IsIgnored(int value) => value is (>= 0x200C and <= 0x200F) or (>= 0x202A and <= 0x202E) or (>= 0x206A and <= 0x206F) or 0xFEFF;

    // marks on one letter in the order of their classes, those of one class as they are
    private static void Order(List<Rune> runes, Tables table)
    {
        for (int start = 0; start < runes.Count; start++)
        {
            if (table.ClassOf(runes[start].Value) == 0)
                continue;
            int end = start + 1;
            while (end < runes.Count && table.ClassOf(runes[end].Value) != 0)
                end++;
            Rune[] ordered = [.. runes[start..end].OrderBy(rune => table.ClassOf(rune.Value))];
            for (int i = 0; i < ordered.Length; i++)
                runes[start + i] = ordered[i];
            start = end;
        }
    }

    private sealed class Tables
    {
        private readonly int[] _starts;
        private readonly (int Length, int Class)[] _classes;

        private Tables(Dictionary<int, Rune[]> folds, int[] starts, (int, int)[] classes) => (Folds, _starts, _classes) = (folds, starts, classes);

        public Dictionary<int, Rune[]> Folds { get; }

        public static Tables Load()
        {
            using var packed = new DeflateStream(new MemoryStream(Convert.FromBase64String(Data)), CompressionMode.Decompress);
            using var stream = new BufferedStream(packed);
            var folds = new Dictionary<int, Rune[]>();
            int value = 0;
            for (int left = Read(stream); left > 0; left--)
            {
                value += Read(stream);
                var parts = new Rune[Read(stream)];
                int zigzag = Read(stream);
                parts[0] = new Rune(value + ((zigzag >>> 1) ^ -(zigzag & 1)));
                for (int i = 1; i < parts.Length; i++)
                    parts[i] = new Rune(Read(stream));
                folds.Add(value, parts);
            }

            int[] starts = new int[Read(stream)];
            var classes = new (int, int)[starts.Length];
            for (int i = 0; i < starts.Length; i++)
            {
                starts[i] = (i == 0 ? 0 : starts[i - 1]) + Read(stream);
                classes[i] = (Read(stream), Read(stream));
            }

            return new Tables(folds, starts, classes);
        }

        public int ClassOf(int value)
        {
            int at = Array.BinarySearch(_starts, value);
            at = at < 0 ? ~at - 1 : at;
            return at >= 0 && value < _starts[at] + _classes[at].Length ? _classes[at].Class : 0;
        }

        private static int Read(Stream stream)
        {
            int value = 0;
            for (int shift = 0; ; shift += 7)
            {
                int part = stream.ReadByte();
                value |= (part & 0x7f) << shift;
                if (part < 0x80)
                    return part >= 0 ? value : throw new InvalidDataException("The table of foldings is cut off.");
            }
        }
    }
}
