namespace P2P.Core;

/// <summary>Something that this node shares.</summary>
/// <param name="Root">The content id of the file or folder.</param>
/// <param name="Link">What to give to others.</param>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">The bytes of all files.</param>
/// <param name="Blocks">The blocks it consists of.</param>
/// <param name="Announced">What became of the announcement in the DHT.</param>
public sealed record Share(Cid Root, ShareLink Link, string Name, long Bytes, long Blocks, Announcement Announced)
{
    /// <summary>What could not be read and is not part of it, each with the reason; empty unless <see cref="ShareOptions.ContinueOnUnreadable"/>.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>What is no file, folder or link (sockets, pipes, devices) and is not part of it. Known when it is shared, empty later.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];

    /// <summary>Where it lies; null when it came from a stream or is made of several <see cref="Paths"/>.</summary>
    public string? Path { get; init; }

    /// <summary>Where its parts lie when several paths were shared as one folder; else empty.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Whether it can be read only with the whole link.</summary>
    public bool Private { get; init; }

    /// <summary>The peers that this node gives it to; empty: whoever asks.</summary>
    public IReadOnlyList<PeerId> AllowedPeers { get; init; } = [];

    /// <summary>How many copies others are to keep, as was asked for last (count); 0: none were asked for.</summary>
    public int Replicas { get; init; }

    /// <summary>Until when holders have promised to keep copies at the longest, also when they cannot be told that they need not; null when none has.
    /// Known in lists of shares (<see cref="P2PNode.GetSharesAsync"/>), null when it is shared.</summary>
    public DateTimeOffset? ReplicasUntil { get; init; }

    /// <summary>How many copies others keep, as counted when it was shared; null when none were asked for.</summary>
    public HealthReport? Health { get; init; }

    /// <summary>Bytes that this node knew already when it was shared, from an earlier version or other content: peers that seed those fetch the rest only.</summary>
    public long BytesAlreadyThere { get; init; }

    /// <summary>Files that are not what they were when they were shared: the first 1,000, by path. The rest is served as before.</summary>
    public IReadOnlyList<ChangedFile> ChangedFiles { get; init; } = [];

    /// <summary>How many files are not what they were.</summary>
    public int ChangedFileCount { get; init; }
}
