using System.Text.Json.Serialization;
using P2P.Core;

namespace P2P.Cli.Output;

/// <summary>One line of <c>--json</c>. docs/json.md describes every event; fields are added, never renamed. Unknown is null.</summary>
internal abstract record JsonEvent([property: JsonPropertyOrder(-2)] string Event)
{
    /// <summary>When it was written (UTC).</summary>
    [JsonPropertyOrder(-1)]
    public DateTime At { get; set; }
}

/// <summary>The node runs.</summary>
internal sealed record ReadyEvent(string PeerId, IReadOnlyList<string> Addresses)
    : JsonEvent("ready");

/// <summary>How far hashing is.</summary>
internal sealed record ImportEvent(long Bytes, long? Total)
    : JsonEvent("import");

/// <summary>Shared and reachable. The only event that shows a whole link.</summary>
internal sealed record SharedEvent(string Cid, string Link, string Name, long Bytes, long Blocks, double? Seconds, IReadOnlyList<string> Addresses)
    : JsonEvent("shared")
{
    /// <summary>Where it lies; nothing for standard input.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Bytes that were known here before; 0 in a list of shares.</summary>
    public long BytesAlreadyThere { get; init; }

    /// <summary>How many files are not what they were when they were shared.</summary>
    public int Changed { get; init; }

    /// <summary>The first of them.</summary>
    public IReadOnlyList<ChangedFileEntry> ChangedFiles { get; init; } = [];

    /// <summary>How many copies others are to keep; 0: none were asked for.</summary>
    public int Replicas { get; init; }

    /// <summary>Until when holders have promised to keep some, at the longest; in a list of shares.</summary>
    public DateTime? ReplicasUntil { get; init; }

    /// <summary>Whether only who has the link can read it.</summary>
    public bool Private { get; init; }

    /// <summary>The peers that it is given to; nothing: whoever asks.</summary>
    public IReadOnlyList<string> Allowed { get; init; } = [];

    public static SharedEvent Of(Share share, double? seconds, IReadOnlyList<string> addresses) =>
        new(share.Root.ToString(), share.Link.ToUriString(), share.Name, share.Bytes, share.Blocks, seconds, addresses)
        {
            Paths = share.Path is { } path ? [path] : share.Paths,
            Replicas = share.Replicas,
            ReplicasUntil = share.ReplicasUntil?.UtcDateTime,
            Private = share.Private,
            Allowed = [.. share.AllowedPeers.Select(peer => $"{peer}")],
            BytesAlreadyThere = share.BytesAlreadyThere,
            Changed = share.ChangedFileCount,
            ChangedFiles = [.. share.ChangedFiles.Select(file => new ChangedFileEntry(file.Path, file.Change == FileChange.Missing ? "missing" : "changed"))],
        };
}

/// <summary>A shared file that is not what it was.</summary>
internal sealed record ChangedFileEntry(string Path, string Change);

/// <summary>What a share would hold.</summary>
internal sealed record PlanEvent(
    string? Cid, string Name, long Bytes, long Blocks, int Files, int Excluded, IReadOnlyList<string> ExcludedPaths, IReadOnlyList<string> Unreadable, IReadOnlyList<string> Skipped)
    : JsonEvent("plan");

/// <summary>Not shared any more.</summary>
internal sealed record UnsharedEvent(string Cid, string Name, string? Path, long Bytes, int Replicas, DateTime? ReplicasUntil)
    : JsonEvent("unshared");

/// <summary>What became of the announcement.</summary>
internal sealed record AnnouncedEvent(int Nodes, int Of, bool Verified)
    : JsonEvent("announced");

/// <summary>For whom blocks are kept.</summary>
internal sealed record StoreStatPublishersEvent(IReadOnlyList<StoreStatPublisher> Publishers)
    : JsonEvent("store_stat_publishers");

/// <summary>What is kept for one publisher.</summary>
internal sealed record StoreStatPublisher(string Publisher, int Runs, long Blocks, long Bytes, DateTime Until);

/// <summary>How many copies others keep.</summary>
internal sealed record ReplicatedEvent(string Cid, int Blocks, int Runs, int RunsAtTarget, int MinCopies, double AvgCopies, int Target, DateTime? Until, IReadOnlyDictionary<string, int> Refused)
    : JsonEvent("replicated");

/// <summary>How many copies others keep now.</summary>
internal sealed record HealthEvent(string Cid, int Blocks, int Runs, int RunsAtTarget, int MinCopies, double AvgCopies, int Target, DateTime? LeaseUntil)
    : JsonEvent("health");

/// <summary>What was kept for others and is not any more.</summary>
internal sealed record ReplicaRemovedEvent(string? Cid, string? Publisher, long Bytes)
    : JsonEvent("replica_removed");

/// <summary>What one peer got since the start.</summary>
internal sealed record ServedEvent(string Peer, long Bytes)
    : JsonEvent("served");

/// <summary>An earlier try's bytes were found and verified again.</summary>
internal sealed record ResumedEvent(long Bytes)
    : JsonEvent("resumed");

/// <summary>How far a fetch is.</summary>
internal sealed record ProgressEvent(long Bytes, long? Total, long Rate, int Peers)
    : JsonEvent("progress");

/// <summary>Nothing new was verified for this long, and what was tried.</summary>
internal sealed record StalledEvent(double Seconds, IReadOnlyList<StalledAttempt> Attempts)
    : JsonEvent("stalled");

/// <summary>One address or source and what went wrong there.</summary>
internal sealed record StalledAttempt(string Address, string Error);

/// <summary>A name that could not be kept.</summary>
internal sealed record RenamedEvent(string From, string To)
    : JsonEvent("renamed");

/// <summary>Fetched, verified, flushed, in place.</summary>
internal sealed record DoneEvent(string Path, string Cid, long Bytes, long BytesReused, int Files, double Seconds, IReadOnlyDictionary<string, long> From)
    : JsonEvent("done");

/// <summary>Who this node is.</summary>
internal sealed record IdEvent(string PeerId)
    : JsonEvent("id");

/// <summary>The content id of a path.</summary>
internal sealed record CidEvent(string Path, string Cid, long? Bytes)
    : JsonEvent("cid");

/// <summary>One entry of shared content.</summary>
internal sealed record EntryEvent(string Path, string Type, long? Bytes, string Cid)
    : JsonEvent("entry");

/// <summary>An archive that was written or taken in; where is null for a standard stream, missing unknown for an export.</summary>
internal sealed record CarEvent(string Action, string? Path, IReadOnlyList<string> Roots, long Blocks, long Bytes, long? Missing, double Seconds)
    : JsonEvent("car");

/// <summary>What a link holds; never its key.</summary>
internal sealed record LinkEvent(string Cid, string? Name, string? Path, bool Private, IReadOnlyList<LinkPeer> Peers)
    : JsonEvent("link");

/// <summary>A peer that a link names.</summary>
internal sealed record LinkPeer(string PeerId, IReadOnlyList<string> Addresses);

/// <summary>The outcome of the demonstration.</summary>
internal sealed record DemoEvent(bool Ok, long Rate, int Holders, long Bytes, double Seconds, IReadOnlyDictionary<string, long> From)
    : JsonEvent("demo");

/// <summary>Content that is kept, and why.</summary>
internal sealed record PinEvent(string? Cid, string Name, string Kind, long Bytes, long Blocks, string? Path, DateTime Since, long? BytesReused)
    : JsonEvent("pin");

/// <summary>Content that is no longer pinned.</summary>
internal sealed record UnpinnedEvent(string Cid)
    : JsonEvent("unpinned");

/// <summary>A place where bytes are not what they should be.</summary>
internal sealed record DamageEvent(string Path, string? Cid, long? Offset, string Kind, bool Lost, IReadOnlyList<string> Affects)
    : JsonEvent("damage");

/// <summary>The end of a verification.</summary>
internal sealed record VerifiedEvent(long Blocks, long Bytes, long Damaged, long Lost, int Leftovers, double Seconds)
    : JsonEvent("verified");

/// <summary>The end of a repair.</summary>
internal sealed record RepairedEvent(bool Rebuilt, long Damaged, long Restored, long Refetched, long RefetchedBytes, long Lost, IReadOnlyList<string> Incomplete, double Seconds)
    : JsonEvent("repaired");

/// <summary>What a collection freed.</summary>
internal sealed record GcEvent(long Blocks, long Bytes, int Files, long FileBytes)
    : JsonEvent("gc");

/// <summary>What the data folder holds.</summary>
internal sealed record StoreStatEvent(
    long Blocks,
    long OwnedBlocks,
    long OwnedBytes,
    long ReferencedBlocks,
    long ReferencedBytes,
    long ReclaimableBytes,
    long LostBlocks,
    long DatabaseBytes,
    long BlockFileBytes,
    long? FreeBytes,
    long? QuotaBytes,
    IReadOnlyList<StoreStatKind> Kinds)
    : JsonEvent("store_stat");

/// <summary>What is kept for one reason.</summary>
internal sealed record StoreStatKind(string Kind, int Pins, long OwnedBlocks, long OwnedBytes, long ReferencedBlocks, long ReferencedBytes);

/// <summary>What the node of a data folder is doing; all unknown when none runs.</summary>
internal sealed record StatusEvent(
    bool Running,
    int? Process,
    string? Command,
    DateTime? Since,
    string? PeerId,
    string? Network,
    IReadOnlyList<string> Addresses,
    int Peers,
    int Shares,
    long BytesServed,
    long BytesFetched,
    StatusDht? Dht,
    IReadOnlyList<StatusWarning> Warnings)
    : JsonEvent("status")
{
    /// <summary>Disk that is offered to others.</summary>
    public long? OfferBytes { get; init; }

    /// <summary>What is kept for others.</summary>
    public long? HeldBytes { get; init; }

    /// <summary>Whether peers outside reach it.</summary>
    public string Internet { get; init; } = "unknown";

    /// <summary>Addresses of routers that lead to it.</summary>
    public IReadOnlyList<string> Mapped { get; init; } = [];
}

/// <summary>The part that it takes in the DHT.</summary>
internal sealed record StatusDht(bool Server, int Contacts, int Announcements, int Holders, long Announced, long NeverAnnounced, double LagSeconds);

/// <summary>Something that its operator should know.</summary>
internal sealed record StatusWarning(string Code, string Message);

/// <summary>Who the node of a data folder is connected with.</summary>
internal sealed record PeersEvent(bool Running, IReadOnlyList<PeersEntry> Peers)
    : JsonEvent("peers");

/// <summary>A peer of the local network, or what is new about it.</summary>
internal sealed record PeerEvent(string PeerId, string? Name, IReadOnlyList<string> Addresses)
    : JsonEvent("peer");

/// <summary>A peer of the local network is gone.</summary>
internal sealed record PeerGoneEvent(string PeerId)
    : JsonEvent("peer_gone");

/// <summary>Something that a peer shares on the local network.</summary>
internal sealed record ItemEvent(string Name, string Cid, long Bytes, string Link, string PeerId)
    : JsonEvent("item");

/// <summary>A peer shares something on the local network no more.</summary>
internal sealed record ItemGoneEvent(string Name, string Cid, string PeerId)
    : JsonEvent("item_gone");

/// <summary>Whether others reach the node, and what is in the way.</summary>
internal sealed record DoctorEvent(
    bool Ok,
    string Internet,
    IReadOnlyList<DoctorCheck> Checks,
    IReadOnlyList<string> Advice,
    IReadOnlyList<DoctorMapping> Mappings,
    IReadOnlyList<string> SeenAt,
    IReadOnlyList<DoctorTested> Tested)
    : JsonEvent("doctor");

/// <summary>How one thing stands.</summary>
internal sealed record DoctorCheck(string Subject, string State, string Text);

/// <summary>A port of a router that leads here.</summary>
internal sealed record DoctorMapping(string Protocol, string Router, string External, int InternalPort, double LifetimeSeconds);

/// <summary>An address that peers outside were asked to dial.</summary>
internal sealed record DoctorTested(string Address, string Reachability, int Peers);

/// <summary>A connected peer; the round trip in seconds, the bytes since it connected first.</summary>
internal sealed record PeersEntry(string PeerId, string Address, bool Outbound, string? Agent, double? Rtt, long BytesReceived, long BytesServed);

/// <summary>What holds for a setting; the value is a text, a list of texts, or null for none.</summary>
internal sealed record ConfigEvent(string Key, object? Value, string Origin, string? Source)
    : JsonEvent("config");

/// <summary>Which version this is.</summary>
internal sealed record VersionEvent(string Version, string? Commit)
    : JsonEvent("version");

/// <summary>Something that the operator should know.</summary>
internal sealed record WarningEvent(string Code, string Message)
    : JsonEvent("warning");

/// <summary>Why the command failed; the last line.</summary>
internal sealed record ErrorEvent(string Code, string Message)
    : JsonEvent("error");

/// <summary>Serializers made at build time: no reflection at start.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ReadyEvent))]
[JsonSerializable(typeof(ImportEvent))]
[JsonSerializable(typeof(SharedEvent))]
[JsonSerializable(typeof(PlanEvent))]
[JsonSerializable(typeof(UnsharedEvent))]
[JsonSerializable(typeof(AnnouncedEvent))]
[JsonSerializable(typeof(StoreStatPublishersEvent))]
[JsonSerializable(typeof(ReplicatedEvent))]
[JsonSerializable(typeof(HealthEvent))]
[JsonSerializable(typeof(ReplicaRemovedEvent))]
[JsonSerializable(typeof(ServedEvent))]
[JsonSerializable(typeof(ResumedEvent))]
[JsonSerializable(typeof(ProgressEvent))]
[JsonSerializable(typeof(StalledEvent))]
[JsonSerializable(typeof(RenamedEvent))]
[JsonSerializable(typeof(DoneEvent))]
[JsonSerializable(typeof(IdEvent))]
[JsonSerializable(typeof(CidEvent))]
[JsonSerializable(typeof(EntryEvent))]
[JsonSerializable(typeof(CarEvent))]
[JsonSerializable(typeof(LinkEvent))]
[JsonSerializable(typeof(DemoEvent))]
[JsonSerializable(typeof(PinEvent))]
[JsonSerializable(typeof(UnpinnedEvent))]
[JsonSerializable(typeof(DamageEvent))]
[JsonSerializable(typeof(VerifiedEvent))]
[JsonSerializable(typeof(RepairedEvent))]
[JsonSerializable(typeof(GcEvent))]
[JsonSerializable(typeof(StoreStatEvent))]
[JsonSerializable(typeof(StatusEvent))]
[JsonSerializable(typeof(PeersEvent))]
[JsonSerializable(typeof(PeerEvent))]
[JsonSerializable(typeof(PeerGoneEvent))]
[JsonSerializable(typeof(ItemEvent))]
[JsonSerializable(typeof(ItemGoneEvent))]
[JsonSerializable(typeof(DoctorEvent))]
[JsonSerializable(typeof(ConfigEvent))]
[JsonSerializable(typeof(string[]))] // a value of ConfigEvent
[JsonSerializable(typeof(VersionEvent))]
[JsonSerializable(typeof(WarningEvent))]
[JsonSerializable(typeof(ErrorEvent))]
internal sealed partial class EventJsonContext : JsonSerializerContext;
