using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p doctor</c>: whether others reach this node, what is in the way, and what to do.</summary>
internal sealed class DoctorCommand() : ToolCommand("doctor", "Finds out whether others reach this node, what is in the way, and what to do; exit 1 when something needs doing.")
{
    private const int SubjectColumns = 11, StateColumns = 6;

    public override string Synopsis => "[OPTION]...";

    public override string Notes => """
        It waits for the router's answer, has up to three peers outside dial the addresses that may work, and looks whether multicast gets through on the local network: up to 15 seconds. Peers outside are those that the node is connected with; name one with --peer when there is none.

        A node that runs on this data folder is the one that is looked at.
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: true, mayStandBeside: false);
        P2PNode node = session.Node;
        ReachabilityReport report = await DiagnoseAsync(context, node);
        StoreUsage usage = await node.Store.GetUsageAsync(context.Stopping);
        List<ReachabilityCheck> checks =
        [
            new("Identity", CheckState.Ok, $"{node.Id}"),
            new("Store", CheckState.Ok, $"{context.DisplayOwn(session.Folder)}, {ByteSize.Format(usage.OwnedBytes + usage.DatabaseBytes)}{(usage.FreeDiskBytes is { } free ? $", {ByteSize.Format(free)} free" : "")}"),
            .. report.Checks,
        ];
        List<string> advice = [.. report.Advice];
        if (usage.LostBlocks > 0)
        {
            checks[1] = checks[1] with { State = CheckState.Failed, Text = $"{checks[1].Text}; {ProgressBar.Count((int)Math.Min(usage.LostBlocks, int.MaxValue), "block")} lost" };
            advice.Add("Mend the store: p2p store repair");
        }

        bool isWell = report.IsWell && usage.LostBlocks == 0;
        if (context.Events is { } events)
        {
            events.Write(new DoctorEvent(
                isWell,
                NameOf(report.Internet),
                [.. checks.Select(check => new DoctorCheck(check.Subject, NameOf(check.State), check.Text))],
                advice,
                [.. report.Mappings.Select(mapping => new DoctorMapping(NameOf(mapping.Protocol), mapping.Router, $"{mapping.External}", mapping.InternalPort, mapping.Lifetime.TotalSeconds))],
                report.SeenAt,
                [.. report.Tested.Select(tested => new DoctorTested($"{tested.Address}", NameOf(tested.Reachability), tested.Peers))]));
            return isWell ? ExitCodes.Done : ExitCodes.Failed;
        }

        Show(context, checks);
        if (report.Internet == Reachability.Unreachable)
            advice.Add("Until then others can fetch from you on this network, and through holders: p2p share FILE --replicas 3");
        for (int i = 0; i < advice.Count; i++)
            ShowLines(context, i == 0 ? "What to do: " : "            ", "            ", advice[i]);
        return isWell ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task<ReachabilityReport> DiagnoseAsync(CommandContext context, P2PNode node)
    {
        Task<ReachabilityReport> work = node.DiagnoseAsync(context.Stopping);
        try
        {
            await Ticker.WatchAsync(work, () => context.Screen.Live("Asking the router, and peers outside to dial..."), context.Host.Time, context.Stopping);
            return await work;
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private static void Show(CommandContext context, List<ReachabilityCheck> checks)
    {
        string indent = new(' ', SubjectColumns + StateColumns);
        foreach (ReachabilityCheck check in checks)
            ShowLines(context, $"{check.Subject,-SubjectColumns}{Mark(check.State),-StateColumns}", indent, SafeText.Clean(check.Text));
    }

    private static void ShowLines(CommandContext context, string head, string indent, string text)
    {
        string before = head;
        foreach (string line in Screen.Wrap(text, Math.Max(20, context.Host.Width() - indent.Length - 1)))
        {
            context.Data(before + line);
            before = indent;
        }
    }

    private static string Mark(CheckState state) => state switch
    {
        CheckState.Ok => "ok",
        CheckState.Failed => "FAIL",
        _ => "?",
    };

    private static string NameOf(CheckState state) => state switch
    {
        CheckState.Ok => "ok",
        CheckState.Failed => "failed",
        _ => "unknown",
    };

    internal static string NameOf(Reachability reachability) => reachability switch
    {
        Reachability.Reachable => "reachable",
        Reachability.Unreachable => "unreachable",
        _ => "unknown",
    };

    /// <summary>The name by which people know a protocol.</summary>
    internal static string TitleOf(MappingProtocol protocol) => protocol == MappingProtocol.Upnp ? "UPnP" : NameOf(protocol).ToUpperInvariant();

    internal static string NameOf(MappingProtocol protocol) => protocol switch
    {
        MappingProtocol.Pcp => "pcp",
        MappingProtocol.NatPmp => "nat-pmp",
        _ => "upnp",
    };
}
