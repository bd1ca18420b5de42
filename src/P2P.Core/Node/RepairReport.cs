namespace P2P.Core;

/// <summary>What a repair found and did.</summary>
/// <param name="Damaged">Places whose bytes were wrong or gone (count); they are out of service now, no file of yours was touched.</param>
/// <param name="Restored">Blocks among them that another place on this machine has (count).</param>
/// <param name="Refetched">Blocks that peers had (count).</param>
/// <param name="RefetchedBytes">Their bytes.</param>
/// <param name="LostCount">Blocks that are kept for something and that nobody who was asked has (count). A later repair looks for them again.</param>
public sealed record RepairReport(long Damaged, long Restored, long Refetched, long RefetchedBytes, long LostCount)
{
    /// <summary>The first thousand of what is lost.</summary>
    public IReadOnlyList<StoreFinding> Lost { get; init; } = [];

    /// <summary>Shares and pins that could not be put together again as they were after the index was rebuilt: their names and why.</summary>
    public IReadOnlyList<string> Incomplete { get; init; } = [];

    /// <summary>Whether the index is damaged: stop the node and start it with <see cref="IndexRebuild.Always"/>.</summary>
    public bool IsIndexDamaged { get; init; }

    /// <summary>Whether the index was rebuilt before this repair.</summary>
    public bool WasRebuilt { get; init; }
}
