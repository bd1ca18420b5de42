using System.CommandLine;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p id</c>: who this node is. Starts nothing and takes no lock.</summary>
internal sealed class IdCommand() : ToolCommand("id", "Prints the id of this node, and makes one when there is none yet.")
{
    public override string Synopsis => "[OPTION]...";

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override async Task<int> RunAsync(CommandContext context)
    {
        await using var node = new P2PNode(context.Settings.ForNode(context.Settings.DataFolderOf(context.Host), listen: false), context.Loggers);
        string id = $"{node.Id}";
        if (context.Events is { } events)
            events.Write(new IdEvent(id));
        else
            context.Data(id);
        return ExitCodes.Done;
    }
}
