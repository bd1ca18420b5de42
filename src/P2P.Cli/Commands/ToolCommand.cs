using System.CommandLine;

namespace P2P.Cli.Commands;

/// <summary>A command: what it is called, what it takes, what it does.</summary>
internal abstract class ToolCommand(string name, string description) : Command(name, description)
{
    /// <summary>Its arguments in one line, as help shows them: <c>LINK [PATH]...</c>.</summary>
    public abstract string Synopsis { get; }

    /// <summary>What else a user should know, for help; paragraphs separated by empty lines.</summary>
    public virtual string Notes => "";

    /// <summary>What it needs of the data folder.</summary>
    public virtual FolderUse UseOf(ParseResult parse) => FolderUse.Node;

    /// <summary>Whether it writes the configuration file: then it runs although that is missing or at fault, and says itself what is wrong with it.</summary>
    public virtual bool WritesConfig => false;

    /// <summary>Does it.</summary>
    /// <returns>The exit code. Failures are thrown.</returns>
    public abstract Task<int> RunAsync(CommandContext context);

    /// <summary>How long to wait for others; the value is read from the settings.</summary>
    protected static Option<string> TimeoutOption() =>
        new("--timeout") { HelpName = "T", Description = "the longest time without one new verified byte, e.g. 30s, 5m, 2h, 7d (default: 2m)" };

    /// <summary>An option that takes no value; written <c>--flag</c> only, so that a file named "true" stays a file.</summary>
    protected static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };
}
