using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p ls</c>: what is in a share, without fetching it.</summary>
internal sealed class LsCommand : ToolCommand
{
    private readonly LinkInput _link = new();

    public LsCommand()
        : base("ls", "Lists what a link leads to, without fetching it.") => _link.AddTo(this);

    public override string Synopsis => "LINK [PATH] [OPTION]...";

    public override string Notes => LinkInput.Note;

    public override async Task<int> RunAsync(CommandContext context)
    {
        (ShareLink link, IReadOnlyList<string> paths) = _link.Read(context, pathsMax: 1);
        string? path = paths.Count > 0 ? paths[0] : null;
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: true);
        await foreach (ContentEntry entry in session.Node.ListAsync(link, path, recursive: true, context.Stopping))
        {
            if (entry.Path.Length == 0 && entry.Kind == ContentKind.Directory)
                continue; // the root itself, which has no name in it
            string shown = entry.Path.Length > 0 ? entry.Path : await session.Node.GetNameAsync(link, null, context.Stopping) ?? link.Root.ToString();
            if (context.Events is { } events)
                events.Write(new EntryEvent(shown, TypeOf(entry.Kind), entry.Bytes, entry.Cid.ToString()));
            else
                context.Data(string.Create(CultureInfo.InvariantCulture, $"{(entry.Bytes is { } bytes ? ByteSize.Format(bytes) : ""),10}  {SafeText.Clean(shown)}{(entry.Kind == ContentKind.Directory ? "/" : "")}"));
        }

        return ExitCodes.Done;
    }

    private static string TypeOf(ContentKind kind) => kind switch
    {
        ContentKind.Directory => "dir",
        ContentKind.SymbolicLink => "symlink",
        _ => "file",
    };
}
