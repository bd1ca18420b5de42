namespace P2P.Core.Dht;

/// <summary>The limits of a provider table, each against one way to fill it.</summary>
internal sealed record ProviderTableSettings
{
    /// <summary>The standard ones.</summary>
    public static ProviderTableSettings Default { get; } = new();

    /// <summary>How long a statement counts; providers repeat it every 22 h.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromHours(48);

    /// <summary>How long the addresses in it count.</summary>
    public TimeSpan AddressValidity { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Providers of one key (count).</summary>
    public int MaxPerKey { get; init; } = 1024;

    /// <summary>Providers of one key from one IPv4 /24 or IPv6 /48 (count): one owner of a network cannot surround a key.</summary>
    public int MaxPerKeyAndPrefix { get; init; } = 8;

    /// <summary>Statements of one peer (count).</summary>
    public int MaxPerPeer { get; init; } = 100_000;

    /// <summary>Statements in all (count): some 200 bytes each.</summary>
    public int MaxRecords { get; init; } = 500_000;
}
