using System.Globalization;

namespace P2P.Cli.Values;

/// <summary>Sizes as people type and read them: kB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB powers of 1024.</summary>
internal static class ByteSize
{
    private static readonly (string Unit, long Bytes)[] s_units =
    [
        ("B", 1),
        ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
    ];

    /// <summary>Reads <c>1500</c>, <c>10 GiB</c>, <c>1.5MB</c>; units in any case.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        int digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.'))
            digits++;
        if (!decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
            return false;

        ReadOnlySpan<char> unit = text[digits..].TrimStart();
        long factor = unit.IsEmpty ? 1 : 0;
        foreach ((string name, long size) in s_units)
        {
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase))
                factor = size;
        }

        if (factor == 0 || number > long.MaxValue / (decimal)factor)
            return false;
        decimal exact = number * factor;
        if (exact != decimal.Truncate(exact))
            return false; // half a byte
        bytes = (long)exact;
        return true;
    }

    /// <summary>Three digits and a unit with powers of 1000: <c>4.70 GB</c>, <c>118 MB</c>, <c>812 bytes</c>.</summary>
    public static string Format(long bytes)
    {
        (double value, string unit) = Scale(bytes);
        return unit.Length == 0 ? (bytes == 1 ? "1 byte" : $"{bytes} bytes") : $"{Digits(value)} {unit}";
    }

    /// <summary>All of the digits, in the unit that needs the fewest: <c>10GiB</c>, <c>1500</c>. <see cref="TryParse"/> reads it back.</summary>
    public static string FormatExact(long bytes)
    {
        (string unit, long size) = bytes == 0 ? s_units[0] : s_units.Where(one => bytes % one.Bytes == 0).MaxBy(one => one.Bytes);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / size}{(size == 1 ? "" : unit)}");
    }

    /// <summary>How much of how much in the unit of the whole: <c>1.79 of 4.70 GB</c>.</summary>
    public static string FormatPart(long part, long whole)
    {
        (double value, string unit) = Scale(whole);
        return unit.Length == 0
            ? $"{part} of {Format(whole)}"
            : $"{Digits(part / (whole / value), value)} of {Digits(value)} {unit}";
    }

    private static (double Value, string Unit) Scale(long bytes)
    {
        // 999.5 kB would print as "1000 kB": the next unit takes over there.
        for (int i = 4; i >= 1; i--)
        {
            if (bytes >= 0.9995 * s_units[i].Bytes && bytes >= 1000)
                return ((double)bytes / s_units[i].Bytes, s_units[i].Unit);
        }

        return (bytes, "");
    }

    private static string Digits(double value) => Digits(value, value);

    private static string Digits(double value, double magnitude) =>
        value.ToString(magnitude < 9.995 ? "0.00" : magnitude < 99.95 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
