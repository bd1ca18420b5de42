namespace P2P.Core.Dht;

/// <summary>The numbers of a routing table.</summary>
internal sealed record RoutingTableSettings
{
    /// <summary>Contacts of one bucket, and of a replica set (count). 20: the k of Kademlia as all members of the network use it.</summary>
    public const int K = 20;

    /// <summary>The standard ones.</summary>
    public static RoutingTableSettings Default { get; } = new();

    /// <summary>Contacts of a bucket (count).</summary>
    public int BucketSize { get; init; } = K;

    /// <summary>Candidates kept for a full bucket, the latest first (count). One is tried when a member fails.</summary>
    public int MaxReplacements { get; init; } = 4;

    /// <summary>Contacts of one network group in the whole table (count). 3, as in go-libp2p: many identities in one network cannot fill it.</summary>
    public int MaxPerGroup { get; init; } = 3;

    /// <summary>Contacts of one network group with the same length of common prefix (count).</summary>
    public int MaxPerGroupAndPrefix { get; init; } = 2;
}
