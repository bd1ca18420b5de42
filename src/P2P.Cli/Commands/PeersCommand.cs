using System.CommandLine;
using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p peers</c>: who the node of this data folder is connected with.</summary>
internal sealed class PeersCommand() : ToolCommand("peers", "Lists the peers that the node of this data folder is connected with; exit 1 when none runs.")
{
    public override string Synopsis => "[OPTION]...";

    public override FolderUse UseOf(ParseResult parse) => FolderUse.RunningNode;

    public override Task<int> RunAsync(CommandContext context)
    {
        if (context.Host.Attachment is not { } attachment)
            return Task.FromResult(StatusCommand.SayNotRunning(context, new PeersEvent(false, [])));
        IReadOnlyList<PeerInfo> peers = attachment.Shared.Node.GetPeers();
        if (context.Events is { } events)
            events.Write(new PeersEvent(true, [.. peers.Select(ToEntry)]));
        else
            Show(context, peers);
        return Task.FromResult(ExitCodes.Done);
    }

    private static PeersEntry ToEntry(PeerInfo peer) =>
        new($"{peer.Id}", peer.Address.ToString(), peer.IsOutbound, peer.Agent, peer.RoundTripTime is { } trip ? Math.Round(trip.TotalSeconds, 6) : null, peer.BytesReceived, peer.BytesServed);

    private static void Show(CommandContext context, IReadOnlyList<PeerInfo> peers)
    {
        if (peers.Count == 0)
            context.Screen.Line("Connected with nobody.");
        foreach (PeerInfo peer in peers)
        {
            string trip = peer.RoundTripTime is { } time ? string.Create(CultureInfo.InvariantCulture, $", {time.TotalMilliseconds:0.#} ms") : "";
            context.Data($"{peer.Id}");
            context.Data($"    {peer.Address}  {(peer.IsOutbound ? "dialed" : "came")}{trip}");
            context.Data($"    {SafeText.Clean(peer.Agent ?? "has not said what it is")}; received {ByteSize.Format(peer.BytesReceived)}, sent {ByteSize.Format(peer.BytesServed)}");
        }
    }
}
