using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Shows one fetch: a bar and, when nothing moves, the reason; or the events for scripts.</summary>
internal sealed class FetchView(CommandContext context, string name, string target, string? renamedFrom)
{
    private static readonly TimeSpan s_stallAfter = TimeSpan.FromSeconds(5);   // shown after, and refreshed every
    private static readonly TimeSpan s_plainPace = TimeSpan.FromSeconds(10);   // without a terminal: a line now and then

    private static readonly TimeSpan s_rateKnown = TimeSpan.FromSeconds(2);    // a rate of the first moment promises hours or seconds

    private TransferProgress _shown;
    private long? _movingSince;
    private bool _any;
    private long _reused = -1; // bytes
    private bool _resumedTold;
    private TimeSpan _stallShown;
    private long _lastPlain;

    /// <summary>What an interrupted fetch leaves.</summary>
    public static string Kept(TransferProgress progress) => progress.VerifiedBytes == 0
        ? "Stopped before anything was verified. The same command tries again."
        : $"Kept {ByteSize.Format(progress.VerifiedBytes)}, verified. The same command goes on from there.";

    public void Begin()
    {
        _lastPlain = context.Host.Time.GetTimestamp();
        context.Screen.Line($"{SafeText.Clean(name)} -> {context.Display(target)}");
    }

    /// <summary>Shows the state, if it is new; called four times a second.</summary>
    public void Update(TransferProgress now)
    {
        TellResumed(now);
        if (now.VerifiedBytes > now.ReusedBytes)
            _movingSince ??= context.Host.Time.GetTimestamp();
        if (_movingSince is not { } since || context.Host.Time.GetElapsedTime(since) < s_rateKnown)
            now = now with { Remaining = null };
        if (now.Stall is { } stall && stall.Duration >= s_stallAfter)
        {
            ShowStall(now, stall);
            return;
        }

        _stallShown = default;
        if (_any && now.VerifiedBytes == _shown.VerifiedBytes && now.TotalBytes == _shown.TotalBytes && now.Peers == _shown.Peers && context.Events is not null)
            return;
        bool isFirst = !_any;
        (_any, _shown) = (true, now);
        if (context.Events is { } events)
        {
            if (!isFirst || now.TotalBytes is not null || now.Peers > 0)
                events.Write(ToEvent(now));
        }
        else if (context.Screen.IsTerminal)
        {
            context.Screen.Live(Bar(now, ProgressBar.Render));
        }
        else if (context.Host.Time.GetElapsedTime(_lastPlain) >= s_plainPace)
        {
            _lastPlain = context.Host.Time.GetTimestamp();
            context.Screen.Line(Bar(now, ProgressBar.RenderPlain));
        }
    }

    public void Done(FetchResult result)
    {
        context.Screen.EndLive();
        if (!result.AlreadyThere && (context.Events is not null || result.BytesByPeer.Count > 0))
            TellResumed(result.BytesReused);
        if (context.Events is { } events)
        {
            if (renamedFrom is not null)
                events.Write(new RenamedEvent(renamedFrom, name));
            foreach (RenamedEntry renamed in result.Renamed)
                events.Write(new RenamedEvent(renamed.From, renamed.To));
            if (MoreRenamed(result) is { } untold)
                events.Write(new WarningEvent("renamed", untold));
            var from = new SortedDictionary<string, long>(StringComparer.Ordinal);
            foreach ((PeerId peer, long bytes) in result.BytesByPeer)
                from[$"{peer}"] = bytes;
            events.Write(new DoneEvent(result.Path, result.Root.ToString(), result.Bytes, result.BytesReused, result.Files, Math.Round(result.Elapsed.TotalSeconds, 3), from));
            return;
        }

        foreach (RenamedEntry renamed in result.Renamed)
            context.Screen.Line(SafeText.Clean(renamed.To.Length > 0
                ? $"Renamed {renamed.From} to {renamed.To}: this system cannot hold the name."
                : $"Left out {renamed.From}: a link that leads out of the folder, or that this system cannot hold."));
        if (MoreRenamed(result) is { } more)
            context.Screen.Important(more);
        string what = context.Display(result.Path);
        if (result.AlreadyThere)
        {
            context.Screen.Line($"{what} is already here with the same content; nothing was transferred.");
            return;
        }

        long fetched = result.BytesByPeer.Values.Sum();
        string rate = result.Elapsed.TotalSeconds > 0.05 && fetched > 0 ? $", {ByteRate.Format(fetched / result.Elapsed.TotalSeconds)}" : "";
        string peers = " from " + (result.BytesByPeer.Count > 0 ? ProgressBar.Count(result.BytesByPeer.Count, "peer") : "what was here already");
        string files = result.Files > 1 ? $" in {result.Files} files" : "";
        context.Screen.Line($"{what}  {ByteSize.Format(result.Bytes)}{files}, verified, in {Duration.FormatElapsed(result.Elapsed)}{rate}{peers}");
    }

    /// <summary>The attempts behind a failure, if they were not shown as a stall just before.</summary>
    public void Failed(P2PException failure)
    {
        context.Screen.EndLive();
        if (_stallShown == default && failure.Attempts.Count > 0 && context.Events is null)
        {
            foreach (string line in Lines(failure.Attempts))
                context.Screen.Line(line);
        }
    }

    private static string? MoreRenamed(FetchResult result) => result.RenamedCount > result.Renamed.Count
        ? $"{result.RenamedCount - result.Renamed.Count} more names that this system cannot hold were changed too." : null;

    /// <summary>Tells once what an earlier try left: when new bytes come and no more of the old ones are found, because both go on at once.</summary>
    private void TellResumed(TransferProgress now)
    {
        bool isSettled = now.ReusedBytes == _reused;
        _reused = now.ReusedBytes;
        if (isSettled && now.VerifiedBytes > now.ReusedBytes)
            TellResumed(now.ReusedBytes);
    }

    private void TellResumed(long bytes)
    {
        if (_resumedTold || bytes == 0)
            return;
        _resumedTold = true;
        if (context.Events is { } events)
            events.Write(new ResumedEvent(bytes));
        else
            context.Screen.Line($"Going on from {ByteSize.Format(bytes)} that was here already, verified again.");
    }

    private void ShowStall(TransferProgress now, StallReason stall)
    {
        if (_stallShown != default && stall.Duration - _stallShown < s_stallAfter && stall.Duration >= _stallShown)
            return;
        bool isFirst = _stallShown == default;
        _stallShown = stall.Duration;
        if (context.Events is { } events)
        {
            events.Write(new StalledEvent(Math.Round(stall.Duration.TotalSeconds, 1), [.. stall.Attempts.Select(attempt => new StalledAttempt(attempt.Address, attempt.Error))]));
            return;
        }

        var lines = new List<string> { $"Nothing received for {Duration.Format(stall.Duration)}:" };
        lines.AddRange(stall.Attempts.Count > 0 ? Lines(stall.Attempts) : ["  waiting for " + ProgressBar.Count(now.Peers, "peer")]);
        if (context.Screen.IsTerminal)
        {
            context.Screen.Live([Bar(now with { Remaining = null }, ProgressBar.Render), .. lines]);
        }
        else
        {
            foreach (string line in isFirst ? lines : lines[..1])
                context.Screen.Line(line);
        }
    }

    /// <summary>What was tried, a line each.</summary>
    internal static IEnumerable<string> Lines(IReadOnlyList<DialAttempt> attempts)
    {
        const int AttemptsMax = 12;
        int column = Math.Clamp(attempts.Max(attempt => SafeText.Columns(SafeText.Clean(attempt.Address))), 12, 44);
        DialAttempt[] all = [.. attempts.DistinctBy(static attempt => (attempt.Address, attempt.Error))]; // tried again, with the same end
        foreach (DialAttempt attempt in all.Take(AttemptsMax))
        {
            string address = SafeText.Fit(SafeText.Clean(attempt.Address), column);
            yield return $"  {address}{new string(' ', column - SafeText.Columns(address))}   {SafeText.Clean(attempt.Error)}";
        }

        if (all.Length > AttemptsMax)
            yield return $"  and {all.Length - AttemptsMax} more";
    }

    private static string Bar(TransferProgress now, Func<long, long?, double?, TimeSpan?, int?, string> render) =>
        now.TotalBytes is null && now.VerifiedBytes == 0
            ? now.Peers == 0 ? "Looking for a peer who has it" : "Asking " + ProgressBar.Count(now.Peers, "peer")
            : render(now.VerifiedBytes, now.TotalBytes, now.BytesPerSecond >= 1 || now.Peers > 0 ? now.BytesPerSecond : null, now.Remaining, now.Peers);

    private static ProgressEvent ToEvent(TransferProgress now) => new(now.VerifiedBytes, now.TotalBytes, (long)Math.Round(now.BytesPerSecond), now.Peers);
}
