namespace P2P.Core;

/// <summary>Something that has changed on the local network.</summary>
/// <param name="Kind">What.</param>
/// <param name="Peer">Which peer it is about.</param>
public sealed record LanChange(LanChangeKind Kind, PeerId Peer)
{
    /// <summary>Where the peer says that it can be reached on this network; empty when it is gone.</summary>
    public IReadOnlyList<Multiaddress> Addresses { get; init; } = [];

    /// <summary>The name of the peer's machine, as it says; null: it has not said one, as a peer does not that shares nothing here.</summary>
    public string? NodeName { get; init; }

    /// <summary>What it shares or shared here; null when the change is about the peer itself.</summary>
    public LanItem? Item { get; init; }
}

/// <summary>The kinds of <see cref="LanChange"/>.</summary>
public enum LanChangeKind
{
    /// <summary>A peer is there, or has moved.</summary>
    PeerFound,

    /// <summary>A peer has said good-bye, or has been silent for two minutes and a half. What it shared is gone too.</summary>
    PeerGone,

    /// <summary>A peer shares something here.</summary>
    ItemFound,

    /// <summary>A peer shares something here no more.</summary>
    ItemGone,
}

/// <summary>Something that a peer shares on the local network. All of it is the peer's claim; what is fetched is held against <see cref="Root"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Root">Its content.</param>
/// <param name="Bytes">How large it is.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="Created">Since when it is shared.</param>
/// <param name="Link">What fetches it, from this peer first.</param>
public sealed record LanItem(string Name, Cid Root, long Bytes, bool IsFolder, DateTimeOffset Created, ShareLink Link);
