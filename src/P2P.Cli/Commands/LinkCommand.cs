using System.CommandLine;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p link</c>: what a link holds. Needs no node and no network.</summary>
internal sealed class LinkCommand : ToolCommand
{
    private readonly LinkInput _link = new();

    public LinkCommand()
        : base("link", "Shows what a link holds: content id, name, and who is said to have it.") => _link.AddTo(this);

    public override string Synopsis => "LINK [OPTION]...";

    public override string Notes => LinkInput.Note;

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override Task<int> RunAsync(CommandContext context)
    {
        (ShareLink link, _) = _link.Read(context, pathsMax: 0);
        if (context.Events is { } events)
        {
            events.Write(new LinkEvent(link.Root.ToString(), link.Label, link.Path, link.HasKey,
                [.. link.Peers.Select(peer => new LinkPeer($"{peer.Peer}", [.. peer.Addresses.Select(address => address.ToString())]))]));
            return Task.FromResult(ExitCodes.Done);
        }

        context.Data($"Content  {link.Root}");
        if (link.Label is { } label && !link.HasKey)
            context.Data($"Name     {SafeText.Clean(label)}");
        if (link.Path is { } path)
            context.Data($"Path     {SafeText.Clean(path)}");
        context.Data(link.HasKey ? "Private  yes: whoever has the whole link can read it" : "Private  no: whoever learns the content id can read it");
        foreach (PeerHint peer in link.Peers)
        {
            context.Data($"Peer     {peer.Peer}");
            foreach (Multiaddress address in peer.Addresses)
                context.Data($"         {address}");
        }

        if (link.Peers.Count == 0)
            context.Data("Peer     none named: it must be looked up");
        return Task.FromResult(ExitCodes.Done);
    }
}
