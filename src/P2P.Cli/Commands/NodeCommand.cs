using P2P.Cli.Control;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p node</c>: a node that runs until it is told to end.</summary>
internal sealed class NodeCommand() : ToolCommand(SharedNode.NodeCommand, "Runs this node until Ctrl-C: serves what is shared and answers for the network.")
{
    public override string Synopsis => "[OPTION]...";

    public override string Notes => """
        While it runs, other commands on the same data folder use it: "p2p share" gives it something to serve and ends at once, "p2p status" and "p2p peers" show what it does.

        A peer of the network must be known to enter it: name one with --peer the first time; it and others are remembered.
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        if (context.Host.Attachment is { Shared.Stays: true })
            throw new P2PException(P2PErrorCode.InUse, $"A node runs on this folder already (process {Environment.ProcessId}). \"p2p status\" shows what it does.");
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: true, mayStandBeside: false);
        P2PNode node = session.Node;
        string[] addresses = [.. node.Status.Addresses.Select(address => address.ToString())];
        context.Events?.Write(new ReadyEvent($"{node.Id}", addresses));
        context.Screen.Line($"{(session.IsNew ? "New node" : "Node")} {node.Id}");
        context.Screen.Line($"Kept in    {context.DisplayOwn(session.Folder)}");
        foreach (string address in addresses)
            context.Screen.Line($"{(address == addresses[0] ? "Listening" : ""),-11}{address}");
        NodeStatus last = await new ServingView(context, node).RunAsync();
        context.Screen.Line($"Stopped; {ServingView.Sent(last)}.");
        return ExitCodes.Done;
    }
}
