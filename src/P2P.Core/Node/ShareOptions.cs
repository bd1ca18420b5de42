namespace P2P.Core;

/// <summary>How something is shared.</summary>
public sealed record ShareOptions
{
    /// <summary>The name in the link. Null: the file's or folder's own; several paths: "files".</summary>
    public string? Name { get; init; }

    /// <summary>Whether to share the rest when some files cannot be read. Default false: the share fails and names the first of them.</summary>
    public bool ContinueOnUnreadable { get; init; }

    /// <summary>The peers that may fetch it; null or empty: whoever asks. Enforced by this node; who fetched it can pass it on.</summary>
    public IReadOnlyCollection<PeerId>? AllowedPeers { get; init; }
}

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
}

/// <summary>What to do when a fetch's target exists with other content.</summary>
public enum IfExists
{
    /// <summary>Fail with <see cref="P2PErrorCode.Exists"/> before a byte is fetched.</summary>
    Fail,

    /// <summary>Replace it, but only once the new content is verified.</summary>
    Overwrite,

    /// <summary>Write beside it, as <c>NAME (1).EXT</c>.</summary>
    Rename,
}
