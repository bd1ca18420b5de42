using System.CommandLine;
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

    private readonly Argument<string?> _path = new("PATH") { Arity = ArgumentArity.ZeroOrOne };

    public DemoCommand()
        : base("demo", "Shows the whole job on this machine: share, fetch, fetch from two at once, compare.") => Add(_path);

    public override string Synopsis => "[PATH] [OPTION]...";

    public override string Notes => "Three nodes run in this process, on the loopback interface and in a temporary folder that is removed at the end. Without PATH a file of 64 MiB is made.";

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
        Screen screen = context.Screen;
        CancellationToken stopping = context.Stopping;
        await using P2PNode sharer = await StartAsync(context, folder, "sharer");
        await using P2PNode first = await StartAsync(context, folder, "first");
        await using P2PNode second = await StartAsync(context, folder, "second");
        context.Events?.Write(new ReadyEvent($"{sharer.Id}", [.. sharer.Status.Addresses.Select(address => address.ToString())]));

        long started = context.Host.Time.GetTimestamp();
        Share share = await sharer.ShareAsync(path, cancellationToken: stopping);
        screen.Line($"The sharer hashed {SafeText.Clean(share.Name)} ({ByteSize.Format(share.Bytes)}, {share.Blocks} blocks) in {Duration.FormatElapsed(context.Host.Time.GetElapsedTime(started))}.");

        FetchResult one = await FetchAsync(context, first, share.Link, Path.Combine(folder, "first-copy"), new FetchOptions { Seed = true });
        screen.Line($"The first fetcher got it from the sharer: {Summary(one)}.");

        Multiaddress[] addresses = [.. first.Status.Addresses.Select(address => Multiaddress.Parse($"{address}/p2p/{first.Id}", CultureInfo.InvariantCulture))];
        FetchResult two = await FetchAsync(context, second, share.Link, Path.Combine(folder, "second-copy"), new FetchOptions { ExtraPeers = addresses });
        long fromSharer = two.BytesByPeer.GetValueOrDefault(sharer.Id), fromFirst = two.BytesByPeer.GetValueOrDefault(first.Id);
        screen.Line($"The second fetcher got it from both: {Summary(two)};");
        screen.Line($"  {ByteSize.Format(fromSharer)} from the sharer, {ByteSize.Format(fromFirst)} from the first fetcher.");

        bool ok = FolderComparison.AreEqual(path, one.Path, stopping) && FolderComparison.AreEqual(path, two.Path, stopping);
        screen.Line(ok ? "Both copies are equal to the original, byte for byte." : "The copies differ from the original.");
        long rate = (long)(two.Bytes / Math.Max(two.Elapsed.TotalSeconds, 0.001));
        int holders = two.BytesByPeer.Count(sent => sent.Value > 0);
        if (context.Events is { } events)
        {
            var from = two.BytesByPeer.ToDictionary(sent => $"{sent.Key}", sent => sent.Value, StringComparer.Ordinal);
            events.Write(new DemoEvent(ok, rate, holders, two.Bytes, Math.Round(two.Elapsed.TotalSeconds, 3), from));
        }
        else
        {
            context.Data($"{(ok ? "ok" : "failed")}  {ByteRate.Format(rate)} from {ProgressBar.Count(holders, "holder")}");
        }

        return ok ? ExitCodes.Done : ExitCodes.Integrity;
    }

    private static async Task<P2PNode> StartAsync(CommandContext context, string folder, string name)
    {
        var node = new P2PNode(P2PNodeOptions.Loopback(Path.Combine(folder, name)), context.Loggers);
        try
        {
            await node.StartAsync(context.Stopping);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
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

    private static string Summary(FetchResult result) =>
        $"{ByteSize.Format(result.Bytes)} in {Duration.FormatElapsed(result.Elapsed)}, {ByteRate.Format(result.Bytes / Math.Max(result.Elapsed.TotalSeconds, 0.001))}, verified";

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
