using System.CommandLine;
using System.Globalization;
using System.Text;
using P2P.Cli.Output;

namespace P2P.Cli.Commands;

/// <summary>The help texts, 80 columns wide.</summary>
internal static class HelpText
{
    private const int Columns = 79;

    /// <summary>What <c>p2p</c> alone prints: three examples and the commands.</summary>
    public static string Overview(CommandTree root)
    {
        var text = new StringBuilder();
        AppendParagraphs(text, root.Description ?? "");
        text.AppendLine();
        text.AppendLine("  p2p share film.mkv         prints a link and serves the file until Ctrl-C");
        text.AppendLine("  p2p fetch LINK             gets it elsewhere; resumes after a break");
        text.AppendLine("  p2p demo                   the whole job on this machine, in one command");
        text.AppendLine();
        AppendCommands(text, root);
        text.AppendLine().AppendLine("p2p COMMAND --help says more; p2p --help lists the options of every command.");
        return text.ToString();
    }

    /// <summary>The help of one command, or of the tool.</summary>
    public static string Of(CommandTree root, Command command)
    {
        var text = new StringBuilder();
        if (command is CommandGroup group)
        {
            text.Append(CultureInfo.InvariantCulture, $"Usage: p2p {group.Name} COMMAND [OPTION]...").AppendLine().AppendLine();
            AppendParagraphs(text, group.Description ?? "");
            text.AppendLine();
            AppendCommands(text, group);
            text.AppendLine().AppendLine($"p2p {group.Name} COMMAND --help says more.");
            return text.ToString();
        }

        if (command is not ToolCommand tool)
        {
            text.AppendLine("Usage: p2p COMMAND [OPTION]...").AppendLine();
            AppendCommands(text, root);
            text.AppendLine();
            AppendOptions(text, "Options of every command:", root.Globals.All);
            text.AppendLine();
            AppendParagraphs(text, """
                Every option can also be set as P2P_<OPTION> in the environment (P2P_NODE_NAME) and in config.json in the data folder ("node_name"). The command line wins over the environment, the environment over the file.

                Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found or unreachable, 4 did not verify, 5 no space or no permission, 130 interrupted.
                """);
            return text.ToString();
        }

        text.Append(CultureInfo.InvariantCulture, $"Usage: p2p {tool.FullName()} {tool.Synopsis}").AppendLine().AppendLine();
        AppendParagraphs(text, tool.Description + (tool.Notes.Length > 0 ? "\n\n" + tool.Notes : ""));
        text.AppendLine();
        if (tool.Subcommands.Count > 0)
        {
            AppendCommands(text, tool);
            text.AppendLine();
        }

        AppendOptions(text, "Options:", tool.Options);
        if (tool.Options.Count > 0)
            text.AppendLine();
        text.AppendLine("p2p --help lists the options of every command.");
        return text.ToString();
    }

    private static void AppendCommands(StringBuilder text, Command parent)
    {
        text.AppendLine("Commands:");
        foreach (ToolCommand command in parent.Runnable())
            AppendRow(text, $"{command.FullName()} {command.Synopsis.Replace("[OPTION]...", "", StringComparison.Ordinal)}".TrimEnd(), FirstSentence(command.Description ?? ""));
    }

    private static void AppendOptions(StringBuilder text, string title, IEnumerable<Option> options)
    {
        Option[] shown = [.. options.Where(option => !option.Hidden)];
        if (shown.Length == 0)
            return;
        text.AppendLine(title);
        foreach (Option option in shown)
        {
            string names = string.Join(", ", option.Aliases.Where(alias => alias != "-?").Append(option.Name).OrderBy(name => name.Length));
            AppendRow(text, option.HelpName is { } value ? $"{names} {value}" : names, option.Description ?? "");
        }
    }

    private static void AppendRow(StringBuilder text, string left, string right)
    {
        const int Indent = 25;
        text.Append("  ").Append(left);
        int column = left.Length + 2;
        if (column > Indent - 2)
        {
            text.AppendLine();
            column = 0;
        }

        bool first = true;
        foreach (string line in Screen.Wrap(right, Columns - Indent))
        {
            text.Append(' ', Indent - (first ? column : 0)).AppendLine(line);
            first = false;
        }
    }

    private static void AppendParagraphs(StringBuilder text, string paragraphs)
    {
        bool first = true;
        foreach (string paragraph in paragraphs.ReplaceLineEndings("\n").Split("\n\n"))
        {
            if (!first)
                text.AppendLine();
            first = false;
            foreach (string line in paragraph.StartsWith("  ", StringComparison.Ordinal) ? paragraph.Split('\n') : [.. Screen.Wrap(paragraph, Columns)])
                text.AppendLine(line);
        }
    }

    private static string FirstSentence(string text)
    {
        int end = text.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? text.TrimEnd('.') : text[..end];
    }
}
