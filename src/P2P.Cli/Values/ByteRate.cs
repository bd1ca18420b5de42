using System.Globalization;

namespace P2P.Cli.Values;

/// <summary>Bytes a second.</summary>
internal static class ByteRate
{
    /// <summary>Reads a size a second: <c>10MB</c>, <c>10 MB/s</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytesPerSecond)
    {
        text = text.Trim();
        if (text.EndsWith("/s", StringComparison.OrdinalIgnoreCase))
            text = text[..^2];
        return ByteSize.TryParse(text, out bytesPerSecond);
    }

    /// <summary>Whole units, because the digits behind them jump: <c>118 MB/s</c>, <c>1.8 MB/s</c>, <c>640 kB/s</c>.</summary>
    public static string Format(double bytesPerSecond)
    {
        (double divisor, string unit) = bytesPerSecond switch
        {
            >= 999.5e6 => (1e9, "GB/s"),
            >= 999.5e3 => (1e6, "MB/s"),
            >= 999.5 => (1e3, "kB/s"),
            _ => (1.0, "B/s"),
        };
        double value = bytesPerSecond / divisor;
        return value.ToString(divisor > 1 && value < 9.95 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + unit;
    }
}
