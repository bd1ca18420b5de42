using System.CommandLine;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p store repair</c>: mends what can be mended and says what is lost.</summary>
internal sealed class StoreRepairCommand : ToolCommand
{
    private const int LostShownMax = 20;

    private readonly Option<string> _timeout = new("--timeout") { HelpName = "T", Description = "the longest time without one new verified byte before what is missing counts as lost (default: 30s)" };

    public StoreRepairCommand()
        : base("repair", "Mends the data folder: rebuilds a damaged index, takes damaged blocks out of service and fetches them again from peers.") => Add(_timeout);

    public override string Synopsis => "[OPTION]...";

    public override string Notes => "Peers noted with a pin, those given with --peer and those connected are asked. Your own files are read and never changed. A damaged index is kept beside the new one as index.damaged-N. Exit 4 when something is lost.";

    public override FolderUse UseOf(ParseResult parse) => FolderUse.Alone;

    public override async Task<int> RunAsync(CommandContext context)
    {
        long started = context.Host.Time.GetTimestamp();
        try
        {
            RepairReport report = await RepairAsync(context, IndexRebuild.WhenDamaged);
            if (report.IsIndexDamaged)
                report = await RepairAsync(context, IndexRebuild.Always); // it could be opened, but not all of it is sound
            context.Screen.EndLive();
            Tell(context, report, context.Host.Time.GetElapsedTime(started));
            return report.LostCount > 0 || report.IsIndexDamaged || report.Incomplete.Count > 0 ? ExitCodes.Integrity : ExitCodes.Done;
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException("Stopped; what was mended stays. The same command goes on.");
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private static async Task<RepairReport> RepairAsync(CommandContext context, IndexRebuild rebuild)
    {
        context.Settings.Rooms.Storage.IndexRebuild = rebuild;
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        var progress = new LatestProgress<RepairProgress>();
        RepairOptions options = new() { StallTimeout = context.Settings.Timeout ?? new RepairOptions().StallTimeout };
        Task<RepairReport> work = session.Node.Store.RepairAsync(options, progress, context.Stopping);
        await Ticker.WatchAsync(work, () => Show(context, progress.Value ?? default), context.Host.Time, context.Stopping);
        return await work;
    }

    private static void Show(CommandContext context, RepairProgress now)
    {
        VerifyProgress verified = now.Verified;
        context.Screen.Live(now.Missing == 0 && now.Refetched == 0 ? "Verifying" : $"Fetching again: {now.Refetched} here, {now.Missing} missing", ProgressBar.Render(verified.Bytes, Math.Max(verified.TotalBytes, verified.Bytes), null, null, null));
    }

    private static void Tell(CommandContext context, RepairReport report, TimeSpan elapsed)
    {
        if (context.Events is { } events)
        {
            foreach (StoreFinding lost in report.Lost)
                events.Write(new DamageEvent(lost.Path, lost.Cid.IsEmpty ? null : lost.Cid.ToString(), lost.Offset, FindingsView.NameOf(lost.Kind), true, lost.Affects));
            events.Write(new RepairedEvent(report.WasRebuilt, report.Damaged, report.Restored, report.Refetched, report.RefetchedBytes, report.LostCount, report.Incomplete, Math.Round(elapsed.TotalSeconds, 3)));
            return;
        }

        Screen screen = context.Screen;
        if (report.WasRebuilt)
            screen.Line("The index was rebuilt; the damaged one is kept beside it as index.damaged-N.");
        if (report.Damaged == 0 && report.LostCount == 0 && report.Refetched == 0 && !report.IsIndexDamaged && report.Incomplete.Count == 0)
        {
            screen.Line("All is well: nothing else to mend.");
            return;
        }

        screen.Line($"{ProgressBar.Count(report.Damaged, "damaged place")}. Blocks here elsewhere: {report.Restored}; fetched again: {report.Refetched} ({ByteSize.Format(report.RefetchedBytes)}); lost: {report.LostCount}.");
        foreach (StoreFinding lost in report.Lost.Take(LostShownMax))
            context.Data(SafeText.Clean($"lost: block {lost.Cid} of {string.Join(", ", lost.Affects)}{(lost.Path.Length > 0 ? $", was in {lost.Path}" : "")}{(lost.Offset is { } offset ? $" from byte {offset}" : "")}"));
        if (report.LostCount > LostShownMax)
            context.Data($"and {report.LostCount - LostShownMax} more");
        foreach (string incomplete in report.Incomplete)
            context.Data(SafeText.Clean($"not as it was: {incomplete}"));
        if (report.LostCount > 0)
            screen.Line("Share the files again where you have them, or repair once more with --peer when somebody who has the content is online.");
        if (report.IsIndexDamaged)
            screen.Line("The index is damaged still: does the disk fail?");
    }
}
