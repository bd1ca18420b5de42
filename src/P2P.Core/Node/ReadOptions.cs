namespace P2P.Core;

/// <summary>How content is read or listed without being fetched.</summary>
public sealed record ReadOptions
{
    /// <summary>The longest time that a read waits without one new verified byte. Default 2 minutes.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Peers to ask besides those in the link, as addresses that end in <c>/p2p/ID</c>.</summary>
    public IReadOnlyCollection<Multiaddress> ExtraPeers { get; init; } = [];

    /// <summary>Told why nothing comes, from five seconds of waiting on and then every five seconds; null: nobody.</summary>
    public IProgress<StallReason>? Stalled { get; init; }
}
