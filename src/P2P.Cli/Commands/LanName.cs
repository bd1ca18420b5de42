using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>lan:NAME</c>, <c>lan:NODE/NAME</c> or <c>lan:NAME@PEERID</c>: something that a peer of this network shares there.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Node">The name of the machine that must have it; null: any.</param>
/// <param name="Peer">The peer that must have it; null: any.</param>
internal sealed record LanName(string Name, string? Node, PeerId? Peer)
{
    private const string Scheme = "lan:";

    /// <summary>Reads one; null: it is something else.</summary>
    /// <exception cref="UsageException">It has no name.</exception>
    public static LanName? TryParse(string text)
    {
        if (!text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        string name = text[Scheme.Length..];
        PeerId? peer = null;
        if (name.LastIndexOf('@') is var at and >= 0 && PeerId.TryParse(name[(at + 1)..], CultureInfo.InvariantCulture, out PeerId named))
            (name, peer) = (name[..at], named);
        string? node = null;
        if (name.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0)
            (node, name) = (name[..slash], name[(slash + 1)..]);
        return name.Length > 0 && node != ""
            ? new LanName(name, node, peer)
            : throw new UsageException("Write lan:NAME, lan:NODE/NAME or lan:NAME@PEERID. \"p2p lan\" lists the names.");
    }

    /// <summary>Listens for three seconds and takes what was offered under the name, if all who offer it offer the same.</summary>
    /// <exception cref="P2PException">Nobody offers it (not_found), or different things are offered (exists), which are listed.</exception>
    public async Task<ShareLink> FindAsync(CommandContext context, P2PNode node)
    {
        context.Screen.Line("Looking on this network ...");
        var view = new LanView(context) { IsQuiet = true };
        await view.ListenAsync(node);
        context.Stopping.ThrowIfCancellationRequested();
        (PeerId Peer, LanItem Item)[] offers = [.. view.Items.Where(offer => offer.Item.Name == Name && (Peer is null || offer.Peer == Peer) && (Node is null || view.NameOf(offer.Peer) == Node))];
        if (offers.Length == 0)
            throw new P2PException(P2PErrorCode.NotFound, $"Nobody on this network shares \"{SafeText.Clean(Name)}\"{(Node is null && Peer is null ? "" : " from there")}. \"p2p lan\" lists what there is.");
        if (offers.Select(static offer => offer.Item.Root).Distinct().Count() > 1)
        {
            string list = string.Join("; ", offers.Select(offer =>
                $"lan:{SafeText.Clean(Name)}@{offer.Peer} ({SafeText.Clean(view.NameOf(offer.Peer) ?? "no name")}, {ByteSize.Format(offer.Item.Bytes)}, {offer.Item.Root.ToShortString()})"));
            throw new P2PException(P2PErrorCode.Exists, $"Different things are shared as \"{SafeText.Clean(Name)}\". Choose one: {list}.");
        }

        string from = string.Join(", ", offers.Select(offer => view.NameOf(offer.Peer) is { } name ? $"{SafeText.Clean(name)} ({offer.Peer})" : $"{offer.Peer}"));
        context.Screen.Line($"Found at {from}.");
        return offers[0].Item.Link;
    }
}
