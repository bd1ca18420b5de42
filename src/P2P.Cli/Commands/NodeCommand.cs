using System.CommandLine;
using System.Globalization;
using P2P.Cli.Control;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p node</c>: a node that runs until it is told to end.</summary>
internal sealed class NodeCommand : ToolCommand
{
    private readonly Option<string> _offer = new("--offer") { HelpName = "SIZE", Description = "keep blocks for others, up to so much disk, e.g. 50GB (default: none)" };

    private readonly Option<string> _offerTo = new("--offer-to")
    {
        HelpName = "local|PEERID,..|anyone",
        Description = "for whom: sharers on this machine and its networks (local, the default), these peers besides, or anyone",
    };

    public NodeCommand()
        : base(SharedNode.NodeCommand, "Runs this node until Ctrl-C: serves what is shared and answers for the network.")
    {
        Add(_offer);
        Add(_offerTo);
    }

    public override string Synopsis => "[OPTION]...";

    public override string Notes => """
        While it runs, other commands on the same data folder use it: "p2p share" gives it something to serve and ends at once, "p2p status" and "p2p peers" show what it does.

        With --offer it keeps copies of what others share with --replicas, checks them, and makes new ones when a keeper is lost. Of strangers it takes private shares only, whose blocks it cannot read, and for all of them at most half of the offer. "p2p store stat --by-publisher" shows for whom it keeps what.

        A peer of the network must be known to enter it: name one with --peer the first time; it and others are remembered.
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        ReplicationOptions replication = context.Settings.Rooms.Replication;
        if (context.Parse.GetValue(_offer) is { } size)
        {
            replication.OfferBytes = ByteSize.TryParse(size, out long bytes)
                ? bytes
                : throw new UsageException($"--offer {SafeText.Clean(size)} is no size. Write a number of bytes, or one with kB, MB, GB, TB, KiB, MiB, GiB or TiB.");
        }

        if (context.Parse.GetValue(_offerTo) is { } to)
        {
            if (replication.OfferBytes == 0)
                throw new UsageException("--offer-to says for whom disk is offered; --offer SIZE says how much.");
            replication.OfferTo = [.. to.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
            foreach (string one in replication.OfferTo)
            {
                if (one is not ("local" or "anyone") && !PeerId.TryParse(one, CultureInfo.InvariantCulture, out _))
                    throw new UsageException($"--offer-to {SafeText.Clean(one)} is neither local nor anyone nor a peer id.");
            }
        }

        if (context.Host.Attachment is { Shared: { } other } && (other.Stays || replication.OfferBytes > 0))
            throw new P2PException(P2PErrorCode.InUse, InUse(other, replication.OfferBytes));
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: true, mayStandBeside: false);
        P2PNode node = session.Node;
        string[] addresses = [.. node.Status.Addresses.Select(address => address.ToString())];
        context.Events?.Write(new ReadyEvent($"{node.Id}", addresses));
        context.Screen.Line($"{(session.IsNew ? "New node" : "Node")} {node.Id}");
        context.Screen.Line($"Kept in    {context.DisplayOwn(session.Folder)}");
        foreach (string address in addresses)
            context.Screen.Line($"{(address == addresses[0] ? "Listening" : ""),-11}{address}");
        if (replication.OfferBytes > 0)
            context.Screen.Line($"{"Offering",-11}{ByteSize.Format(replication.OfferBytes)} to {Audience(replication.OfferTo)}");
        await WarnOfDiskAsync(context, node, replication.OfferBytes);
        NodeStatus last = await new ServingView(context, node).RunAsync();
        context.Screen.Line($"Stopped; {ServingView.Sent(last)}.");
        return ExitCodes.Done;
    }

    private static async Task WarnOfDiskAsync(CommandContext context, P2PNode node, long offered)
    {
        long open = offered - node.Store.GetReplicas().Sum(one => one.Bytes);
        if (open > 0 && (await node.Store.GetUsageAsync(context.Stopping)).FreeDiskBytes is { } free && free < open)
            context.Warn("offer_exceeds_disk", $"{ByteSize.Format(open)} of the offer are not used yet, but only {ByteSize.Format(free)} are free on the disk. When it is full, more is refused.");
    }

    private static string InUse(SharedNode other, long wanted)
    {
        long offered = other.Settings.Rooms.Replication.OfferBytes;
        string runs = other.Stays ? $"A node runs on this folder already (process {Environment.ProcessId})" : $"\"p2p {other.Command}\" runs the node of this folder (process {Environment.ProcessId})";
        return wanted == offered || wanted == 0
            ? $"{runs}. \"p2p status\" shows what it does."
            : $"{runs} and offers {(offered == 0 ? "no disk" : ByteSize.Format(offered))}. End it first, then start this one; what is shared stays shared.";
    }

    private static string Audience(IList<string> offerTo) =>
        offerTo.Contains("anyone") ? "anyone"
        : offerTo.All(static one => one == "local") ? "sharers on this machine and its networks"
        : $"sharers on this machine and its networks, and {ProgressBar.Count(offerTo.Count(static one => one != "local"), "peer")} by name";
}
