using System.CommandLine;
using System.Diagnostics;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p car import</c>: takes a CAR archive into the data folder and keeps it.</summary>
internal sealed class CarImportCommand : ToolCommand
{
    private readonly Argument<string> _file = new("FILE");
    private readonly Option<bool> _padding = Flag("--allow-padding", "let zeros after the last block end the archive");

    public CarImportCommand()
        : base("import", "Takes a CAR archive into the data folder, verified, and keeps it.")
    {
        Add(_file);
        Add(_padding);
    }

    public override string Synopsis => "FILE [OPTION]...";

    public override string Notes => "FILE may be - for standard input. Versions 1 and 2 are read. What was taken in is kept until its pins are removed, and is not shared with others by that. Content that is not whole is taken too, and what is missing counted.";

    public override async Task<int> RunAsync(CommandContext context)
    {
        string file = context.Parse.GetValue(_file)!;
        await using Stream archive = Open(context, file);
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        var progress = new LatestProgress<long>();
        long? total = archive.CanSeek ? archive.Length : null;
        long began = Stopwatch.GetTimestamp();
        var view = new CarView(context, progress, total, read => new ImportEvent(read, total));
        var options = new CarImportOptions { Name = file == "-" ? null : Path.GetFileName(file), AllowPadding = context.Parse.GetValue(_padding), Progress = progress };
        try
        {
            Task<CarImportResult> work = session.Node.Store.ImportCarAsync(archive, options, context.Stopping);
            await view.WatchAsync(work, () => { });
            Tell(context, file, await work, Stopwatch.GetElapsedTime(began));
            return ExitCodes.Done;
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException("Stopped; nothing of the archive is kept.");
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private static Stream Open(CommandContext context, string file)
    {
        if (file == "-")
            return context.Host.OpenInput();
        string path = Path.GetFullPath(file, context.Host.CurrentDirectory);
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new P2PException(P2PErrorCode.NotFound, $"There is no file {context.Display(path)}.", failure);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new P2PException(P2PErrorCode.Permission, $"{context.Display(path)} cannot be read: {failure.Message}", failure);
        }
    }

    private static void Tell(CommandContext context, string file, CarImportResult done, TimeSpan elapsed)
    {
        if (context.Events is { } events)
        {
            events.Write(new CarEvent("import", file == "-" ? null : file, [.. done.Roots.Select(root => root.ToString())], done.Blocks, done.Bytes, done.MissingBlocks, Math.Round(elapsed.TotalSeconds, 3)));
            return;
        }

        foreach (Cid root in done.Roots)
            context.Data(root.ToString());
        context.Screen.Line($"{ProgressBar.Count(done.Blocks, "block")}, {ByteSize.Format(done.Bytes)}, verified and kept, in {Duration.FormatElapsed(elapsed)}");
        if (done.MissingBlocks > 0)
            context.Warn("incomplete", $"{ProgressBar.Count(done.MissingBlocks, "block")} that the content links to {(done.MissingBlocks == 1 ? "is" : "are")} not in the archive: it is a part of something larger.");
    }
}
