using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Shows a verification: a bar, a line for each finding and what it all means; or events.</summary>
internal sealed class FindingsView(CommandContext context) : IProgress<VerifyProgress>
{
    private const int AffectedMax = 20; // names that are listed at the end

    private readonly RateMeter _rate = new(context.Host.Time);
    private readonly HashSet<string> _affected = new(StringComparer.Ordinal);
    private long _lost;
    private int _leftovers;

    /// <summary>How far it got.</summary>
    public VerifyProgress Last { get; private set; }

    /// <summary>Places that are not right.</summary>
    public long Damaged { get; private set; }

    public static string NameOf(FindingKind kind) => kind switch
    {
        FindingKind.Block => "block",
        FindingKind.Source => "source",
        FindingKind.MissingSource => "missing_source",
        FindingKind.Lost => "lost",
        FindingKind.Index => "index",
        _ => "leftover",
    };

    // called where the findings are read, so nothing here needs a lock
    public void Report(VerifyProgress value)
    {
        Last = value;
        double rate = _rate.Add(value.Bytes);
        long total = Math.Max(value.TotalBytes, value.Bytes);
        TimeSpan? left = rate > 0 ? TimeSpan.FromSeconds((total - value.Bytes) / rate) : null;
        context.Screen.Live("Verifying", ProgressBar.Render(value.Bytes, total, rate, left, null));
    }

    public void Show(StoreFinding finding)
    {
        string? cid = finding.Cid.IsEmpty ? null : finding.Cid.ToString();
        if (!finding.IsDamage)
        {
            _leftovers++;
            if (context.Events is null)
                context.Screen.Line($"{context.Display(finding.Path)}: left over, {SafeText.Clean(finding.Detail)}");
            return;
        }

        Damaged++;
        _lost += finding.IsLost ? 1 : 0;
        _affected.UnionWith(finding.Affects);
        if (context.Events is { } events)
        {
            events.Write(new DamageEvent(finding.Path, cid, finding.Offset, NameOf(finding.Kind), finding.IsLost, finding.Affects));
            return;
        }

        string where = finding.Offset is { } offset ? $", from byte {offset}" : "";
        context.Data(SafeText.Clean(finding.Kind switch
        {
            FindingKind.Block => $"{finding.Path}{where}: block {cid} is damaged",
            FindingKind.Source => $"{finding.Path}{where}: not what was shared (block {cid})",
            FindingKind.MissingSource => $"{finding.Path}: shared, but not there or not readable",
            FindingKind.Lost => $"block {cid} is lost",
            _ => $"{finding.Path}: the index is damaged ({finding.Detail})",
        }) + (finding.IsLost ? "; there is no other copy here" : ""));
    }

    public void End(TimeSpan elapsed)
    {
        context.Screen.EndLive();
        if (context.Events is { } events)
        {
            events.Write(new VerifiedEvent(Last.Blocks, Last.Bytes, Damaged, _lost, _leftovers, Math.Round(elapsed.TotalSeconds, 3)));
            return;
        }

        string read = $"{ByteSize.Format(Last.Bytes)} in {Last.Blocks} blocks, read in {Duration.FormatElapsed(elapsed)}";
        context.Screen.Line(Damaged == 0 ? $"All is well: {read}." : $"{ProgressBar.Count(Damaged, "damaged place")}, {_lost} without another copy here: {read}.");
        if (_affected.Count > 0)
            context.Screen.Line($"Affected: {SafeText.Clean(string.Join(", ", _affected.Order(StringComparer.Ordinal).Take(AffectedMax)))}{(_affected.Count > AffectedMax ? $" and {_affected.Count - AffectedMax} more" : "")}");
        if (Damaged > 0)
            context.Screen.Line("p2p store repair mends what it can.");
        if (_leftovers > 0)
            context.Screen.Line($"{ProgressBar.Count(_leftovers, "file")} left over; p2p gc removes them.");
    }
}
