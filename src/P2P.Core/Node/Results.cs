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
    /// <summary>What could not be read and is not part of it; empty unless <see cref="ShareOptions.ContinueOnUnreadable"/>.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>Where it lies; null when it came from a stream.</summary>
    public string? Path { get; init; }
}

/// <summary>What became of an announcement in the DHT.</summary>
/// <param name="Nodes">Nodes that took the record.</param>
/// <param name="Of">Nodes that were asked.</param>
/// <param name="Verified">Whether an independent lookup found it.</param>
public readonly record struct Announcement(int Nodes, int Of, bool Verified);

/// <summary>How far an import is.</summary>
/// <param name="Bytes">Bytes read and hashed.</param>
/// <param name="TotalBytes">Bytes in all, null while the tree is still being listed.</param>
/// <param name="Files">Files done.</param>
public readonly record struct ImportProgress(long Bytes, long? TotalBytes, int Files);

/// <summary>What a fetch brought.</summary>
/// <param name="Path">Where it lies; the target, or beside it with <see cref="IfExists.Rename"/>.</param>
/// <param name="Root">Its content id.</param>
/// <param name="Bytes">The bytes of all files.</param>
/// <param name="BytesReused">Bytes that were already here and verified.</param>
/// <param name="Elapsed">From the call to the flushed, renamed result.</param>
/// <param name="BytesByPeer">Who sent how many bytes of it.</param>
/// <param name="Renamed">Names that this system cannot hold and what they became.</param>
public sealed record FetchResult(string Path, Cid Root, long Bytes, long BytesReused, TimeSpan Elapsed, IReadOnlyDictionary<PeerId, long> BytesByPeer, IReadOnlyList<RenamedEntry> Renamed)
{
    /// <summary>Files in it.</summary>
    public int Files { get; init; }

    /// <summary>Whether the target was already there with this content, so that nothing was transferred.</summary>
    public bool AlreadyThere { get; init; }
}

/// <summary>A name that this system cannot hold and what it became.</summary>
/// <param name="From">The name as shared, with its path inside the root.</param>
/// <param name="To">The name on disk.</param>
public sealed record RenamedEntry(string From, string To);

/// <summary>How far a transfer is.</summary>
/// <param name="VerifiedBytes">Bytes verified, those of an earlier try included.</param>
/// <param name="TotalBytes">Bytes in all; null until the root is known.</param>
/// <param name="BytesPerSecond">The rate of the last seconds.</param>
/// <param name="Peers">Peers that it is being fetched from.</param>
/// <param name="Remaining">Time left at this rate; null when unknown.</param>
/// <param name="Stall">Why nothing moves; null while it does.</param>
public readonly record struct TransferProgress(long VerifiedBytes, long? TotalBytes, double BytesPerSecond, int Peers, TimeSpan? Remaining, StallReason? Stall)
{
    /// <summary>Bytes that were already here and verified.</summary>
    public long ReusedBytes { get; init; }
}

/// <summary>Why a transfer does not move.</summary>
/// <param name="Duration">How long there was no new verified byte.</param>
/// <param name="Attempts">What was tried.</param>
public sealed record StallReason(TimeSpan Duration, IReadOnlyList<DialAttempt> Attempts);

/// <summary>One entry of shared content.</summary>
/// <param name="Path">Its path inside the root, segments separated by <c>/</c>; empty for the root itself.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Bytes">A file's size; null for a folder or when unknown.</param>
/// <param name="Cid">Its content id.</param>
public sealed record ContentEntry(string Path, ContentKind Kind, long? Bytes, Cid Cid);

/// <summary>What an entry of shared content is.</summary>
public enum ContentKind
{
    /// <summary>A file.</summary>
    File,

    /// <summary>A folder.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,
}

/// <summary>A connected peer.</summary>
/// <param name="Id">Who it is, proven.</param>
/// <param name="Address">Its end of the connection.</param>
/// <param name="IsOutbound">Whether we dialed it.</param>
/// <param name="Agent">What it calls itself, made safe to print; null until it said so.</param>
/// <param name="RoundTripTime">The last measured round trip; null until measured.</param>
/// <param name="BytesReceived">Bytes of content received from it.</param>
/// <param name="BytesServed">Bytes of content served to it.</param>
public sealed record PeerInfo(PeerId Id, Multiaddress Address, bool IsOutbound, string? Agent, TimeSpan? RoundTripTime, long BytesReceived, long BytesServed);

/// <summary>What a node is doing.</summary>
/// <param name="State">Whether it runs.</param>
/// <param name="Id">Who it is.</param>
/// <param name="Addresses">What it listens on, with real ports and without the peer id.</param>
/// <param name="Peers">Open connections.</param>
/// <param name="Shares">What it shares.</param>
/// <param name="BytesServed">Bytes of content served since start.</param>
/// <param name="BytesFetched">Bytes of content fetched and verified since start.</param>
public sealed record NodeStatus(NodeState State, PeerId Id, IReadOnlyList<Multiaddress> Addresses, int Peers, int Shares, long BytesServed, long BytesFetched)
{
    /// <summary>Bytes of content served since start, by peer; the last 1,024 peers.</summary>
    public IReadOnlyDictionary<PeerId, long> BytesServedByPeer { get; init; } = new Dictionary<PeerId, long>();

    /// <summary>What the operator should know: a shared file that changed, a port that was taken. The last 100.</summary>
    public IReadOnlyList<NodeWarning> Warnings { get; init; } = [];
}

/// <summary>Something that the operator should know.</summary>
/// <param name="Code">Stable name, for example <c>source_changed</c> or <c>port_taken</c>.</param>
/// <param name="Message">A sentence.</param>
public sealed record NodeWarning(string Code, string Message);

/// <summary>Whether a node runs.</summary>
public enum NodeState
{
    /// <summary>Not started, or stopped again.</summary>
    Stopped,

    /// <summary>Opening its folder and its listeners.</summary>
    Starting,

    /// <summary>Running.</summary>
    Running,

    /// <summary>Closing at the next block boundary.</summary>
    Stopping,
}
