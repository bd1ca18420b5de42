using System.CommandLine;
using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Parsing;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p unshare</c>: stops sharing; the files stay as they are.</summary>
internal sealed class UnshareCommand : ToolCommand
{
    private readonly Argument<string> _what = new("LINK|PATH|CID");

    public UnshareCommand()
        : base("unshare", "Stops sharing something. The files stay as they are.") => Add(_what);

    public override string Synopsis => "LINK|PATH|CID [OPTION]...";

    public override string Notes => """
        A path ends every share of it, also those of what it held earlier. A link or content id also ends the serving of what was fetched with --seed. Copies that others have fetched cannot be called back. Those that nodes keep because of --replicas are released: their holders are told to let go of them, and who cannot be reached keeps them until the lease ends, 7 days after it was renewed (replication.lease).
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        string what = context.Parse.GetRequiredValue(_what);
        if (what.Length == 0)
            throw new UsageException("An empty text is no link, path or content id.");
        Cid? root = RootOf(what);
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(what, context.Host.CurrentDirectory));
        if (!Array.Exists(["index.db", "pins"], name => File.Exists(Path.Combine(context.Settings.DataFolderOf(context.Host), name))))
            throw new P2PException(P2PErrorCode.NotFound, "Nothing is shared: this data folder was never used.");

        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        var shares = new List<Share>();
        await foreach (Share share in session.Node.GetSharesAsync(context.Stopping))
            shares.Add(share);
        Share[] meant = [.. shares.Where(share => root is { } cid ? share.Root == cid : share.Path == path)];
        if (meant.Length == 0 && root is not null)
            meant = [.. shares.Where(share => share.Path == path)]; // a file that is named like a content id
        if (meant.Length == 0 && root is { } seeded && await session.Node.StopSharingAsync(seeded, context.Stopping))
        {
            Tell(context, seeded, LabelOf(what) ?? seeded.ToString()); // fetched with --seed
            return ExitCodes.Done;
        }

        if (meant.Length == 0)
            throw NotShared(context, what, shares);
        foreach (Share share in meant)
        {
            await session.Node.StopSharingAsync(share.Root, context.Stopping);
            Tell(context, share.Root, share.Name, share, session.Node.Status.Dht is not null);
        }

        return ExitCodes.Done;
    }

    private static void Tell(CommandContext context, Cid root, string name, Share? share = null, bool couldTell = false)
    {
        if (context.Events is { } events)
        {
            events.Write(new UnsharedEvent(root.ToString(), name, share?.Path, share?.Bytes ?? 0, share?.Replicas ?? 0, share?.ReplicasUntil?.UtcDateTime));
            return;
        }

        context.Screen.Line($"{SafeText.Clean(name)} is not shared any more. The files stay as they are; copies that others have fetched cannot be called back.");
        if (share is { ReplicasUntil: { } until })
            context.Screen.Line(Copies(couldTell, until.ToLocalTime().ToString("d MMMM yyyy", CultureInfo.InvariantCulture)));
    }

    private static string Copies(bool couldTell, string until) => couldTell
        ? $"Those who keep copies for it were told to let go of them; who could not be reached keeps them until the lease ends, on {until} at the latest."
        : $"Those who keep copies for it cannot be told (dht.mode is off): they keep them until the lease ends, on {until} at the latest.";

    // an absolute path of Linux is no link, although "/ipfs/CID" looks like one
    private static Cid? RootOf(string what) => ShareLink.TryParse(what, CultureInfo.InvariantCulture, out ShareLink? link) ? link.Root : null;

    private static string? LabelOf(string what) => ShareLink.TryParse(what, CultureInfo.InvariantCulture, out ShareLink? link) && !link.HasKey ? link.Label : null;

    private static P2PException NotShared(CommandContext context, string what, List<Share> shares)
    {
        string shown = ShareLink.TryParse(what, CultureInfo.InvariantCulture, out ShareLink? link) ? link.ToString() : what;
        string? nearest = NearestName.FindAny(what, shares.SelectMany(share => share.Path is { } path ? new[] { context.DisplayOwn(path), share.Name } : [share.Name]).Distinct(StringComparer.Ordinal));
        string advice = nearest is null ? "Nothing is shared." : $"The nearest that is shared: {nearest}. \"p2p shares\" lists all.";
        return new P2PException(P2PErrorCode.NotFound, $"{shown} is not shared. {advice}");
    }
}
