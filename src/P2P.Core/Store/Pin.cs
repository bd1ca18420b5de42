namespace P2P.Core.Store;

/// <summary>
/// A reason to keep blocks. A share is a pin whose kind is served; an unserved pin only protects from the garbage collector.
/// A block belongs to any number of pins and is kept while it belongs to one.
/// </summary>
internal sealed record Pin
{
    /// <summary>Set by the store.</summary>
    public PinId Id { get; init; }

    /// <summary>Why the blocks are kept.</summary>
    public required PinKind Kind { get; init; }

    /// <summary>The root of the content; empty while an import does not know it yet.</summary>
    public Cid Root { get; init; }

    /// <summary>What the user calls it.</summary>
    public string Name { get; init; } = "";

    /// <summary>Where the content lies on this machine, if it lies in one place: an absolute path.</summary>
    public string? Path { get; init; }

    /// <summary>Where the parts of the content lie when there are several; else empty.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The only peers that may have the blocks; empty means everyone (D9).</summary>
    public IReadOnlyList<PeerId> AllowedPeers { get; init; } = [];

    /// <summary>Size of the content (bytes).</summary>
    public long Bytes { get; init; }

    /// <summary>How many blocks the content has.</summary>
    public long Blocks { get; init; }

    /// <summary>The wrapped key of a private share; empty for public content. Never a key in clear.</summary>
    public ReadOnlyMemory<byte> WrappedKey { get; init; }

    /// <summary>Who may have the content, as the node wrote it; empty when nobody is known. Never a key.</summary>
    public ReadOnlyMemory<byte> Hints { get; init; }

    /// <summary>When the pin was added; set by the store.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}
