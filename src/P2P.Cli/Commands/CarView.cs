using P2P.Cli.Output;

namespace P2P.Cli.Commands;

/// <summary>Shows how far an archive is: a bar on a terminal, events for scripts.</summary>
/// <param name="context">Where to.</param>
/// <param name="progress">Bytes of the archive so far.</param>
/// <param name="total">Its size, if it is known.</param>
/// <param name="toEvent">The event that says the same.</param>
internal sealed class CarView(CommandContext context, LatestProgress<long> progress, long? total, Func<long, JsonEvent> toEvent)
{
    private readonly RateMeter _rate = new(context.Host.Time);
    private long? _shown;

    /// <summary>Shows it until the work has ended, whatever its outcome.</summary>
    public async Task WatchAsync(Task work, Action look) => await Ticker.WatchAsync(
        work,
        () =>
        {
            look();
            Update();
        },
        context.Host.Time,
        context.Stopping);

    private void Update()
    {
        if (progress.Value is not { } now || now == _shown)
            return;
        _shown = now;
        if (context.Events is { } events)
        {
            events.Write(toEvent(now));
            return;
        }

        double rate = _rate.Add(now);
        TimeSpan? left = rate > 0 && total is { } all ? TimeSpan.FromSeconds((all - now) / rate) : null;
        context.Screen.Live(ProgressBar.Render(now, total, rate, left, null));
    }
}
