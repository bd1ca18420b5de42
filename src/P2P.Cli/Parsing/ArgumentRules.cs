using System.CommandLine;
using System.CommandLine.Parsing;
using P2P.Cli.Commands;

namespace P2P.Cli.Parsing;

/// <summary>What the parser lets pass and we do not: a mistyped option is never taken for a file or a value.</summary>
internal static class ArgumentRules
{
    /// <summary>Checks a parsed command line.</summary>
    /// <exception cref="UsageException">Something is wrong with it.</exception>
    public static void Check(CommandTree root, ParseResult parse, IReadOnlyList<string> args)
    {
        Command command = parse.CommandResult.Command;
        CheckCommandName(root, parse, command);
        CheckOptions(root, command, args);
        if (parse.Errors.Count > 0)
            throw new UsageException(Describe(parse, command, parse.Errors[0]));
    }

    private static string Describe(ParseResult parse, Command command, ParseError error)
    {
        if (command is not ToolCommand tool)
            return Sentence(error.Message) + Hint(command);
        Argument? missing = command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0 && parse.GetResult(argument) is null or { Tokens.Count: 0 });
        if (missing is not null)
            return $"{missing.Name} is missing: p2p {tool.FullName()} {tool.Synopsis}";
        return error.SymbolResult is ArgumentResult { Tokens: [{ } given, ..], Argument: { } argument }
            ? $"\"{given.Value}\" is not known here: {argument.Description}.{Hint(command)}"
            : Sentence(error.Message) + Hint(command);
    }

    /// <summary>Where to read on.</summary>
    private static string Hint(Command command) => command is ToolCommand or CommandGroup ? $" See p2p {command.FullName()} --help." : " See p2p --help.";

    private static void CheckCommandName(CommandTree root, ParseResult parse, Command command)
    {
        if (command is ToolCommand && command.Subcommands.Count == 0)
            return;
        string group = command == root ? "" : $" of p2p {command.Name}";
        if (parse.UnmatchedTokens.Count == 0 && command is CommandGroup)
            throw new UsageException($"p2p {command.Name} needs a command: {string.Join(", ", command.Subcommands.Select(known => known.Name))}.{Hint(command)}");
        if (parse.UnmatchedTokens.Count == 0 || parse.UnmatchedTokens[0] is not { } name || name.StartsWith('-'))
            return;
        string? nearest = NearestName.Find(name, command.Subcommands.Select(known => known.Name));
        throw new UsageException($"\"{name}\" is no command{group}.{(nearest is null ? "" : $" Did you mean \"{nearest}\"?")}{Hint(command)}");
    }

    private static void CheckOptions(CommandTree root, Command command, IReadOnlyList<string> args)
    {
        var known = new Dictionary<string, Option>(StringComparer.Ordinal);
        foreach (Option option in command == root ? root.Options : [.. command.Options, .. root.Options])
        {
            known[option.Name] = option;
            foreach (string alias in option.Aliases)
                known[alias] = option;
        }

        Option? waiting = null; // an option whose value comes next
        foreach (string arg in args)
        {
            if (arg == "--")
                break;
            if (arg.Length < 2 || arg[0] != '-')
            {
                waiting = null;
                continue;
            }

            int end = arg.IndexOfAny(['=', ':']);
            string name = end < 0 ? arg : arg[..end];
            if (!known.TryGetValue(name, out Option? option))
                throw Unknown(name, arg, waiting, command, known.Keys);
            CheckValue(waiting, command);
            if (end >= 0 && option.Arity.MaximumNumberOfValues == 0)
                throw new UsageException($"{name} takes no value.{Hint(command)}");
            waiting = end < 0 && option.Arity.MaximumNumberOfValues > 0 ? option : null;
        }

        CheckValue(waiting, command);
    }

    private static void CheckValue(Option? waiting, Command command)
    {
        if (waiting?.Arity.MinimumNumberOfValues > 0)
            throw new UsageException($"{waiting.Name} needs a value.{Hint(command)}");
    }

    private static UsageException Unknown(string name, string arg, Option? waiting, Command command, IEnumerable<string> known)
    {
        string? nearest = NearestName.FindAny(name, known);
        string meant = nearest is null ? "" : $" Did you mean {nearest}?";
        string literal = waiting is null ? $" A file of that name is written after --: p2p {command.FullName()} -- {arg}" : $" A value that begins with a dash is written {waiting.Name}={arg}";
        return new UsageException($"{name} is no option of p2p{(command is ToolCommand ? " " + command.FullName() : "")}.{meant}{(command is ToolCommand ? literal : Hint(command))}");
    }

    private static string Sentence(string message)
    {
        message = message.Trim();
        return message.Length > 0 && message[^1] is '.' or '!' or '?' ? message : message + ".";
    }
}
