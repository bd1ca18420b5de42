using System.CommandLine;
using System.Diagnostics;
using P2P.Cli.Output;
using P2P.Cli.Targets;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p car export</c>: what a link leads to as a CAR archive.</summary>
internal sealed class CarExportCommand : ToolCommand
{
    private readonly LinkInput _link = new();
    private readonly Option<string> _output = new("-o", "--output") { HelpName = "FILE", Description = "where to: the file to become, or a folder; - is standard output" };
    private readonly Option<bool> _overwrite = Flag("--overwrite", "replace what is there, once the archive is whole");
    private readonly Option<bool> _rename = Flag("--rename", "write beside what is there, as NAME (1).car");
    private readonly Option<string> _timeout = TimeoutOption();

    public CarExportCommand()
        : base("export", "Writes what a link leads to as a CAR archive, from this node and the network.")
    {
        _link.AddTo(this, withLan: true);
        Add(_output);
        Add(_overwrite);
        Add(_rename);
        Add(_timeout);
    }

    public override string Synopsis => "LINK [-o FILE] [OPTION]...";

    public override string Notes => """
        The archive is of version 1 and holds every block once, depth first in the order of the links, so that other tools of IPFS read it. Without -o it is written to the current folder under the name in the link, with .car behind it.


        """ + LinkInput.LanNote + "\n\n" + LinkInput.Note;

    public override async Task<int> RunAsync(CommandContext context)
    {
        if (context.Parse.GetValue(_overwrite) && context.Parse.GetValue(_rename))
            throw new UsageException("--overwrite and --rename contradict each other.");
        (GivenLink given, _) = _link.ReadGiven(context, pathsMax: 0);
        string? output = context.Parse.GetValue(_output);
        if (output == "-")
            context.RefuseJson("-o -");
        string? target = output == "-" || given.Link is null ? null : TargetOf(context, given.Link, output);

        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        ShareLink link = await given.FindAsync(context, session.Node);
        if (output != "-")
            target ??= TargetOf(context, link, output);
        var stall = new StallView(context);
        var progress = new LatestProgress<long>();
        ReadOptions patience = stall.Options();
        var options = new CarExportOptions
        {
            IfExists = context.Parse.GetValue(_overwrite) ? IfExists.Overwrite : context.Parse.GetValue(_rename) ? IfExists.Rename : IfExists.Fail,
            StallTimeout = patience.StallTimeout,
            Stalled = stall,
            Progress = progress,
        };
        long began = Stopwatch.GetTimestamp();
        var view = new CarView(context, progress, null, written => new ProgressEvent(written, null, 0, session.Node.GetPeers().Count));
        try
        {
            Task<CarExportResult> work = target is null
                ? session.Node.Store.ExportCarAsync(link, context.Output, options, context.Stopping)
                : session.Node.Store.ExportCarAsync(link, target, options, context.Stopping);
            await view.WatchAsync(work, stall.Update);
            CarExportResult done = await work;
            await given.KeepAsync(session.Node);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(began);
            if (context.Events is { } events)
                events.Write(new CarEvent("export", done.Path, [done.Root.ToString()], done.Blocks, done.Bytes, null, Math.Round(elapsed.TotalSeconds, 3)));
            else if (done.Path is { } path)
                context.Screen.Line($"{context.Display(path)}  {ByteSize.Format(done.Bytes)}, {ProgressBar.Count(done.Blocks, "block")}, in {Duration.FormatElapsed(elapsed)}");
            return ExitCodes.Done;
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException(target is null ? "Stopped; the archive is not whole." : "Stopped; nothing was written.");
        }
        catch (P2PException failure) when (StallView.IsTimeout(failure))
        {
            throw StallView.Explain(failure);
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private static string TargetOf(CommandContext context, ShareLink link, string? output)
    {
        string name = FileNames.Sanitize((link.Path?.Split('/')[^1] ?? link.Label ?? link.Root.ToString()) + ".car", link.Root + ".car", FetchTarget.PlatformOf(context.Host.System));
        return FetchTarget.Resolve(output, name, context.Host.CurrentDirectory);
    }
}
