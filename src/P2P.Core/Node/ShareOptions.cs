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
