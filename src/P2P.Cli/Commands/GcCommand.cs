using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p gc</c>: frees what nothing keeps.</summary>
internal sealed class GcCommand() : ToolCommand("gc", "Frees what nothing keeps any more. A running node does so itself when it is idle.")
{
    public override string Synopsis => "[OPTION]...";

    public override string Notes => "Pinned, shared, seeded and held content, and what is being fetched, always stays; so do your own files.";

    public override async Task<int> RunAsync(CommandContext context)
    {
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        GarbageReport report = await session.Node.Store.CollectGarbageAsync(context.Stopping);
        if (context.Events is { } events)
        {
            events.Write(new GcEvent(report.Blocks, report.Bytes, report.Files, report.FileBytes));
            return ExitCodes.Done;
        }

        string left = report.Files > 0 ? $"; {ProgressBar.Count(report.Files, "file")} that a crash left, {ByteSize.Format(report.FileBytes)}" : "";
        context.Screen.Line(report.Blocks == 0 && report.Files == 0
            ? "Nothing to free."
            : $"Freed {ByteSize.Format(report.Bytes)} in {ProgressBar.Count((int)Math.Min(report.Blocks, int.MaxValue), "block")}{left}.");
        return ExitCodes.Done;
    }
}
