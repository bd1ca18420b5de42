namespace P2P.Core.Dht;

/// <summary>How a node takes part in one DHT.</summary>
internal sealed record DhtNodeSettings
{
    /// <summary>The protocol, which is the network: only peers that name it take part in it.</summary>
    public required string Protocol { get; init; }

    /// <summary>Whether it answers others and may stand in their tables.</summary>
    public required bool IsServer { get; init; }

    /// <summary>How often the table is looked after.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>For one answer, the connection included.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For one whole lookup.</summary>
    public TimeSpan LookupTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The numbers of lookups.</summary>
    public LookupSettings Lookup { get; init; } = LookupSettings.Default;

    /// <summary>The numbers of the routing table.</summary>
    public RoutingTableSettings Table { get; init; } = RoutingTableSettings.Default;

    /// <summary>The limits of the provider table.</summary>
    public ProviderTableSettings Providers { get; init; } = ProviderTableSettings.Default;
}
