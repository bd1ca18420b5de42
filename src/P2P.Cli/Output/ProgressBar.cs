using System.Globalization;
using P2P.Cli.Values;

namespace P2P.Cli.Output;

/// <summary>One line that says how far something is: <c> 38% ━━━━━──────── 1.79 of 4.70 GB  118 MB/s  25 s left  1 peer</c>.</summary>
internal static class ProgressBar
{
    private const int BarColumnsMax = 23;
    private const int BarColumnsMin = 8;
    private const int LineColumns = 79;

    /// <summary>The line for a terminal.</summary>
    public static string Render(long done, long? total, double? rate, TimeSpan? remaining, int? peers)
    {
        if (total is not { } whole)
            return $"      {Facts(done, total, rate, remaining, peers)}";
        double part = whole == 0 ? 1 : Math.Clamp((double)done / whole, 0, 1);
        string facts = Facts(done, total, rate, remaining, peers);
        int bar = Math.Clamp(LineColumns - "100%  ".Length - facts.Length, BarColumnsMin, BarColumnsMax);
        int filled = (int)(part * bar);
        return $"{Percent(part),4} {new string('━', filled)}{new string('─', bar - filled)} {facts}";
    }

    /// <summary>The same without the bar, for a log.</summary>
    public static string RenderPlain(long done, long? total, double? rate, TimeSpan? remaining, int? peers)
    {
        string percent = total is { } whole ? Percent(whole == 0 ? 1 : Math.Clamp((double)done / whole, 0, 1)) + "  " : "";
        return percent + Facts(done, total, rate, remaining, peers);
    }

    /// <summary><c>1 peer</c>, <c>3 peers</c>.</summary>
    public static string Count(long number, string noun) => number == 1 ? $"1 {noun}" : $"{number.ToString(CultureInfo.InvariantCulture)} {noun}s";

    // 100 % only when every byte is there.
    private static string Percent(double part) => ((int)(part * 100)).ToString(CultureInfo.InvariantCulture) + "%";

    private static string Facts(long done, long? total, double? rate, TimeSpan? remaining, int? peers)
    {
        var facts = new List<string>(4) { total is { } whole ? ByteSize.FormatPart(done, whole) : ByteSize.Format(done) };
        if (rate is { } bytesPerSecond)
            facts.Add(ByteRate.Format(bytesPerSecond));
        if (remaining is { } time && time < TimeSpan.FromDays(100))
            facts.Add(Duration.Format(time) + " left");
        if (peers is { } count)
            facts.Add(Count(count, "peer"));
        return string.Join("  ", facts);
    }
}
