using System.CommandLine;
using P2P.Cli.Values;

namespace P2P.Cli.Commands;

/// <summary><c>p2p cat</c>: the verified bytes of one file on standard output, without fetching the rest.</summary>
internal sealed class CatCommand : ToolCommand
{
    private readonly LinkInput _link = new();
    private readonly Option<string> _range = new("--range") { HelpName = "A-B", Description = "only the bytes A to B, both included, counted from 0; A- is all from A on, -N the last N" };
    private readonly Option<string> _timeout = TimeoutOption();

    public CatCommand()
        : base("cat", "Writes the bytes of one file to standard output, verified, without fetching the rest.")
    {
        _link.AddTo(this, withLan: true);
        Add(_range);
        Add(_timeout);
    }

    public override string Synopsis => "LINK [PATH] [OPTION]...";

    public override string Notes => LinkInput.LanNote + "\n\n" + LinkInput.Note;

    public override async Task<int> RunAsync(CommandContext context)
    {
        context.RefuseJson("p2p cat");
        ByteRange range = default;
        if (context.Parse.GetValue(_range) is { } text && !ByteRange.TryParse(text, out range))
            throw new UsageException($"\"{text}\" is no range. Write --range A-B with the first and the last byte, counted from 0, A- for all from A on, or --range=-N for the last N bytes.");
        (GivenLink given, IReadOnlyList<string> paths) = _link.ReadGiven(context, pathsMax: 1);
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: true);
        await ContentStreaming.CopyAsync(context, session.Node, await given.FindAsync(context, session.Node), paths.Count > 0 ? paths[0] : null, range);
        await given.KeepAsync(session.Node);
        return ExitCodes.Done;
    }
}
