using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p demo</c>: the whole job in one command, between nodes in this process on the loopback interface.</summary>
internal sealed class DemoCommand : ToolCommand
{
    private const int MadeBytes = 64 << 20;

    /// <summary>Nodes that keep copies, and copies wanted (count).</summary>
    private const int Keepers = 4, Replicas = 3;

    private static readonly TimeSpan s_meeting = TimeSpan.FromSeconds(30), s_look = TimeSpan.FromMilliseconds(50);

    private readonly Argument<string?> _path = new("PATH") { Arity = ArgumentArity.ZeroOrOne };

    public DemoCommand()
        : base("demo", "Shows the whole job on this machine: share with copies at others, end the sharer, fetch by content id, compare.") => Add(_path);

    public override string Synopsis => "[PATH] [OPTION]...";

    public override string Notes => """
        Six nodes run in this process, on the loopback interface and in a temporary folder that is removed at the end: a sharer, four that offer disk, and one that fetches. Without PATH a file of 64 MiB is made.
        """;

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override async Task<int> RunAsync(CommandContext context)
    {
        string? given = context.Parse.GetValue(_path);
        string folder = Directory.CreateTempSubdirectory("p2p-demo-").FullName;
        try
        {
            string path = given is null ? MakeFile(folder) : Path.GetFullPath(given, context.Host.CurrentDirectory);
            return await RunAsync(context, path, folder);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException("The demonstration was stopped; nothing is left of it.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> RunAsync(CommandContext context, string path, string folder)
    {
        List<P2PNode> nodes = [];
        try
        {
            return await RunAsync(context, path, folder, nodes);
        }
        finally
        {
            foreach (P2PNode node in nodes)
                await node.DisposeAsync();
        }
    }

    private static async Task<int> RunAsync(CommandContext context, string path, string folder, List<P2PNode> nodes)
    {
        Screen screen = context.Screen;
        CancellationToken stopping = context.Stopping;
        P2PNode sharer = await StartAsync(context, folder, "sharer", nodes, offers: false);
        for (int i = 1; i <= Keepers; i++)
            await StartAsync(context, folder, $"keeper-{i}", nodes, offers: true);
        P2PNode fetcher = await StartAsync(context, folder, "fetcher", nodes, offers: false);
        context.Events?.Write(new ReadyEvent($"{sharer.Id}", [.. sharer.Status.Addresses.Select(address => address.ToString())]));
        await MeetAsync(nodes, stopping);
        screen.Line($"{nodes.Count} nodes found each other through a DHT of their own; {Keepers} of them offer disk.");

        long started = context.Host.Time.GetTimestamp();
        Share share = await sharer.ShareAsync(path, new ShareOptions { Replicas = Replicas }, cancellationToken: stopping);
        HealthReport health = share.Health!;
        screen.Line($"The sharer hashed and announced {SafeText.Clean(share.Name)} ({ByteSize.Format(share.Bytes)}, {ProgressBar.Count((int)Math.Min(share.Blocks, int.MaxValue), "block")}) and had copies kept in {Duration.FormatElapsed(context.Host.Time.GetElapsedTime(started))}:");
        screen.Line($"  {CopiesView.Describe(health)}.");
        if (context.Events is { } told)
        {
            told.Write(new AnnouncedEvent(share.Announced.Nodes, share.Announced.Of, share.Announced.Verified));
            told.Write(CopiesView.ToReplicated(health));
        }

        if (CopiesView.Warning(health) is { } warning)
            throw new P2PException(P2PErrorCode.Unreachable, $"The demonstration ends here, because its sharer cannot be stopped. {warning}.");

        await sharer.StopAsync(stopping);
        screen.Line("The sharer was stopped.");

        // the content id alone: nothing in it says where to look
        ShareLink link = ShareLink.Parse($"{share.Root}", CultureInfo.InvariantCulture);
        FetchResult got = await FetchAsync(context, fetcher, link, Path.Combine(folder, "copy"), new FetchOptions());
        long rate = (long)(got.Bytes / Math.Max(got.Elapsed.TotalSeconds, 0.001));
        int holders = got.BytesByPeer.Count(sent => sent.Value > 0);
        screen.Line($"The fetcher got it by its content id alone: {ByteSize.Format(got.Bytes)} in {Duration.FormatElapsed(got.Elapsed)}, {ByteRate.Format(rate)}, encrypted on the way and verified;");
        foreach ((PeerId peer, long bytes) in got.BytesByPeer.Where(sent => sent.Value > 0))
            screen.Line($"  {ByteSize.Format(bytes)} from {peer}");

        bool ok = FolderComparison.AreEqual(path, got.Path, stopping) && !got.BytesByPeer.ContainsKey(sharer.Id);
        screen.Line(ok ? "The copy is equal to the original, byte for byte." : "The copy differs from the original.");
        if (context.Events is { } events)
        {
            var from = got.BytesByPeer.ToDictionary(sent => $"{sent.Key}", sent => sent.Value, StringComparer.Ordinal);
            events.Write(new DemoEvent(ok, rate, holders, got.Bytes, Math.Round(got.Elapsed.TotalSeconds, 3), from));
        }
        else
        {
            context.Data($"{(ok ? "ok" : "failed")}  {ByteRate.Format(rate)} from {ProgressBar.Count(holders, "holder")}");
        }

        return ok ? ExitCodes.Done : ExitCodes.Integrity;
    }

    /// <summary>Starts a node that knows the first one.</summary>
    private static async Task<P2PNode> StartAsync(CommandContext context, string folder, string name, List<P2PNode> nodes, bool offers)
    {
        var options = P2PNodeOptions.Loopback(Path.Combine(folder, name));
        if (nodes is [P2PNode first, ..])
            options.BootstrapPeers = [$"{first.Status.Addresses[0]}/p2p/{first.Id}"];
        if (offers)
            options.Replication.OfferBytes = 1L << 60; // what it is given to keep is as large as PATH
        var node = new P2PNode(options, context.Loggers);
        nodes.Add(node);
        await node.StartAsync(context.Stopping);
        return node;
    }

    /// <summary>Waits until the nodes know each other and those that offer disk.</summary>
    private static async Task MeetAsync(List<P2PNode> nodes, CancellationToken stopping)
    {
        long began = Stopwatch.GetTimestamp();
        while (!nodes.TrueForAll(node => node.Status.Dht is { Contacts: > 0 }) || nodes.Max(node => node.Status.Dht!.Holders) < Keepers - 1)
        {
            if (Stopwatch.GetElapsedTime(began) > s_meeting)
                throw new P2PException(P2PErrorCode.Unreachable, "The nodes of the demonstration did not find each other on the loopback interface within 30 s. Is it blocked by a firewall?");
            await Task.Delay(s_look, stopping);
        }
    }

    private static async Task<FetchResult> FetchAsync(CommandContext context, P2PNode node, ShareLink link, string target, FetchOptions options)
    {
        await using Transfer transfer = node.StartFetch(link, target, options);
        try
        {
            await Ticker.WatchAsync(transfer.Completion, () => Show(context, transfer.Progress), context.Host.Time, context.Stopping);
            if (context.Stopping.IsCancellationRequested)
                await transfer.CancelAsync();
            return await transfer.Completion;
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private static void Show(CommandContext context, TransferProgress now)
    {
        if (context.Events is { } events)
            events.Write(new ProgressEvent(now.VerifiedBytes, now.TotalBytes, (long)Math.Round(now.BytesPerSecond), now.Peers));
        else
            context.Screen.Live(ProgressBar.Render(now.VerifiedBytes, now.TotalBytes, now.BytesPerSecond, now.Remaining, now.Peers));
    }

    private static string MakeFile(string folder)
    {
        string path = Path.Combine(folder, "demo.bin");
        using FileStream file = File.Create(path);
        byte[] chunk = new byte[1 << 20];
        for (int written = 0; written < MadeBytes; written += chunk.Length)
        {
            RandomNumberGenerator.Fill(chunk); // every block another one, so that nothing is found twice
            file.Write(chunk);
        }

        return path;
    }
}
