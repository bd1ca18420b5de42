using System.Globalization;

namespace P2P.Cli.Values;

/// <summary>Times as people type and read them: <c>30s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>.</summary>
internal static class Duration
{
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        text = text.Trim();
        if (text.Length < 2 || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            return false;
        long seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => 0 };
        if (seconds == 0 || number > 36_500 * 86_400L / seconds)
            return false; // a hundred years is a mistake
        duration = TimeSpan.FromSeconds(number * seconds);
        return true;
    }

    /// <summary>The whole of it as the settings take it: <c>7d</c>, <c>90s</c>, <c>00:00:00.5000000</c>.</summary>
    public static string FormatExact(TimeSpan duration)
    {
        if (duration.Ticks % TimeSpan.TicksPerSecond != 0)
            return duration.ToString("c", CultureInfo.InvariantCulture);
        long seconds = duration.Ticks / TimeSpan.TicksPerSecond;
        (long size, char unit) = seconds == 0 ? (1, 's') : seconds % 86_400 == 0 ? (86_400, 'd') : seconds % 3_600 == 0 ? (3_600, 'h') : seconds % 60 == 0 ? (60, 'm') : (1L, 's');
        return string.Create(CultureInfo.InvariantCulture, $"{seconds / size}{unit}");
    }

    /// <summary>One or two units: <c>25 s</c>, <c>3 min 20 s</c>, <c>2 h 5 min</c>, <c>4 d 1 h</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        long seconds = (long)Math.Ceiling(Math.Max(0, duration.TotalSeconds));
        return seconds switch
        {
            < 60 => $"{seconds} s",
            < 3_600 => Two(seconds / 60, "min", seconds % 60, "s"),
            < 86_400 => Two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
            _ => Two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
        };
    }

    /// <summary>How long something took: <c>3.1 s</c>, and from a minute on as <see cref="Format"/>.</summary>
    public static string FormatElapsed(TimeSpan elapsed) => elapsed.TotalSeconds < 60
        ? elapsed.TotalSeconds.ToString(elapsed.TotalSeconds < 0.095 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + " s"
        : Format(elapsed);

    private static string Two(long big, string bigUnit, long small, string smallUnit) =>
        small == 0 ? $"{big} {bigUnit}" : $"{big} {bigUnit} {small} {smallUnit}";
}
