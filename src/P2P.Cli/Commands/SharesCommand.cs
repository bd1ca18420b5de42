using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p shares</c>: what this data folder shares, with links, and which files are not what they were.</summary>
internal sealed class SharesCommand() : ToolCommand("shares", "Lists what this data folder shares, with links, and files that changed since.")
{
    private const int ChangedShown = 10;

    public override string Synopsis => "[OPTION]...";

    public override string Notes => """
        A share is served while "p2p share" runs with it, or any command that serves on this data folder. A changed file is served no more where its bytes differ; the rest is. "p2p share" of the same path again makes a new link to what is there now.
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        if (!Array.Exists(["index.db", "pins"], name => File.Exists(Path.Combine(context.Settings.DataFolderOf(context.Host), name))))
        {
            context.Screen.Line("Nothing is shared: this data folder was never used.");
            return ExitCodes.Done;
        }

        await using NodeSession session = await NodeSession.OpenAsync(context, listen: true, mayStandBeside: false); // links hold the addresses
        string[] addresses = [.. session.Node.Status.Addresses.Select(address => address.ToString())];
        int count = 0;
        await foreach (Share share in session.Node.GetSharesAsync(context.Stopping))
        {
            count++;
            if (context.Events is { } events)
                events.Write(SharedEvent.Of(share, seconds: null, addresses));
            else
                Show(context, share);
        }

        if (count == 0)
            context.Screen.Line("Nothing is shared.");
        return ExitCodes.Done;
    }

    private static void Show(CommandContext context, Share share)
    {
        string where = share.Path is { } path ? context.DisplayOwn(path)
            : share.Paths.Count > 0 ? string.Join(", ", share.Paths.Select(context.DisplayOwn))
            : "copied into the data folder";
        context.Data(string.Create(CultureInfo.InvariantCulture, $"{ByteSize.Format(share.Bytes),10}  {SafeText.Clean(share.Name)}  ({where}{(share.Private ? "; private" : "")})"));
        context.Data($"            {share.Link.ToUriString()}");
        if (share.AllowedPeers.Count > 0)
            context.Data($"            given to {string.Join(", ", share.AllowedPeers.Select(peer => $"{peer}"))} only");
        if (share.Replicas > 0)
            context.Data($"            {CopiesView.Copies(share.Replicas)} wanted at others{(share.ReplicasUntil is { } until ? $", promised until {until.ToLocalTime().ToString("d MMMM yyyy", CultureInfo.InvariantCulture)}" : ", none promised yet")}");
        if (share.ChangedFileCount == 0)
            return;
        context.Data($"            {ProgressBar.Count(share.ChangedFileCount, "file")} changed since it was shared; what is as it was is served:");
        foreach (ChangedFile file in share.ChangedFiles.Take(ChangedShown))
            context.Data($"              {context.DisplayOwn(file.Path)}{(file.Change == FileChange.Missing ? " (not there)" : "")}");
        if (share.ChangedFileCount > ChangedShown)
            context.Data($"              and {share.ChangedFileCount - ChangedShown} more");
    }
}
