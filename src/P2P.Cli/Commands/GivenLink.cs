using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>What a command is to work with: a link, or the name of something on this network, which becomes one once a node runs.</summary>
internal sealed class GivenLink
{
    private readonly LanName? _name;
    private readonly bool _takesAnyPeer;
    private PeerId? _peer;

    public GivenLink(ShareLink link) => Link = link;

    public GivenLink(LanName name, bool takesAnyPeer) => (_name, _takesAnyPeer) = (name, takesAnyPeer);

    /// <summary>The link, when it is known already.</summary>
    public ShareLink? Link { get; }

    /// <summary>The link; looks for the name first, when it is one.</summary>
    /// <exception cref="P2PException">Nobody offers the name, different things are offered, or another peer offers it than before.</exception>
    public async Task<ShareLink> FindAsync(CommandContext context, P2PNode node)
    {
        if (Link is { } link)
            return link;
        (link, _peer) = await _name!.FindAsync(context, node, _takesAnyPeer);
        return link;
    }

    /// <summary>All of it has come: the peer that offered it is the one that the name stands for from now on.</summary>
    public Task KeepAsync(P2PNode node) => _peer is { } peer ? node.RememberLanPeerAsync(_name!.Name, peer) : Task.CompletedTask;
}
