namespace P2P.Core.Dht;

/// <summary>The numbers of a <see cref="ProvideSweep"/>.</summary>
internal sealed record SweepSettings
{
    /// <summary>The standard ones.</summary>
    public static SweepSettings Default { get; } = new();

    /// <summary>How often everything is announced. 22 h: statements are kept for 48 h, so one missed round loses nothing.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(22);

    /// <summary>
    /// Nodes that a region holds at least, on average (count). By chance a region of 64 holds fewer than 20 once in 10^10, so that nearly every region is
    /// complete in itself and each node is visited in one region only; more would make rounds of few keys dear.
    /// </summary>
    public int RegionPeers { get; init; } = 64;

    /// <summary>No more keys than this in a region, and each is announced by a lookup of its own (count): to explore the region costs five or more.</summary>
    public int OrdinaryKeys { get; init; } = 2;

    /// <summary>Lookups made for one region (count).</summary>
    public int MaxLookups { get; init; } = 64;

    /// <summary>Nodes that are told at the same time (count), and lookups for single keys.</summary>
    public int MaxInFlight { get; init; } = 8;

    /// <summary>Keys of a region held in memory at a time (count): about 3 MB. A region with more is told in several passes.</summary>
    public int MaxKeysPerPass { get; init; } = 32_768;

    /// <summary>A region of whose nodes no larger part than this could be told is tried again.</summary>
    public double MinReached { get; init; } = 0.2;

    /// <summary>When it is tried again.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Regions that wait for another try (count); more are left to the next round.</summary>
    public int MaxRetries { get; init; } = 4_096;

    /// <summary>After an absence longer than this everything is announced again at once: others may have dropped what could not be reached.</summary>
    public TimeSpan RushAfter { get; init; } = TimeSpan.FromHours(2);

    /// <summary>New keys are gathered for so long before they are announced, so that those of one region go together.</summary>
    public TimeSpan GatherFor { get; init; } = TimeSpan.FromSeconds(10);
}
