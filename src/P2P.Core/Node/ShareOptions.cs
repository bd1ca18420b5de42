namespace P2P.Core;

/// <summary>How something is shared.</summary>
public sealed record ShareOptions
{
    /// <summary>The name in the link. Null: the file's or folder's own; several paths: "files".</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Patterns of what is left out, by its path inside the share, segments separated by <c>/</c>: <c>*</c> within a segment, <c>**</c> across, <c>?</c>,
    /// <c>[a-z]</c>, case-sensitive; a folder's name leaves out all below it. Null or empty: nothing is left out.
    /// </summary>
    public IReadOnlyCollection<string>? Exclude { get; init; }

    /// <summary>
    /// Whether a pattern of <see cref="Exclude"/> that matches nothing fails the share before anything is read, as a mistake of the caller: a typo would
    /// share what was to be left out. Default false, for lists that are kept for many folders.
    /// </summary>
    public bool ExcludeMustMatch { get; init; }

    /// <summary>How files are cut into blocks. Default: <see cref="Chunker.Fixed"/>, by which everybody gets the same content id for the same bytes.</summary>
    public Chunker Chunker { get; init; }

    /// <summary>
    /// Whether permissions and times of files and folders are kept. Default false: then the same content has the same id whoever shares it. Other programs
    /// that read UnixFS see them too.
    /// </summary>
    public bool PreserveMetadata { get; init; }

    /// <summary>Whether to share the rest when some files cannot be read. Default false: the share fails and names the first of them.</summary>
    public bool ContinueOnUnreadable { get; init; }

    /// <summary>
    /// Whether it can be read only with the link: names and contents are sealed with a key that is in the link and nowhere else, so that who learns the
    /// content id, or holds the blocks, learns neither. The same paths shared so again keep their key until they are not shared any more.
    /// </summary>
    public bool Private { get; init; }

    /// <summary>
    /// Whether peers of the local network are told of it, by its name, for as long as it is shared and this node runs; see <see cref="P2PNode.WatchLanAsync"/>.
    /// Not together with <see cref="Private"/>: there is nobody there who has the key.
    /// </summary>
    public bool OnLan { get; init; }

    /// <summary>
    /// Copies that others are to keep, so that it outlives this node: 1 to 16; 0, the default: none. Sharing returns when every holder that was asked has
    /// answered; <see cref="Share.Health"/> says what came of it. Holders are looked for in the DHT. Not together with <see cref="AllowedPeers"/>.
    /// </summary>
    public int Replicas { get; init; }

    /// <summary>
    /// Called once, as soon as it is served and its link works: before it is announced and before copies are made, which sharing waits for. It must not
    /// throw and not block. Null: nobody waits for the link alone.
    /// </summary>
    public Action<Share>? Ready { get; init; }

    /// <summary>The peers that may fetch it; null or empty: whoever asks. Enforced by this node; who fetched it can pass it on.</summary>
    public IReadOnlyCollection<PeerId>? AllowedPeers { get; init; }
}
