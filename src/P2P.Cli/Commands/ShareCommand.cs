using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p share</c>: imports in place, prints the link, serves until Ctrl-C.</summary>
internal sealed class ShareCommand : ToolCommand
{
    private readonly Argument<string[]> _paths = new("PATH") { Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _name = new("--name") { HelpName = "NAME", Description = "the name in the link (default: the file's or folder's own)" };

    private readonly Option<string[]> _exclude = new("--exclude")
    {
        HelpName = "GLOB",
        Description = "leave out what matches, by its path inside the share; may be repeated",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<bool> _skipUnreadable = Flag("--skip-unreadable", "share the rest when some of it cannot be read, and say what was left out");
    private readonly Option<bool> _private = Flag("--private", "seal names and contents with a key that is in the link only");

    private readonly Option<string[]> _allow = new("--allow")
    {
        HelpName = "PEERID",
        Description = "give it to this peer only, as \"p2p id\" prints it there; may be repeated",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<string> _chunker = new("--chunker") { HelpName = "fixed|fastcdc", Description = "where files are cut into blocks: every 1 MiB (fixed), or by content, so that the next version is fetched in part (fastcdc)" };
    private readonly Option<bool> _lan = Flag("--lan", "tell peers on this network of it, by its name, as long as it is shared");
    private readonly Option<string> _replicas = new("--replicas") { HelpName = "N", Description = "have N nodes that offer disk keep copies, 1 to 16, so that it outlives this node" };
    private readonly Option<bool> _detach = Flag("--detach-after-replication", "end as soon as enough copies are kept, instead of serving on");
    private readonly Option<string> _timeout = TimeoutOption();
    private readonly Option<bool> _preserve = Flag("--preserve", "keep permissions and times of files and folders in the content");
    private readonly Option<string?> _qr = new("--qr") { HelpName = "FILE.svg", Description = "show the link as a QR code, or write it to this file", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool> _dryRun = Flag("--dry-run", "only show what would be shared; the data folder is not touched");

    public ShareCommand()
        : base("share", "Shares a file or folder where it lies and serves it until Ctrl-C. Prints the link that others fetch it by.")
    {
        Add(_paths);
        Add(_name);
        Add(_lan);
        Add(_exclude);
        Add(_skipUnreadable);
        Add(_private);
        Add(_allow);
        Add(_chunker);
        Add(_preserve);
        Add(_replicas);
        Add(_detach);
        Add(_timeout);
        Add(_qr);
        Add(_dryRun);
    }

    public override string Synopsis => "PATH... [OPTION]...";

    public override string Notes => """
        Several paths become one folder that holds them. Hidden files are included; symbolic links are kept as links and never followed. A single - is standard input; it needs --name and is copied into the data folder.

        In a GLOB, * stands for anything within a name, ** across folders, ? for one character, [a-z] for one of a class; case counts. It is compared with the path from the top of the share, so *.tmp means those at the top and **/*.tmp all; a folder's name means all below it. A pattern that matches nothing is an error.

        A file that is edited, moved or replaced while it is shared is noticed before wrong bytes leave; "p2p shares" lists such files.

        Whoever has the link, or learns the content id in it, can fetch what it leads to. With --private only who has the whole link can: the key is in the part after #, and who learns the content id, or keeps the blocks, learns neither names nor contents. The same paths shared so again keep their link until "p2p unshare". With --allow this node gives it to the named peers only; who fetched it can pass it on.

        With --lan peers on this network see its name and size in "p2p lan" and fetch it with "p2p fetch lan:NAME", without a link and without internet.

        With --replicas other nodes keep copies for 7 days, renewed while this node runs or by "p2p renew LINK"; they repair lost ones among themselves. It is then fetched also while this node is off. Names and contents are hidden from them with --private only. "p2p health LINK" counts the copies, "p2p unshare" releases them. With --detach-after-replication this command ends when at least 3 (or N, if that is less) copies of everything are kept, and fails when that has not come about within --timeout, which is of no use without it.
        """;

    /// <summary>Copies when only --detach-after-replication is given.</summary>
    private const int DefaultReplicas = 5;

    public override FolderUse UseOf(ParseResult parse) => parse.GetValue(_dryRun) ? FolderUse.None : FolderUse.Node;

    public override async Task<int> RunAsync(CommandContext context)
    {
        string[] paths = context.Parse.GetRequiredValue(_paths);
        string? name = context.Parse.GetValue(_name);
        Check(paths, name, context);
        var options = new ShareOptions
        {
            Name = name,
            Exclude = context.Parse.GetValue(_exclude) ?? [],
            ExcludeMustMatch = true,
            ContinueOnUnreadable = context.Parse.GetValue(_skipUnreadable),
            Private = context.Parse.GetValue(_private),
            AllowedPeers = [.. (context.Parse.GetValue(_allow) ?? []).Select(PeerOf)],
            Chunker = ChunkerOf(context.Parse.GetValue(_chunker)),
            PreserveMetadata = context.Parse.GetValue(_preserve),
            Replicas = ReplicasOf(context.Parse),
            OnLan = context.Parse.GetValue(_lan),
        };
        if (options.OnLan)
            LanView.Require(context);
        if (context.Parse.GetValue(_qr) is { } file && !file.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--qr {SafeText.Clean(file)}: name a file that ends in .svg. A path to share stands before the option, or behind --.");
        if (options is { OnLan: true, Private: true })
            throw new UsageException("--lan tells everybody on this network of it, and --private is for those who have the link: choose one.");
        if (options is { Replicas: > 0, AllowedPeers.Count: > 0 })
            throw new UsageException("--allow gives it to named peers only, and --replicas to nodes that keep it for everybody: choose one.");
        if (options.Replicas > 0)
            CopiesView.Require(context);
        if (!context.Parse.GetValue(_detach) && context.Parse.GetResult(_timeout) is { Implicit: false })
            throw new UsageException("--timeout says how long --detach-after-replication waits for copies; nothing else of share ends by itself. Leave it out, or give that too.");
        if (paths is ["-"] && options.PreserveMetadata)
            throw new UsageException("Standard input has no permissions and no time to --preserve.");
        if (paths is ["-"] && options.Exclude.Count > 0)
            throw new UsageException("Standard input is one file: there is nothing in it to --exclude.");
        if (context.Parse.GetValue(_dryRun))
        {
            if (paths is ["-"])
                throw new UsageException("Standard input can be read once only, so --dry-run would leave nothing to share. Share it, or use a file.");
            return await SharePlan.RunAsync(context, paths, options);
        }

        await using NodeSession session = await NodeSession.OpenAsync(context, listen: true, mayStandBeside: false);
        P2PNode node = session.Node;
        if (options.OnLan)
            LanView.Require(context, node);
        if (options.Replicas > 0)
            CopiesView.Require(context, node);
        string[] addresses = [.. node.Status.Addresses.Select(address => address.ToString())];
        context.Events?.Write(new ReadyEvent($"{node.Id}", addresses));
        if (session.IsNew)
            context.Screen.Line($"New node {Short(node.Id)}, kept in {context.DisplayOwn(session.Folder)}{Port(addresses)}");

        Share share;
        Task<Share> work;
        long started = context.Host.Time.GetTimestamp();
        try
        {
            (share, work) = await ImportAsync(context, node, paths, options);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException("Stopped before the link was ready; nothing is shared.");
        }

        double seconds = Math.Round(context.Host.Time.GetElapsedTime(started).TotalSeconds, 3);
        ShowLink(context, share, seconds, addresses, node.Status, isCopied: paths is ["-"]);
        ShowQr(context, share.Link);
        bool leaves = context.Parse.GetValue(_detach), stays = context.Host.Attachment is { Shared.Stays: true };
        var spreading = new SpreadingView(context, node, share) { ServesOn = !leaves, IsAlone = leaves || stays };
        if (leaves)
            return await spreading.FinishAsync(work, context.Settings.Timeout ?? new FetchOptions().StallTimeout);
        if (stays)
        {
            await spreading.ShowAsync(work);
            context.Host.Attachment?.ThrowIfAbandoned();
            context.Screen.Line("The node that runs serves it; \"p2p unshare\" ends that.");
            return ExitCodes.Done;
        }

        NodeStatus last = await new ServingView(context, node).RunAsync(spreading.ShowAsync(work));
        if (context.Events is null)
            context.Screen.Line(Goodbye(last, context.Parse, isInput: paths is ["-"]));
        return ExitCodes.Done;
    }

    private static PeerId PeerOf(string text) => PeerId.TryParse(text, CultureInfo.InvariantCulture, out PeerId peer)
        ? peer
        : throw new UsageException($"--allow {text} is no peer id. \"p2p id\" prints one on the machine that is to be allowed; it begins with 12D3KooW.");

    private static void Check(string[] paths, string? name, CommandContext context)
    {
        if (name is { Length: 0 })
            throw new UsageException("--name needs a name.");
        if (paths.Contains("-"))
        {
            if (paths.Length > 1)
                throw new UsageException("Standard input (-) can only be shared alone.");
            if (name is null)
                throw new UsageException("Standard input has no name. Give one: p2p share - --name NAME");
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in paths)
        {
            if (path.Length == 0)
                throw new UsageException("An empty path is no path.");
            string own = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, context.Host.CurrentDirectory)));
            if (!names.TryAdd(own, path))
                throw new UsageException($"{names[own]} and {path} have the same name, so one folder cannot hold both. Share the folder that they are in, or rename one.");
        }
    }

    private int ReplicasOf(ParseResult parse)
    {
        if (parse.GetValue(_replicas) is not { } text)
            return parse.GetValue(_detach) ? DefaultReplicas : 0;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= 16
            ? count
            : throw new UsageException($"--replicas {SafeText.Clean(text)} is no number from 1 to 16.");
    }

    /// <summary>Imports until the link works; what goes on then is announcing and placing copies.</summary>
    private static async Task<(Share Share, Task<Share> Work)> ImportAsync(CommandContext context, P2PNode node, string[] paths, ShareOptions options)
    {
        var ready = new TaskCompletionSource<Share>(TaskCreationOptions.RunContinuationsAsynchronously);
        options = options with { Ready = share => ready.TrySetResult(share) };
        var progress = new LatestProgress<ImportProgress>();
        bool isInput = paths is ["-"];
        await using Stream? input = isInput ? context.Host.OpenInput() : null;
        Task<Share> work = isInput
            ? node.ShareAsync(input!, options.Name!, options, progress, context.Stopping)
            : node.ShareAsync([.. paths.Select(path => Path.GetFullPath(path, context.Host.CurrentDirectory))], options, progress, context.Stopping);
        var view = new ImportView(context, options.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(paths[0])), progress, hasEvents: true);
        try
        {
            await Ticker.WatchAsync(Task.WhenAny(work, ready.Task), view.Update, context.Host.Time, context.Stopping);
            Share share = ready.Task.IsCompleted ? await ready.Task : await work;
            view.End(share.Bytes, share.Bytes);
            return (share, work);
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private static void ShowLink(CommandContext context, Share share, double seconds, string[] addresses, NodeStatus status, bool isCopied)
    {
        foreach (string unreadable in share.Unreadable)
            context.Warn("unreadable", $"{unreadable}. It cannot be read and is not part of the share.");
        foreach (string skipped in share.Skipped)
            context.Warn("skipped", $"{skipped} is no file, folder or link and is not part of the share.");
        string link = share.Link.ToUriString();
        if (context.Events is { } events)
        {
            events.Write(SharedEvent.Of(share, seconds, addresses));
            return;
        }

        Screen screen = context.Screen;
        string where = isCopied ? "copied into the data folder" : "served from where it lies (not copied)";
        screen.Line($"{SafeText.Clean(share.Name)}  {ByteSize.Format(share.Bytes)}, hashed in {Duration.FormatElapsed(TimeSpan.FromSeconds(seconds))}, {where}");
        if (share.BytesAlreadyThere > 0)
            screen.Line($"{new string(' ', Math.Min(SafeText.Clean(share.Name).Length, 40))}  {ByteSize.Format(share.BytesAlreadyThere)} of it was known here already: who seeds that fetches the rest only");
        screen.Line();
        context.Data(link);
        screen.Line();
        screen.Line("Elsewhere:  p2p fetch LINK");
        screen.Line($"Readable:   {Readable(share)}");
        if (share.AllowedPeers.Count > 0)
            screen.Line($"Given to:   {string.Join(", ", share.AllowedPeers.Select(peer => $"{peer}"))}; nobody else gets it from here");
        screen.Line($"Reachable:  {Reachable(addresses, status)}");
    }

    private void ShowQr(CommandContext context, ShareLink link)
    {
        if (context.Parse.GetResult(_qr) is not { Implicit: false })
            return;
        QrCode code = QrCode.Of(link);
        if (context.Parse.GetValue(_qr) is { } file)
        {
            File.WriteAllText(Path.GetFullPath(file, context.Host.CurrentDirectory), code.ToSvg());
            context.Screen.Line($"QR code:    {context.Display(Path.GetFullPath(file, context.Host.CurrentDirectory))}");
        }
        else if (!context.Screen.IsTerminal)
        {
            context.Screen.Line("QR code:    not shown, because this is no terminal; --qr FILE.svg writes it to a file");
        }
        else if (!code.Fits(context.Host.Width(), context.Host.Height()))
        {
            context.Screen.Line($"QR code:    needs {code.Size} columns and {((code.Size + 1) / 2) + 1} rows, which this terminal does not have; --qr FILE.svg writes it to a file");
        }
        else
        {
            context.Screen.Line();
            foreach (string line in code.Lines(context.Screen.HasColours))
                context.Screen.Line(line);
        }
    }

    private static string Readable(Share share) =>
        share.Private ? "only by who has the link" : "by whoever has the link or learns its content id (--private: link only)";

    private static Chunker ChunkerOf(string? name) => name switch
    {
        null or "fixed" => Chunker.Fixed,
        "fastcdc" => Chunker.FastCdc,
        _ => throw new UsageException($"There is no chunker \"{name}\". It is fixed or fastcdc."),
    };

    private static string Reachable(string[] addresses, NodeStatus status) =>
        addresses.Length == 0 ? "by nobody: no address is listened on"
        : addresses.All(Loopback.Is) ? "this machine only"
        : $"this network yes; {Internet(status)}";

    private static string Internet(NodeStatus status)
    {
        string how = status.Mappings is [var mapping, ..] ? $", port {mapping.InternalPort} mapped by {DoctorCommand.TitleOf(mapping.Protocol)}" : "";
        return status.Internet switch
        {
            P2P.Core.Reachability.Reachable => $"internet yes{how}",
            P2P.Core.Reachability.Unreachable => "internet no (p2p doctor says why)",
            _ => $"internet not yet known{how}",
        };
    }

    private static string Port(string[] addresses)
    {
        const string Tcp = "/tcp/";
        string? first = addresses.FirstOrDefault(address => address.Contains(Tcp, StringComparison.Ordinal));
        return first is null ? "" : $" (port {first[(first.IndexOf(Tcp, StringComparison.Ordinal) + Tcp.Length)..].Split('/')[0]})";
    }

    private static string Short(PeerId id) => $"{id}" is { Length: > 16 } text ? $"{text[..11]}...{text[^4..]}" : $"{id}";

    private static string Goodbye(NodeStatus last, ParseResult parse, bool isInput)
    {
        string sent = ServingView.Sent(last);
        return isInput ? $"Stopped; {sent}." : $"Stopped; {sent}. \"{SafeText.Clean(CommandLine(parse))}\" serves the same link again.";
    }

    // As it was typed, so that it works when it is pasted.
    private static string CommandLine(ParseResult parse)
    {
        var line = new StringBuilder("p2p");
        bool valueFollows = false, isLiteral = false;
        foreach (Token token in parse.Tokens)
        {
            bool needsEquals = valueFollows && !isLiteral && token.Value.StartsWith('-');
            line.Append(needsEquals ? '=' : ' ').Append(Quote(token.Value));
            isLiteral |= token.Type == TokenType.DoubleDash;
            valueFollows = token.Type == TokenType.Option && TakesValue(parse, token.Value);
        }

        return line.ToString();
    }

    private static bool TakesValue(ParseResult parse, string option) => parse.CommandResult.Command.Options
        .Concat(parse.RootCommandResult.Command.Options)
        .Any(known => known.Arity.MaximumNumberOfValues > 0 && known.ValueType != typeof(bool) && (known.Name == option || known.Aliases.Contains(option)));

    private static string Quote(string word) => word.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '/' or '\\' or ':' or '@' or '+' or '=' or ',')
        ? word
        : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
