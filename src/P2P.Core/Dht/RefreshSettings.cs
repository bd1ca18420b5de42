namespace P2P.Core.Dht;

/// <summary>How a table is looked after.</summary>
internal sealed record RefreshSettings
{
    /// <summary>The standard ones.</summary>
    public static RefreshSettings Default { get; } = new();

    /// <summary>A bucket that no lookup went through for so long is looked through; the own place is looked up as often. 10 min, as in go-libp2p.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>With fewer contacts than this the peers to begin with are tried again (count).</summary>
    public int LowContacts { get; init; } = 10;

    /// <summary>How often they are tried.</summary>
    public TimeSpan BootstrapInterval { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After the second round, so long until who came first stays.</summary>
    public TimeSpan SettleAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>When others name neighbours that are not known, the own place is looked up besides, at most so often.</summary>
    public TimeSpan MergeInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Buckets beyond this one hold next to nobody in any network that exists, and a name in them is dear to find.</summary>
    public int MaxPrefix { get; init; } = 15;
}
