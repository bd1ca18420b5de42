using System.CommandLine;

namespace P2P.Cli.Commands;

/// <summary>Commands that stand behind one word: <c>p2p pin add</c>, <c>p2p pin rm</c>.</summary>
internal sealed class CommandGroup : Command
{
    public CommandGroup(string name, string description, params ToolCommand[] commands)
        : base(name, description)
    {
        foreach (ToolCommand command in commands)
            Add(command);
    }
}

/// <summary>What a command is called on the command line.</summary>
internal static class CommandNames
{
    /// <summary>All its words behind <c>p2p</c>.</summary>
    public static string FullName(this Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault(parent => parent is not RootCommand) is { } group ? $"{group.Name} {command.Name}" : command.Name;

    /// <summary>What can be run below a command, in the order of help.</summary>
    public static IEnumerable<ToolCommand> Runnable(this Command parent)
    {
        foreach (Command command in parent.Subcommands)
        {
            if (command is ToolCommand tool)
                yield return tool;
            foreach (ToolCommand below in command.Runnable())
                yield return below;
        }
    }
}
