using System.Globalization;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Says how many copies of a share others keep.</summary>
internal static class CopiesView
{
    private const string OutsideDht = "takes no part in the DHT (dht.mode is off), by which nodes that keep copies are found";

    /// <summary>Refuses early, before there is a node or a folder for it, when no part is to be taken in the DHT.</summary>
    public static void Require(CommandContext context)
    {
        if (context.Host.Attachment is null && context.Settings.Rooms.Dht.Mode == DhtMode.Off)
            throw NodeSession.Refusal(context, OutsideDht);
    }

    /// <summary>Refuses when the node takes no part in the DHT, by which holders are found.</summary>
    public static void Require(CommandContext context, P2PNode node)
    {
        if (node.Status.Dht is null)
            throw NodeSession.Refusal(context, OutsideDht);
    }

    /// <summary>Whether it is as safe as was asked for at least.</summary>
    public static bool IsEnough(HealthReport health) => health.MinCopies >= health.Min && health.Target > 0;

    /// <summary>What happened when copies were asked for.</summary>
    public static ReplicatedEvent ToReplicated(HealthReport health) => new(
        $"{health.Root}", health.Blocks, health.Runs, health.RunsAtTarget, health.MinCopies, Math.Round(health.AverageCopies, 3), health.Target, health.LeaseUntil?.UtcDateTime, health.Refusals);

    /// <summary>What holders say now.</summary>
    public static HealthEvent ToHealth(HealthReport health) =>
        new($"{health.Root}", health.Blocks, health.Runs, health.RunsAtTarget, health.MinCopies, Math.Round(health.AverageCopies, 3), health.Target, health.LeaseUntil?.UtcDateTime);

    /// <summary>How many copies there are: "1024 blocks in 17 runs: all with 3 copies or more, 15 with 5".</summary>
    public static string Describe(HealthReport health)
    {
        string what = $"{ProgressBar.Count(health.Blocks, "block")}{(health.Runs > 1 ? $" in {health.Runs} runs" : "")}";
        if (health.MinCopies == 0)
            return health.AverageCopies == 0 ? $"{what}: no copy" : $"{what}: some without a copy, {Number(health.AverageCopies)} on average";
        string least = health.Runs > 1 ? $"all with {Copies(health.MinCopies)} or more" : Copies(health.MinCopies);
        string most = health.Runs == 1 || health.Target <= health.MinCopies ? "" : $", {health.RunsAtTarget} with {health.Target}";
        return $"{what}: {least}{most}";
    }

    /// <summary>Who refused: "; holders refused 2 times (full)"; nothing when nobody did.</summary>
    public static string Refused(HealthReport health) => string.Concat(health.Refusals.Select(one => $"; {(one.Value == 1 ? "a holder refused" : $"holders refused {one.Value} times")} ({one.Key})"));

    /// <summary>Until when: "Kept until 29 November".</summary>
    public static string Kept(HealthReport health) =>
        health.LeaseUntil is { } until ? $"Kept until {until.ToLocalTime().ToString("d MMMM", CultureInfo.InvariantCulture)}" : "Not kept by anybody";

    /// <summary>What is wrong when there are too few, as a sentence without its end; null when there are enough.</summary>
    public static string? Warning(HealthReport health) =>
        IsEnough(health) || health.Target == 0 ? null
        : health.AverageCopies == 0 ? $"Nobody keeps a copy of it: {(IsUnanswered(health) ? "no node that offers disk answered" : Refused(health)[2..])}"
        : health.MinCopies == 0 ? $"Part of it is kept by nobody, and at least {Copies(health.Min)} of everything are wanted{Refused(health)}"
        : $"There {(health.MinCopies == 1 ? "is" : "are")} only {Copies(health.MinCopies)} of {(health.Runs > 1 ? "the worst part of it" : "it")}, and at least {health.Min} are wanted{Refused(health)}";

    /// <summary>Whether no holder was found, or none could be spoken with.</summary>
    public static bool IsUnanswered(HealthReport health) => health.AverageCopies == 0 && health.Refusals.Count == 0;

    /// <summary>"1 copy", "3 copies".</summary>
    public static string Copies(int count) => count == 1 ? "1 copy" : $"{count} copies";

    private static string Number(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
