using System.CommandLine;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p cid</c>: the content id without sharing.</summary>
internal sealed class CidCommand : ToolCommand
{
    private readonly Argument<string> _path = new("PATH");

    public CidCommand()
        : base("cid", "Prints the content id of a file or folder without sharing it.") => Add(_path);

    public override string Synopsis => "PATH [OPTION]...";

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override async Task<int> RunAsync(CommandContext context)
    {
        string path = context.Parse.GetRequiredValue(_path);
        var progress = new LatestProgress<ImportProgress>();
        Task<ContentEntry> work = P2PNode.ComputeCidAsync(Path.GetFullPath(path, context.Host.CurrentDirectory), progress, context.Stopping);
        var view = new ImportView(context, Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), progress, hasEvents: false);
        await Ticker.WatchAsync(work, view.Update, context.Host.Time, context.Stopping);
        ContentEntry entry = await work;
        context.Screen.EndLive();
        if (context.Events is { } events)
            events.Write(new CidEvent(path, entry.Cid.ToString(), entry.Bytes));
        else
            context.Data(entry.Cid.ToString());
        return ExitCodes.Done;
    }
}
