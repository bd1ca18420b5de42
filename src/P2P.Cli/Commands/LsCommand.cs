using System.CommandLine;
using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p ls</c>: what is in a share, without fetching it.</summary>
internal sealed class LsCommand : ToolCommand
{
    private readonly LinkInput _link = new();
    private readonly Option<string> _timeout = TimeoutOption();

    public LsCommand()
        : base("ls", "Lists what a link leads to, without fetching it.")
    {
        _link.AddTo(this, withLan: true);
        Add(_timeout);
    }

    public override string Synopsis => "LINK [PATH] [OPTION]...";

    public override string Notes => LinkInput.LanNote + "\n\n" + LinkInput.Note;

    public override async Task<int> RunAsync(CommandContext context)
    {
        (GivenLink given, IReadOnlyList<string> paths) = _link.ReadGiven(context, pathsMax: 1);
        string? path = paths.Count > 0 ? paths[0] : null;
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: true);
        ShareLink link = await given.FindAsync(context, session.Node);
        var stall = new StallView(context);
        try
        {
            IAsyncEnumerator<ContentEntry> entries = session.Node.ListAsync(link, path, recursive: true, stall.Options(), context.Stopping).GetAsyncEnumerator(context.Stopping);
            await using (entries)
            {
                while (await NextAsync(context, entries, stall))
                    Show(context, entries.Current, entries.Current.Path.Length > 0 ? entries.Current.Path : await session.Node.GetNameAsync(link, null, context.Stopping) ?? link.Root.ToString());
            }
        }
        catch (P2PException failure) when (StallView.IsTimeout(failure))
        {
            throw StallView.Explain(failure);
        }

        return ExitCodes.Done;
    }

    private static async ValueTask<bool> NextAsync(CommandContext context, IAsyncEnumerator<ContentEntry> entries, StallView stall)
    {
        ValueTask<bool> next = entries.MoveNextAsync();
        if (next.IsCompleted)
            return await next;
        Task<bool> waiting = next.AsTask();
        await Ticker.WatchAsync(waiting, stall.Update, context.Host.Time, context.Stopping);
        return await waiting;
    }

    private static void Show(CommandContext context, ContentEntry entry, string shown)
    {
        if (entry.Path.Length == 0 && entry.Kind == ContentKind.Directory)
            return; // the root itself, which has no name in it
        if (context.Events is { } events)
            events.Write(new EntryEvent(shown, TypeOf(entry.Kind), entry.Bytes, entry.Cid.ToString()));
        else
            context.Data(string.Create(CultureInfo.InvariantCulture, $"{(entry.Bytes is { } bytes ? ByteSize.Format(bytes) : ""),10}  {SafeText.Clean(shown)}{(entry.Kind == ContentKind.Directory ? "/" : "")}"));
    }

    private static string TypeOf(ContentKind kind) => kind switch
    {
        ContentKind.Directory => "dir",
        ContentKind.SymbolicLink => "symlink",
        _ => "file",
    };
}
