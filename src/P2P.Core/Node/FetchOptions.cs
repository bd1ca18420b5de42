namespace P2P.Core;

/// <summary>How something is fetched.</summary>
public sealed record FetchOptions
{
    /// <summary>What to do when the target exists with other content. Default: fail before a byte is fetched.</summary>
    public IfExists IfExists { get; init; }

    /// <summary>The longest time without one new verified byte. Default 2 minutes.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether to serve it to others, already while it arrives. Null: as <see cref="ExchangeOptions.ServeFetched"/> says.</summary>
    public bool? Seed { get; init; }

    /// <summary>Peers to ask besides those in the link, as addresses that end in <c>/p2p/ID</c>.</summary>
    public IReadOnlyCollection<Multiaddress> ExtraPeers { get; init; } = [];

    /// <summary>A path inside the link's content, segments separated by <c>/</c>; null or empty: all of it.</summary>
    public string? Path { get; init; }

    /// <summary>
    /// Patterns of what of a folder to fetch, matched against paths inside it (inside <see cref="Path"/>, if that is given): <c>*</c> within a segment,
    /// <c>**</c> across, <c>?</c>, <c>[a-z]</c>, case-sensitive on every system. What matches a folder selects all below it. Empty: all of it.
    /// A pattern that matches nothing is an <see cref="ArgumentException"/> that names the nearest ones, before any data is fetched.
    /// </summary>
    public IReadOnlyCollection<string> Select { get; init; } = [];
}
