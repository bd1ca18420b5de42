using System.CommandLine;
using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p store stat</c>: what the data folder holds.</summary>
internal sealed class StoreStatCommand : ToolCommand
{
    private readonly Option<bool> _byPublisher = Flag("--by-publisher", "show for whom blocks are kept, instead of everything else");

    public StoreStatCommand()
        : base("stat", "Shows what the data folder holds: by reason for keeping, what could be freed, what is free.") => Add(_byPublisher);

    public override string Synopsis => "[OPTION]...";

    public override async Task<int> RunAsync(CommandContext context)
    {
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        if (context.Parse.GetValue(_byPublisher))
            return ShowPublishers(context, session.Node.Store.GetReplicas());
        StoreUsage usage = await session.Node.Store.GetUsageAsync(context.Stopping);
        IReadOnlyList<PurposeUsage> purposes = [.. (usage.ByPurpose ?? []).Where(one => one.Pins > 0)];
        if (context.Events is { } events)
        {
            events.Write(new StoreStatEvent(
                usage.Blocks,
                usage.OwnedBlocks,
                usage.OwnedBytes,
                usage.ReferencedBlocks,
                usage.ReferencedBytes,
                usage.ReclaimableBytes,
                usage.LostBlocks,
                usage.DatabaseBytes,
                usage.BlockFileBytes,
                usage.FreeDiskBytes,
                usage.QuotaBytes,
                [.. purposes.Select(one => new StoreStatKind(PinLsCommand.NameOf(one.Purpose), one.Pins, one.OwnedBlocks, one.OwnedBytes, one.ReferencedBlocks, one.ReferencedBytes))]));
            return ExitCodes.Done;
        }

        Row(context, "Data folder", context.DisplayOwn(session.Folder));
        Row(context, "Blocks", $"{usage.OwnedBlocks} of its own, {ByteSize.Format(usage.OwnedBytes)}; {usage.ReferencedBlocks} in your files, {ByteSize.Format(usage.ReferencedBytes)}");
        foreach (PurposeUsage one in purposes)
            Row(context, "  " + PinLsCommand.NameOf(one.Purpose).Replace('_', ' '), $"{one.Pins}: {ByteSize.Format(one.OwnedBytes)} of its own, {ByteSize.Format(one.ReferencedBytes)} in your files");
        Row(context, "Can be freed", $"{ByteSize.Format(usage.ReclaimableBytes)}{(usage.ReclaimableBytes > 0 ? " (p2p gc)" : "")}");
        if (usage.LostBlocks > 0)
            Row(context, "Lost", $"{ProgressBar.Count((int)Math.Min(usage.LostBlocks, int.MaxValue), "block")} (p2p store repair)");
        Row(context, "On disk", $"index {ByteSize.Format(usage.DatabaseBytes)}, block files {ByteSize.Format(usage.BlockFileBytes)}");
        Row(context, "Limit", usage.QuotaBytes is { } quota ? $"{ByteSize.Format(quota)}, {ByteSize.Format(Math.Max(0, quota - usage.OwnedBytes))} left" : "none");
        if (usage.FreeDiskBytes is { } free)
            Row(context, "Disk free", ByteSize.Format(free));
        return ExitCodes.Done;
    }

    private static int ShowPublishers(CommandContext context, IReadOnlyList<HeldReplica> held)
    {
        StoreStatPublisher[] publishers = [.. held.GroupBy(one => one.Publisher).Select(its => new StoreStatPublisher(
            $"{its.Key}", its.Count(), its.Sum(one => (long)one.Blocks), its.Sum(one => one.Bytes), its.Max(one => one.Until).UtcDateTime)).OrderByDescending(one => one.Bytes)];
        if (context.Events is { } events)
        {
            events.Write(new StoreStatPublishersEvent(publishers));
            return ExitCodes.Done;
        }

        if (publishers.Length == 0)
            context.Screen.Line("Nothing is kept for others.");
        foreach (StoreStatPublisher one in publishers)
        {
            context.Data(one.Publisher);
            context.Data($"    {ByteSize.Format(one.Bytes)} in {ProgressBar.Count((int)Math.Min(one.Blocks, int.MaxValue), "block")}, until {one.Until.ToLocalTime().ToString("d MMMM HH:mm", CultureInfo.InvariantCulture)} at the latest");
        }

        return ExitCodes.Done;
    }

    private static void Row(CommandContext context, string what, string value) => context.Data($"{what,-14}{value}");
}
