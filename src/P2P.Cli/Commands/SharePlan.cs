using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>What <c>share --dry-run</c> does: shows what would be shared. Touches no data folder.</summary>
internal static class SharePlan
{
    private const int Shown = 10;

    public static async Task<int> RunAsync(CommandContext context, string[] paths, ShareOptions options)
    {
        var progress = new LatestProgress<ImportProgress>();
        string[] full = [.. paths.Select(path => Path.GetFullPath(path, context.Host.CurrentDirectory))];
        Task<SharePreview> work = Task.Run(() => P2PNode.PreviewShareAsync(full, options, progress, context.Stopping), CancellationToken.None);
        var view = new ImportView(context, Path.GetFileName(full[0]), progress, hasEvents: true);
        SharePreview preview;
        try
        {
            await Ticker.WatchAsync(work, view.Update, context.Host.Time, context.Stopping);
            preview = await work;
            view.End(preview.Bytes, preview.Bytes);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException("Stopped before all of it was looked at; nothing was shared.");
        }
        finally
        {
            context.Screen.EndLive();
        }

        if (context.Events is { } events)
        {
            events.Write(new PlanEvent(
                options.Private ? null : preview.Root.ToString(), preview.Name, preview.Bytes, preview.Blocks, preview.Files, preview.ExcludedCount, preview.Excluded, preview.Unreadable, preview.Skipped));
            return ExitCodes.Done;
        }

        context.Screen.Line($"{SafeText.Clean(preview.Name)}  {ProgressBar.Count(preview.Files, "file")}, {ByteSize.Format(preview.Bytes)}; nothing is shared (--dry-run)");
        List(context, "Left out by --exclude", preview.Excluded, preview.ExcludedCount);
        List(context, "No file, folder or link, left out", preview.Skipped, preview.Skipped.Count);
        List(context, options.ContinueOnUnreadable ? "Unreadable, left out" : "Unreadable: share refuses without --skip-unreadable", preview.Unreadable, preview.Unreadable.Count);
        if (options.Private)
            context.Screen.Line("The content id follows from a key that is made when it is shared.");
        else
            context.Data(preview.Root.ToString());
        return ExitCodes.Done;
    }

    private static void List(CommandContext context, string title, IReadOnlyList<string> entries, int count)
    {
        if (count == 0)
            return;
        context.Screen.Line($"{title} ({count}):");
        foreach (string entry in entries.Take(Shown))
            context.Screen.Line("  " + SafeText.Clean(entry));
        if (count > Shown)
            context.Screen.Line($"  and {count - Math.Min(Shown, entries.Count)} more");
    }
}
