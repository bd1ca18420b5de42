using System.CommandLine;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p pin add</c>: keeps all of some content in the store.</summary>
internal sealed class PinAddCommand : ToolCommand
{
    private readonly LinkInput _link = new();
    private readonly Option<string> _name = new("--name") { HelpName = "NAME", Description = "what to call it (default: the name in the link)" };
    private readonly Option<string> _timeout = new("--timeout") { HelpName = "T", Description = "the longest time without one new verified byte, e.g. 30s, 5m, 2h, 7d (default: 2m)" };

    public PinAddCommand()
        : base("add", "Keeps all of some content in the store, fetching what is missing; resumed by the same command after any break.")
    {
        _link.AddTo(this, withLan: true);
        Add(_name);
        Add(_timeout);
    }

    public override string Synopsis => "LINK [OPTION]...";

    public override string Notes => """
        What is in the store already, or in a file that is shared from here, is not copied. Pinned content is not served to others; share or fetch --seed for that.


        """ + LinkInput.LanNote + "\n\n" + LinkInput.Note;

    public override async Task<int> RunAsync(CommandContext context)
    {
        (GivenLink given, _) = _link.ReadGiven(context, pathsMax: 0);
        string? name = context.Parse.GetValue(_name);
        if (name is { Length: 0 })
            throw new UsageException("--name needs a name.");
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        ShareLink link = await given.FindAsync(context, session.Node);
        PinOptions options = new() { Name = name, StallTimeout = context.Settings.Timeout ?? new PinOptions().StallTimeout };
        var progress = new LatestProgress<TransferProgress>();
        var view = new FetchView(context, name ?? link.Label ?? link.Root.ToString(), "", renamedFrom: null);
        Task<PinnedContent> work = session.Node.Store.PinAsync(link, options, progress, context.Stopping);
        try
        {
            await Ticker.WatchAsync(work, () => view.Update(progress.Value ?? default), context.Host.Time, context.Stopping);
            Tell(context, await work);
            await given.KeepAsync(session.Node);
            return ExitCodes.Done;
        }
        catch (P2PException failure)
        {
            view.Failed(failure);
            throw;
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException(FetchView.Kept(progress.Value ?? default));
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private static void Tell(CommandContext context, PinnedContent pin)
    {
        context.Screen.EndLive();
        if (context.Events is { } events)
        {
            events.Write(PinLsCommand.ToEvent(pin) with { BytesReused = pin.BytesReused });
            return;
        }

        string here = pin.BytesReused > 0 ? $", {ByteSize.Format(pin.BytesReused)} of it were here" : "";
        context.Screen.Line($"{SafeText.Clean(pin.Name.Length > 0 ? pin.Name : pin.Root.ToString())}  {ByteSize.Format(pin.Bytes)} in {ProgressBar.Count((int)Math.Min(pin.Blocks, int.MaxValue), "block")}, kept until p2p pin rm{here}");
        context.Data(pin.Root.ToString());
    }
}
