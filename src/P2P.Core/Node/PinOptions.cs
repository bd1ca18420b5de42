namespace P2P.Core;

/// <summary>How content is pinned.</summary>
public sealed record PinOptions
{
    /// <summary>What the user calls it. Null: the name in the link.</summary>
    public string? Name { get; init; }

    /// <summary>The longest time without one new verified byte. Default 2 minutes.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Peers to ask besides those in the link, as addresses that end in <c>/p2p/ID</c>.</summary>
    public IReadOnlyCollection<Multiaddress> ExtraPeers { get; init; } = [];
}
