using System.CommandLine;
using System.Globalization;
using System.Text;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>The LINK of a command and what stands behind it: an argument, <c>-</c> for standard input, or <c>--link-file</c>.</summary>
internal sealed class LinkInput
{
    /// <summary>What help says about links on the command line.</summary>
    public const string Note = "An argument is visible in ps and in the shell's history. To keep a link to yourself, give it on standard input with - or in a file with --link-file FILE.";

    /// <summary>What help says where a name of this network may stand in place of a link.</summary>
    public const string LanNote = """
        LINK may be lan:NAME, what a peer of this network shares under that name with "share --lan"; "p2p lan" lists them. When different things have the name, all are listed and lan:NAME@PEERID or lan:NODE/NAME chooses. When another peer offers it than the one it came from before, it is asked for on a terminal, and refused without one unless --yes is given.
        """;

    private const int LinkCharsMax = 16 << 10;

    private readonly Option<bool> _yes = new("--yes") { Description = "take lan:NAME also from another peer than before", Arity = ArgumentArity.Zero };

    public Argument<string[]> Arguments { get; } = new("LINK [PATH]") { Arity = ArgumentArity.ZeroOrMore };

    public Option<string> File { get; } = new("--link-file") { HelpName = "FILE", Description = "read the link from this file" };

    /// <summary>Adds both to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="withLan">Whether a name of this network may stand in place of a link; the command then reads by <see cref="ReadGiven"/>.</param>
    public void AddTo(Command command, bool withLan = false)
    {
        command.Add(Arguments);
        command.Add(File);
        if (withLan)
            command.Add(_yes);
    }

    /// <summary>Reads the link and the paths behind it.</summary>
    /// <param name="context">The command line.</param>
    /// <param name="pathsMax">How many paths may stand behind the link.</param>
    /// <exception cref="UsageException">There is no link, or it is none.</exception>
    public (ShareLink Link, IReadOnlyList<string> Paths) Read(CommandContext context, int pathsMax)
    {
        (string text, IReadOnlyList<string> paths) = ReadText(context, pathsMax);
        return (Parse(text), paths);
    }

    /// <summary>Reads the link, or the name of something on this network, and the paths behind it.</summary>
    /// <param name="context">The command line.</param>
    /// <param name="pathsMax">How many paths may stand behind it.</param>
    /// <exception cref="UsageException">There is nothing, it is neither, or the local network is not to be looked at.</exception>
    public (GivenLink Given, IReadOnlyList<string> Paths) ReadGiven(CommandContext context, int pathsMax)
    {
        (string text, IReadOnlyList<string> paths) = ReadText(context, pathsMax);
        if (LanName.TryParse(text) is not { } name)
            return (new GivenLink(Parse(text)), paths);
        LanView.Require(context);
        return (new GivenLink(name, context.Parse.GetValue(_yes)), paths);
    }

    /// <summary>Joins the path in a link and the path behind it; null for all of the content.</summary>
    public static string? Join(string? inLink, string? behind)
    {
        string joined = string.Join('/', new[] { inLink?.Trim('/'), behind?.Trim('/') }.Where(part => !string.IsNullOrEmpty(part)));
        return joined.Length == 0 ? null : joined;
    }

    private (string Text, IReadOnlyList<string> Paths) ReadText(CommandContext context, int pathsMax)
    {
        string[] arguments = context.Parse.GetValue(Arguments) ?? [];
        string text;
        IEnumerable<string> rest = arguments;
        if (context.Parse.GetValue(File) is { } file)
        {
            text = FirstLine(OpenFile(file, context), file);
        }
        else if (arguments.Length == 0)
        {
            throw new UsageException($"A link is missing: p2p {context.Parse.CommandResult.Command.FullName()} LINK");
        }
        else
        {
            text = arguments[0] == "-" ? FirstLine(context.Host.OpenInput(), "standard input") : arguments[0];
            rest = arguments.Skip(1);
        }

        string[] paths = [.. rest];

        // Never quoted: it may hold a key.
        if (paths.Any(path => path.Contains("://", StringComparison.Ordinal)))
            throw new UsageException("A second link stands behind the first. Give one link at a time; what follows it is a path inside.");
        if (paths.Length > pathsMax)
            throw new UsageException(pathsMax == 0 ? $"\"{paths[0]}\" is one argument too many." : $"\"{paths[pathsMax]}\" is one path too many.");
        return (text, [.. paths.Select(path => path.Replace('\\', context.Host.System == Configuration.HostSystem.Windows ? '/' : '\\').Trim('/'))]);
    }

    private static ShareLink Parse(string text)
    {
        try
        {
            return ShareLink.Parse(text, CultureInfo.InvariantCulture);
        }
        catch (FormatException fault)
        {
            string message = fault.Message;
            throw new UsageException(char.ToUpperInvariant(message[0]) + message[1..] + (message[^1] is '.' or '?' or '!' ? "" : "."));
        }
    }

    private static FileStream OpenFile(string file, CommandContext context)
    {
        try
        {
            return System.IO.File.OpenRead(Path.GetFullPath(file, context.Host.CurrentDirectory));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The link file {file} cannot be read: {failure.Message}");
        }
    }

    private static string FirstLine(Stream source, string name)
    {
        using (source)
        {
            byte[] buffer = new byte[LinkCharsMax + 1];
            int length = source.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            string? line = Encoding.UTF8.GetString(buffer, 0, length).Split('\n').Select(candidate => candidate.Trim()).FirstOrDefault(candidate => candidate.Length > 0);
            return line ?? throw new UsageException($"There is no link on {name}.");
        }
    }
}
