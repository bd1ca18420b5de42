using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p renew</c>: others keep their copies of a share of this folder longer.</summary>
internal sealed class RenewCommand : ToolCommand
{
    private readonly LinkInput _link = new();

    public RenewCommand()
        : base("renew", "Has others keep their copies of a share of this data folder longer, and makes good what is missing.") => _link.AddTo(this);

    public override string Synopsis => "LINK [OPTION]...";

    public override string Notes => $"""
        Copies are kept for 7 days (replication.lease). A node that runs renews them by itself at half of that; this command is for one that does not run.

        {LinkInput.Note}
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        (ShareLink link, _) = _link.Read(context, pathsMax: 0);
        CopiesView.Require(context);
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        CopiesView.Require(context, session.Node);
        HealthReport health = await session.Node.RenewReplicasAsync(link, context.Stopping);
        if (context.Events is { } events)
            events.Write(CopiesView.ToReplicated(health));
        else
            context.Data($"{CopiesView.Describe(health)}{CopiesView.Refused(health)}. {CopiesView.Kept(health)}.");
        if (CopiesView.Warning(health) is { } warning)
            context.Warn("few_copies", $"{warning}.");
        return ExitCodes.Done;
    }
}
