using System.CommandLine;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p health</c>: how many copies of a share others keep.</summary>
internal sealed class HealthCommand : ToolCommand
{
    private readonly LinkInput _link = new();
    private readonly Option<string> _timeout = TimeoutOption();

    public HealthCommand()
        : base("health", "Shows how many copies of a share others keep now, and until when.")
    {
        _link.AddTo(this);
        Add(_timeout);
    }

    public override string Synopsis => "LINK [OPTION]...";

    public override string Notes => $"""
        Of a share of this data folder, each node that keeps a copy has to prove that it can get a block of it now. Of another, the nodes closest to each part of it are asked what they keep, and each has to send a block. The sharer's own copy does not count.

        {LinkInput.Note}
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        (ShareLink link, _) = _link.Read(context, pathsMax: 0);
        CopiesView.Require(context);
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: true);
        CopiesView.Require(context, session.Node);
        HealthReport health = await CountAsync(context, session.Node, link);
        if (context.Events is { } events)
        {
            events.Write(CopiesView.ToHealth(health));
            return ExitCodes.Done;
        }

        context.Data(CopiesView.Describe(health));
        context.Data($"{CopiesView.Kept(health)}.");
        if (CopiesView.Warning(health) is { } warning)
            context.Warn("few_copies", $"{warning}.");
        return ExitCodes.Done;
    }

    private static async Task<HealthReport> CountAsync(CommandContext context, P2PNode node, ShareLink link)
    {
        var stall = new StallView(context);
        Task<HealthReport> work = node.GetHealthAsync(link, stall.Options(), context.Stopping);
        try
        {
            await Ticker.WatchAsync(work, stall.Update, context.Host.Time, context.Stopping);
            return await work;
        }
        catch (P2PException failure) when (StallView.IsTimeout(failure))
        {
            throw StallView.Explain(failure);
        }
    }
}
