using System.Globalization;
using System.Text;
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
    private const int AnswerBytesMax = 64;

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

    /// <summary>Listens for three seconds and takes what was offered under the name, if all who offer it offer the same, and the peer that it came from before is one of them.</summary>
    /// <param name="context">The command.</param>
    /// <param name="node">The node.</param>
    /// <param name="takesAnyPeer">Whether it may come from another peer than before.</param>
    /// <returns>The link, and who offers it.</returns>
    /// <exception cref="P2PException">Nobody offers it (not_found), different things are offered, which are listed, or another peer offers it than before (exists).</exception>
    public async Task<(ShareLink Link, PeerId Peer)> FindAsync(CommandContext context, P2PNode node, bool takesAnyPeer)
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
        PeerId? before = node.GetLanPeer(Name);
        int at = Math.Max(0, Array.FindIndex(offers, offer => offer.Peer == before));
        if (before is { } known && offers[at].Peer != known && Peer is null && !takesAnyPeer)
            await ConfirmAsync(context, known, from);
        else
            context.Screen.Line($"Found at {from}.");
        return (offers[at].Item.Link, offers[at].Peer);
    }

    /// <summary>A name is what its owner says; who has it now may be somebody else.</summary>
    private async Task ConfirmAsync(CommandContext context, PeerId known, string from)
    {
        string change = $"\"{SafeText.Clean(Name)}\" came from {known} before, now it is offered by {from}.";
        if (context.Screen.IsTerminal && context.Events is null && !context.Settings.Quiet)
        {
            context.Screen.Line($"{change} Take it? y/N");
            if (await ReadLineAsync(context) is "y" or "Y" or "yes")
                return;
            throw new P2PException(P2PErrorCode.Exists, $"\"{SafeText.Clean(Name)}\" is left alone.");
        }

        throw new P2PException(P2PErrorCode.Exists, $"{change} Take it with --yes, or name the peer: lan:{SafeText.Clean(Name)}@PEERID.");
    }

    private static async Task<string> ReadLineAsync(CommandContext context)
    {
        await using Stream input = context.Host.OpenInput();
        byte[] buffer = new byte[AnswerBytesMax];
        int length = 0;
        while (length < buffer.Length && !buffer.AsSpan(0, length).Contains((byte)'\n'))
        {
            int read = await input.ReadAsync(buffer.AsMemory(length), context.Stopping);
            if (read == 0)
                break;
            length += read;
        }

        return Encoding.UTF8.GetString(buffer, 0, length).Trim();
    }
}
