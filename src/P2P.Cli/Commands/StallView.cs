using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Says why a read waits: from five seconds on, every five seconds, as the library reports it.</summary>
/// <param name="context">Where to.</param>
/// <remarks>Reports come on any thread; events are written from the command's own flow, so they wait for <see cref="Update"/>.</remarks>
internal sealed class StallView(CommandContext context) : IProgress<StallReason>
{
    private StallReason? _last;
    private bool _any;

    public void Report(StallReason value)
    {
        if (context.Events is not null)
        {
            Volatile.Write(ref _last, value);
            return;
        }

        context.Screen.Line($"Nothing received for {Duration.Format(value.Duration)}{(value.Attempts.Count > 0 && !_any ? ":" : "")}");
        if (!_any && value.Attempts.Count > 0)
        {
            foreach (string line in FetchView.Lines(value.Attempts))
                context.Screen.Line(line);
        }

        _any = true;
    }

    /// <summary>Writes what was reported since, with <c>--json</c>.</summary>
    public void Update()
    {
        if (context.Events is { } events && Interlocked.Exchange(ref _last, null) is { } stall)
            events.Write(new StalledEvent(Math.Round(stall.Duration.TotalSeconds, 1), [.. stall.Attempts.Select(attempt => new StalledAttempt(attempt.Address, attempt.Error))]));
    }

    /// <summary>How long to wait and whom to tell.</summary>
    public ReadOptions Options()
    {
        var options = new ReadOptions { Stalled = this };
        return context.Settings.Timeout is { } timeout ? options with { StallTimeout = timeout } : options;
    }

    /// <summary>Whether this failure says that nothing came for too long, so that waiting longer may help.</summary>
    public static bool IsTimeout(P2PException failure) => failure.Code is P2PErrorCode.NotFound or P2PErrorCode.Unreachable && failure.IsTransient;

    /// <summary>The same failure with what the user can do.</summary>
    public static P2PException Explain(P2PException failure) =>
        new(failure.Code, failure.Message.TrimEnd() + " Wait longer with --timeout 1d.", failure) { Attempts = failure.Attempts, IsTransient = true };
}
