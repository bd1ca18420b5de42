using System.Net.NetworkInformation;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Collects what is on this network, and shows it.</summary>
internal sealed class LanView(CommandContext context)
{
    /// <summary>How long is listened before a list is complete.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private const string NotLooking = "does not look at the local network: it listens on this machine alone, or was started with --no-lan";

    private readonly Dictionary<PeerId, LanChange> _peers = [];
    private readonly List<(PeerId Peer, LanItem Item)> _items = [];

    /// <summary>Whether nothing is written while it listens.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>What was heard of.</summary>
    public IReadOnlyList<(PeerId Peer, LanItem Item)> Items => _items;

    /// <summary>Refuses early, before there is a node or a folder for it, when the local network is not to be looked at.</summary>
    public static void Require(CommandContext context)
    {
        if (context.Settings.NoLan)
            throw new UsageException("The local network is not looked at: --no-lan or no_lan says so.");
        if (context.Host.Attachment is null && context.Settings.Listen is { Count: > 0 } listen && listen.All(Loopback.Is))
            throw NodeSession.Refusal(context, NotLooking);
    }

    /// <summary>Refuses when the node does not look at the local network.</summary>
    public static void Require(CommandContext context, P2PNode node) => _ = Changes(context, node, context.Stopping);

    /// <summary>What changes on the network of a node.</summary>
    /// <exception cref="UsageException">It does not look at one.</exception>
    /// <exception cref="P2PException">InUse: likewise, and it is the node of another command.</exception>
    public static IAsyncEnumerable<LanChange> Changes(CommandContext context, P2PNode node, CancellationToken cancellationToken)
    {
        try
        {
            return node.WatchLanAsync(cancellationToken);
        }
        catch (InvalidOperationException)
        {
            throw NodeSession.Refusal(context, NotLooking);
        }
    }

    /// <summary>The name that a peer gives itself.</summary>
    public string? NameOf(PeerId peer) => _peers.GetValueOrDefault(peer)?.NodeName;

    /// <summary>Listens for three seconds; events are written at once.</summary>
    public async Task ListenAsync(P2PNode node)
    {
        using var time = new CancellationTokenSource(Patience, context.Host.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(time.Token, context.Stopping);
        try
        {
            await foreach (LanChange change in Changes(context, node, stop.Token))
            {
                Take(change);
                if (context.Events is not null && !IsQuiet)
                    Show(change);
            }
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested && !context.Stopping.IsCancellationRequested)
        {
            // all that answers has answered
        }
    }

    /// <summary>Collects one change.</summary>
    public void Take(LanChange change)
    {
        switch (change.Kind)
        {
            case LanChangeKind.PeerFound:
                _peers[change.Peer] = change;
                break;
            case LanChangeKind.PeerGone:
                _peers.Remove(change.Peer);
                break;
            case LanChangeKind.ItemFound:
                _items.Add((change.Peer, change.Item!));
                break;
            default:
                _items.Remove((change.Peer, change.Item!));
                break;
        }
    }

    /// <summary>Shows one change at once.</summary>
    public void Show(LanChange change)
    {
        if (context.Events is { } events)
        {
            events.Write(ToEvent(change));
            return;
        }

        string who = change.NodeName is { } name ? $"{SafeText.Clean(name)} ({change.Peer})" : $"{change.Peer}";
        context.Data(change.Kind switch
        {
            LanChangeKind.PeerFound => $"+ {who}  {string.Join(' ', change.Addresses)}",
            LanChangeKind.PeerGone => $"- {change.Peer}",
            LanChangeKind.ItemFound => $"+ {Described(change.Item!)}  from {who}",
            _ => $"- {SafeText.Clean(change.Item!.Name)}  from {who}",
        });
    }

    private static bool HasNetwork() => NetworkInterface.GetAllNetworkInterfaces().Any(static card =>
        card is { OperationalStatus: OperationalStatus.Up or OperationalStatus.Unknown, NetworkInterfaceType: not NetworkInterfaceType.Loopback } && card.GetIPProperties().UnicastAddresses.Count > 0);

    /// <summary>Shows all that was collected.</summary>
    public void ShowAll()
    {
        if (_peers.Count == 0)
        {
            context.Screen.Line(!HasNetwork() ? "This machine is in no local network: none of its interfaces is up. Connect it by cable or by Wi-Fi."
                : "Nobody on this network answers. Both sides need p2p running, for example \"p2p share --lan FILE\", and UDP port 5353 or 26790 open in their firewalls.");
            return;
        }

        foreach ((PeerId peer, LanChange change) in _peers.OrderBy(one => one.Value.NodeName, StringComparer.Ordinal).ThenBy(one => $"{one.Key}", StringComparer.Ordinal))
        {
            context.Data(change.NodeName is { } name ? $"{SafeText.Clean(name)}  {peer}" : $"{peer}");
            foreach ((_, LanItem item) in _items.Where(one => one.Peer == peer).OrderBy(one => one.Item.Name, StringComparer.Ordinal))
                context.Data($"    {Described(item)}");
        }

        context.Screen.Line(_items.Count == 0 ? "None of them shares anything here." : "Fetch one with p2p fetch lan:NAME");
    }

    private static string Described(LanItem item) => $"{SafeText.Clean(item.Name)}{(item.IsFolder ? "/" : "")}  {ByteSize.Format(item.Bytes)}";

    private static JsonEvent ToEvent(LanChange change) => change.Kind switch
    {
        LanChangeKind.PeerFound => new PeerEvent($"{change.Peer}", change.NodeName, [.. change.Addresses.Select(address => address.ToString())]),
        LanChangeKind.PeerGone => new PeerGoneEvent($"{change.Peer}"),
        LanChangeKind.ItemFound => new ItemEvent(change.Item!.Name, $"{change.Item.Root}", change.Item.Bytes, change.Item.Link.ToUriString(), $"{change.Peer}"),
        _ => new ItemGoneEvent(change.Item!.Name, $"{change.Item.Root}", $"{change.Peer}"),
    };
}
