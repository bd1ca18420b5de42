using System.CommandLine;
using System.Globalization;
using P2P.Cli.Targets;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p fetch</c>: finds, downloads, verifies, resumes.</summary>
internal sealed class FetchCommand : ToolCommand
{
    private const int PathsMax = 1_000;

    private readonly LinkInput _link = new();
    private readonly Option<string> _output = new("-o", "--output") { HelpName = "TARGET", Description = "where to: a folder, or the file or folder to become; - is standard output" };
    private readonly Option<string[]> _select = new("--select") { HelpName = "GLOB", Description = "of a folder only what matches, e.g. 'photos/**/*.jpg'; may be repeated", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
    private readonly Option<bool> _overwrite = Flag("--overwrite", "replace what is there with other content, once the new content is verified");
    private readonly Option<bool> _rename = Flag("--rename", "write beside what is there, as NAME (1).EXT");
    private readonly Option<string> _timeout = new("--timeout") { HelpName = "T", Description = "the longest time without one new verified byte, e.g. 30s, 5m, 2h, 7d (default: 2m)" };
    private readonly Option<bool> _seed = Flag("--seed", "serve it to others, already while it arrives, and stay until Ctrl-C");

    public FetchCommand()
        : base("fetch", "Fetches what a link leads to: verified, and resumed by the same command after any break.")
    {
        _link.AddTo(this, withLan: true);
        Add(_output);
        Add(_select);
        Add(_overwrite);
        Add(_rename);
        Add(_timeout);
        Add(_seed);
    }

    public override string Synopsis => "LINK [PATH]... [OPTION]...";

    public override string Notes => LinkInput.LanNote + """


        Without -o it is written to the current folder under the name in the link. With PATH only that part of a folder is fetched, with --select only what matches in it: * within a name, ** across folders; a folder's name selects all below it. What is already there with the same content is kept and not transferred again; anything else there is left alone unless --overwrite or --rename is given.


        """ + LinkInput.Note;

    public override async Task<int> RunAsync(CommandContext context)
    {
        if (context.Parse.GetValue(_overwrite) && context.Parse.GetValue(_rename))
            throw new UsageException("--overwrite and --rename contradict each other.");
        (GivenLink given, IReadOnlyList<string> paths) = _link.ReadGiven(context, PathsMax);
        bool seed = context.Parse.GetValue(_seed);
        await using NodeSession? early = given.Link is null ? await OpenAsync(context, seed) : null;
        ShareLink link = given.Link ?? await given.FindAsync(context, early!.Node);
        string? output = context.Parse.GetValue(_output);
        if (output == "-" && Selected(context).Count > 0)
            throw new UsageException("-o - writes one file, so there is nothing to select. Name the file as a path behind the link.");
        if (output == "-")
            return await StreamAsync(context, early, given, link, paths);

        bool nameIsInside = link.HasKey && paths.Count == 0 && link.Path is null && FetchTarget.NeedsName(output, context.Host.CurrentDirectory);
        List<Job> jobs = nameIsInside ? [] : Plan(context, link, paths, output, null);
        await using NodeSession? own = early is null ? await OpenAsync(context, seed) : null;
        P2PNode node = (early ?? own)!.Node;
        if (nameIsInside)
            jobs = Plan(context, link, paths, output, await NameInsideAsync(context, node, link));
        foreach (Job job in jobs)
            await FetchOneAsync(context, node, link, job, seed);
        await given.KeepAsync(node);
        if (seed)
            await new ServingView(context, node).RunAsync();
        return ExitCodes.Done;
    }

    private IReadOnlyList<string> Selected(CommandContext context) => context.Parse.GetValue(_select) ?? [];

    private static async Task<NodeSession> OpenAsync(CommandContext context, bool seed)
    {
        try
        {
            return await NodeSession.OpenAsync(context, listen: seed, mayStandBeside: true);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException("Stopped before the transfer began. The same command goes on from there.");
        }
    }

    private static async Task<int> StreamAsync(CommandContext context, NodeSession? early, GivenLink given, ShareLink link, IReadOnlyList<string> paths)
    {
        context.RefuseJson("-o -");
        if (paths.Count > 1)
            throw new UsageException("-o - writes one file; several paths were given.");
        await using NodeSession? own = early is null ? await NodeSession.OpenAsync(context, listen: false, mayStandBeside: true) : null;
        P2PNode node = (early ?? own)!.Node;
        await ContentStreaming.CopyAsync(context, node, link, paths.Count > 0 ? paths[0] : null, default);
        await given.KeepAsync(node);
        return ExitCodes.Done;
    }

    private static List<Job> Plan(CommandContext context, ShareLink link, IReadOnlyList<string> paths, string? output, string? nameInside)
    {
        if (paths.Count > 1 && output is not null && !Directory.Exists(Path.GetFullPath(output, context.Host.CurrentDirectory)) && !Path.EndsInDirectorySeparator(output))
            throw new UsageException($"Several paths need a folder to go to, and {output} is none. End it with {Path.DirectorySeparatorChar} to make one.");
        var jobs = new List<Job>();
        foreach (string? path in paths.Count == 0 ? (IReadOnlyList<string?>)[null] : paths)
        {
            string? inside = LinkInput.Join(link.Path, path);
            string claimed = (inside is not null ? inside.Split('/')[^1] : link.HasKey ? nameInside : link.Label) ?? link.Root.ToString();
            string name = FileNames.Sanitize(claimed, link.Root.ToString(), FetchTarget.PlatformOf(context.Host.System));
            string target = FetchTarget.Resolve(output, name, context.Host.CurrentDirectory);
            if (jobs.Any(job => job.Target == target))
                throw new UsageException($"Two of the paths would both become {context.Display(target)}. Fetch them one after the other with -o.");
            jobs.Add(new Job(path, name, target, name == claimed ? null : claimed));
        }

        return jobs;
    }

    private static async Task<string?> NameInsideAsync(CommandContext context, P2PNode node, ShareLink link)
    {
        try
        {
            return await node.GetNameAsync(link, OptionsFor(context), context.Stopping);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException("Stopped before the transfer began. The same command goes on from there.");
        }
        catch (P2PException failure)
        {
            new FetchView(context, "private share", context.Host.CurrentDirectory, null).Failed(failure);
            throw;
        }
    }

    private static FetchOptions OptionsFor(CommandContext context)
    {
        var options = new FetchOptions { ExtraPeers = [.. context.Settings.Peers.Select(address => Multiaddress.Parse(address, CultureInfo.InvariantCulture))] };
        return context.Settings.Timeout is { } timeout ? options with { StallTimeout = timeout } : options;
    }

    private async Task FetchOneAsync(CommandContext context, P2PNode node, ShareLink link, Job job, bool seed)
    {
        FetchOptions options = OptionsFor(context) with
        {
            Path = job.Path,
            Select = Selected(context),
            Seed = seed ? true : null,
            IfExists = context.Parse.GetValue(_overwrite) ? IfExists.Overwrite : context.Parse.GetValue(_rename) ? IfExists.Rename : IfExists.Fail,
        };

        var view = new FetchView(context, job.Name, job.Target, job.RenamedFrom);
        view.Begin();
        await using Transfer transfer = node.StartFetch(link, job.Target, options);
        try
        {
            await Ticker.WatchAsync(transfer.Completion, () => view.Update(transfer.Progress), context.Host.Time, context.Stopping);
            if (context.Stopping.IsCancellationRequested)
                await transfer.CancelAsync();
            view.Done(await transfer.Completion);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException(FetchView.Kept(transfer.Progress));
        }
        catch (P2PException failure) when (failure.Code is P2PErrorCode.NotFound or P2PErrorCode.Unreachable && failure.IsTransient)
        {
            view.Failed(failure);
            throw new P2PException(failure.Code, failure.Message.TrimEnd() + " Wait longer with --timeout 1d. What is verified is kept.", failure) { Attempts = failure.Attempts, IsTransient = true };
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    /// <summary>One thing to fetch: its path below that of the link, its name and where it goes; and the name in the link, if that could not be kept.</summary>
    private sealed record Job(string? Path, string Name, string Target, string? RenamedFrom);
}
