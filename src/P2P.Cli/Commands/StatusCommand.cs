using System.CommandLine;
using P2P.Cli.Control;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p status</c>: what the node of this data folder is doing.</summary>
internal sealed class StatusCommand() : ToolCommand("status", "Shows what the node of this data folder is doing; exit 1 when none runs.")
{
    /// <summary>Less is what a round of announcements is behind now and then.</summary>
    private static readonly TimeSpan LagWorthSaying = TimeSpan.FromMinutes(10);

    public override string Synopsis => "[OPTION]...";

    public override FolderUse UseOf(ParseResult parse) => FolderUse.RunningNode;

    public override Task<int> RunAsync(CommandContext context)
    {
        if (context.Host.Attachment is not { } attachment)
            return Task.FromResult(SayNotRunning(context, new StatusEvent(false, null, null, null, null, null, [], 0, 0, 0, 0, null, [])));
        SharedNode shared = attachment.Shared;
        NodeStatus status = shared.Node.Status;
        if (context.Events is { } events)
        {
            events.Write(new StatusEvent(
                true,
                Environment.ProcessId,
                shared.Command,
                shared.Since.UtcDateTime,
                $"{status.Id}",
                shared.Settings.NetworkOfNode,
                [.. status.Addresses.Select(address => address.ToString())],
                status.Peers,
                status.Shares,
                status.BytesServed,
                status.BytesFetched,
                status.Dht is { } dht ? new StatusDht(dht.IsServer, dht.Contacts, dht.Providers, dht.Holders, dht.Announced, dht.NeverAnnounced, dht.Lag.TotalSeconds) : null,
                [.. status.Warnings.Select(warning => new StatusWarning(warning.Code, warning.Message))])
            {
                OfferBytes = shared.Settings.Rooms.Replication.OfferBytes,
                HeldBytes = shared.Node.Store.GetReplicas().Sum(one => one.Bytes),
                Internet = DoctorCommand.NameOf(status.Internet),
                Mapped = [.. status.Mappings.Select(mapping => $"{mapping.External}")],
            });
            return Task.FromResult(ExitCodes.Done);
        }

        Show(context, shared, status);
        return Task.FromResult(ExitCodes.Done);
    }

    /// <summary>Says that there is no node to ask.</summary>
    /// <returns>The exit code.</returns>
    public static int SayNotRunning(CommandContext context, JsonEvent none)
    {
        if (context.Events is { } events)
            events.Write(none);
        else
            context.Data($"not running (nothing uses {context.DisplayOwn(context.Settings.DataFolderOf(context.Host))})");
        return ExitCodes.Failed;
    }

    private static void Show(CommandContext context, SharedNode shared, NodeStatus status)
    {
        TimeSpan age = context.Host.Time.GetUtcNow() - shared.Since;
        Row(context, "Node", $"{status.Id}");
        Row(context, "Kept in", context.DisplayOwn(shared.Folder));
        Row(context, "Runs as", $"p2p {shared.Command}, process {Environment.ProcessId}, for {Duration.FormatElapsed(age)}");
        Row(context, "Network", $"{SafeText.Clean(shared.Settings.NetworkOfNode)}; {Describe(status.Dht)}");
        string[] addresses = [.. status.Addresses.Select(address => address.ToString())];
        Row(context, "Listening", addresses.Length == 0 ? "no: it only fetches" : addresses[0]);
        foreach (string address in addresses.Skip(1))
            Row(context, "", address);
        foreach (MappedPort mapping in status.Mappings)
            Row(context, "Mapped", $"{mapping.External} leads here ({DoctorCommand.TitleOf(mapping.Protocol)}, router {mapping.Router})");
        if (addresses.Length > 0)
            Row(context, "Internet", status.Internet switch { Reachability.Reachable => "reachable", Reachability.Unreachable => "not reachable (p2p doctor says why)", _ => "not yet known" });
        Row(context, "Peers", $"{status.Peers}");
        Row(context, "Shares", $"{status.Shares}");
        if (status.Dht is { Announced: > 0 } announcing)
            Row(context, "Announces", DescribeAnnouncing(announcing));
        Row(context, "Sent", $"{ByteSize.Format(status.BytesServed)}{(status.BytesServed > 0 ? " to " + ProgressBar.Count(status.BytesServedByPeer.Count, "peer") : "")}");
        Row(context, "Received", ByteSize.Format(status.BytesFetched));
        IReadOnlyList<HeldReplica> held = shared.Node.Store.GetReplicas();
        if (shared.Settings.Rooms.Replication.OfferBytes is > 0 and { } offered)
            Row(context, "Offers", $"{ByteSize.Format(offered)}; keeps {ByteSize.Format(held.Sum(one => one.Bytes))} for {ProgressBar.Count(held.DistinctBy(one => one.Publisher).Count(), "publisher")}");
        else if (held.Count > 0)
            Row(context, "Keeps", $"{ByteSize.Format(held.Sum(one => one.Bytes))} for {ProgressBar.Count(held.DistinctBy(one => one.Publisher).Count(), "publisher")}, from when it offered disk");
        foreach (NodeWarning warning in status.Warnings)
            Row(context, "Note", SafeText.Clean(warning.Message));
    }

    private static string Describe(DhtStatus? dht) => dht is null
        ? "not in its DHT"
        : dht.Contacts == 0
            ? "no peer of its DHT known yet (--peer names one)"
            : $"{ProgressBar.Count(dht.Contacts, "contact")} in its DHT, {(dht.IsServer ? $"answers others about {ProgressBar.Count(dht.Providers, "announcement")}" : "asks only")}{Holders(dht.Holders)}";

    private static string DescribeAnnouncing(DhtStatus dht)
    {
        string blocks = ProgressBar.Count(dht.Announced, "block");
        string progress = dht.NeverAnnounced == 0 ? "each told to others" : $"{dht.NeverAnnounced:N0} of them not told to others yet";
        return dht.Lag > LagWorthSaying ? $"{blocks}, {progress}; {Duration.FormatElapsed(dht.Lag)} behind" : $"{blocks}, {progress}";
    }

    private static string Holders(int count) => count switch
    {
        0 => "",
        1 => "; 1 node offers disk there",
        _ => $"; {count} nodes offer disk there",
    };

    private static void Row(CommandContext context, string what, string value) => context.Data($"{what,-11}{value}");
}
