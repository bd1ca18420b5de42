using P2P.Cli.Configuration;
using P2P.Core;

namespace P2P.Cli.Control;

/// <summary>The node of the process that owns a data folder, as the commands that attach to it see it.</summary>
/// <param name="Node">The node.</param>
/// <param name="Folder">The data folder.</param>
/// <param name="Command">What the process was started as, for example <c>share</c>.</param>
/// <param name="Settings">What it was set up with.</param>
/// <param name="Since">When it was started.</param>
internal sealed record SharedNode(P2PNode Node, string Folder, string Command, Settings Settings, DateTimeOffset Since)
{
    /// <summary>The command whose process serves until it is told to end.</summary>
    public const string NodeCommand = "node";

    /// <summary>Whether it stays: what is shared on it needs nobody else to stay.</summary>
    public bool Stays => Command == NodeCommand;

    /// <summary>The addresses that were asked for to listen on; none: by default, or not at all.</summary>
    public IReadOnlyList<string> Listen { get; set; } = Settings.ListenOfNode(always: true);
}
