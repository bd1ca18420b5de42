using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Shows how far hashing is: a bar on a terminal, <c>import</c> events for scripts.</summary>
internal sealed class ImportView(CommandContext context, string name, LatestProgress<ImportProgress> progress, bool hasEvents)
{
    private readonly RateMeter _rate = new(context.Host.Time);
    private ImportProgress? _shown;

    /// <summary>Shows the last report, if it is new.</summary>
    public void Update()
    {
        if (progress.Value is not { } now || now == _shown)
            return;
        _shown = now;
        if (hasEvents && context.Events is { } events)
        {
            events.Write(new ImportEvent(now.Bytes, now.TotalBytes));
            return;
        }

        double rate = _rate.Add(now.Bytes);
        TimeSpan? left = rate > 0 && now.TotalBytes is { } total ? TimeSpan.FromSeconds((total - now.Bytes) / rate) : null;
        context.Screen.Live($"Hashing {SafeText.Fit(SafeText.Clean(name), 60)}", ProgressBar.Render(now.Bytes, now.TotalBytes, rate, left, null));
    }

    /// <summary>The last state, for scripts: an import of any size has at least one event.</summary>
    public void End(long bytes, long total)
    {
        context.Screen.EndLive();
        if (hasEvents && context.Events is { } events && (_shown is not { } shown || shown.Bytes != bytes || shown.TotalBytes != total))
            events.Write(new ImportEvent(bytes, total));
    }
}
