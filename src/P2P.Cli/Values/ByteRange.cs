using System.Globalization;

namespace P2P.Cli.Values;

/// <summary>A part of a file, both ends included: <c>0-99</c> is the first 100 bytes, <c>100-</c> all from the 101st on, <c>-100</c> the last 100.</summary>
/// <param name="First">The first byte's offset; negative: so many bytes before the end, or the beginning when there are fewer.</param>
/// <param name="Last">The last byte's offset; null: to the end.</param>
internal readonly record struct ByteRange(long First, long? Last)
{
    public static bool TryParse(ReadOnlySpan<char> text, out ByteRange range)
    {
        range = default;
        int dash = text.IndexOf('-');
        if (dash == 0 && TryParseNumber(text[1..], out long tail) && tail > 0)
        {
            range = new(-tail, null);
            return true;
        }

        if (dash < 1 || !TryParseNumber(text[..dash], out long first))
            return false;
        if (dash == text.Length - 1)
        {
            range = new(first, null);
            return true;
        }

        if (!TryParseNumber(text[(dash + 1)..], out long last) || last < first)
            return false;
        range = new(first, last);
        return true;
    }

    /// <summary>The same range of a file of this length, counted from its beginning.</summary>
    public ByteRange Of(long length) => First < 0 ? new(Math.Max(0, length + First), null) : this;

    /// <summary>How many bytes of a file of this length it covers, counted from its beginning.</summary>
    public long CountOf(long length) => First >= length ? 0 : Math.Min(Last ?? long.MaxValue - 1, length - 1) - First + 1;

    private static bool TryParseNumber(ReadOnlySpan<char> text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
