using System.CommandLine;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p lan</c>: the peers of this network and what they share on it.</summary>
internal sealed class LanCommand : ToolCommand
{
    private readonly Option<bool> _watch = Flag("--watch", "go on until Ctrl-C and show what changes");

    public LanCommand()
        : base("lan", "Lists the peers on this network and what they share on it with \"share --lan\".")
    {
        Add(_watch);
    }

    public override string Synopsis => "[--watch]";

    public override string Notes => """
        Listens for 3 seconds. Names are what the peers say; the content id is what counts, and the peer id says who it is. "p2p fetch lan:NAME" fetches what is listed here.
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        bool watch = context.Parse.GetValue(_watch);
        LanView.Require(context);
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: true);
        var view = new LanView(context);
        if (!watch)
        {
            await view.ListenAsync(session.Node);
            if (context.Events is null)
                view.ShowAll();
            return ExitCodes.Done;
        }

        try
        {
            await foreach (LanChange change in LanView.Changes(context, session.Node, context.Stopping))
                view.Show(change);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            // its normal end
        }

        return ExitCodes.Done;
    }
}
