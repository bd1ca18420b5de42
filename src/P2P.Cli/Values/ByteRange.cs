using System.Globalization;

namespace P2P.Cli.Values;

/// <summary>A part of a file, both ends included: <c>0-99</c> is the first 100 bytes, <c>100-</c> all from the 101st on.</summary>
/// <param name="First">The first byte's offset.</param>
/// <param name="Last">The last byte's offset; null: to the end.</param>
internal readonly record struct ByteRange(long First, long? Last)
{
    public static bool TryParse(ReadOnlySpan<char> text, out ByteRange range)
    {
        range = default;
        int dash = text.IndexOf('-');
        if (dash < 1 || !long.TryParse(text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out long first))
            return false;
        if (dash == text.Length - 1)
        {
            range = new(first, null);
            return true;
        }

        if (!long.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long last) || last < first)
            return false;
        range = new(first, last);
        return true;
    }

    /// <summary>How many bytes of a file of this length it covers.</summary>
    public long CountOf(long length) => First >= length ? 0 : Math.Min(Last ?? long.MaxValue - 1, length - 1) - First + 1;
}
