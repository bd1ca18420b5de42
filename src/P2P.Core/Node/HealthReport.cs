namespace P2P.Core;

/// <summary>How many copies of a share others keep.</summary>
/// <param name="Root">The share.</param>
/// <param name="Blocks">Its blocks.</param>
/// <param name="Runs">Groups of blocks that are kept together.</param>
/// <param name="MinCopies">Copies of the worst run. The publisher's own is not counted.</param>
/// <param name="AverageCopies">Copies of a run on average.</param>
/// <param name="Target">Copies wanted.</param>
/// <param name="LeaseUntil">Until when the first of them is kept; null: there is none.</param>
public sealed record HealthReport(Cid Root, int Blocks, int Runs, int MinCopies, double AverageCopies, int Target, DateTimeOffset? LeaseUntil)
{
    /// <summary>Copies below which content is in danger.</summary>
    public int Min => Math.Min(3, Target);

    /// <summary>Runs with as many copies as are wanted, or more.</summary>
    public int RunsAtTarget { get; init; }

    /// <summary>Why holders refused at the last placement, in a few words, and how often.</summary>
    public IReadOnlyDictionary<string, int> Refusals { get; init; } = new Dictionary<string, int>();
}
