namespace P2P.Core.Dht;

/// <summary>What a message asks for. The numbers are the wire's.</summary>
internal enum DhtMessageType
{
    /// <summary>Store a record.</summary>
    PutValue = 0,

    /// <summary>Give a record.</summary>
    GetValue = 1,

    /// <summary>The sender has the content of a key. Not answered.</summary>
    AddProvider = 2,

    /// <summary>Who has the content of a key.</summary>
    GetProviders = 3,

    /// <summary>The closest peers to a key.</summary>
    FindNode = 4,

    /// <summary>Are you there; obsolete.</summary>
    Ping = 5,
}

/// <summary>A stored value. The fields author and signature of old versions are dead.</summary>
/// <param name="Key">Namespace and name, for example <c>/pk/</c> and a multihash.</param>
/// <param name="Value">The value.</param>
/// <param name="TimeReceived">When the sender got it, RFC 3339; empty: not said.</param>
internal sealed record DhtRecord(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, string TimeReceived = "");

/// <summary>One request or answer (libp2p kad-dht).</summary>
internal sealed record DhtMessage
{
    /// <summary>What it is about.</summary>
    public required DhtMessageType Type { get; init; }

    /// <summary>The preimage of the key: a multihash, a peer id or a record's key.</summary>
    public ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>The record, for those that carry one.</summary>
    public DhtRecord? Record { get; init; }

    /// <summary>Peers closer to the key.</summary>
    public IReadOnlyList<Contact> CloserPeers { get; init; } = [];

    /// <summary>Peers that have the content.</summary>
    public IReadOnlyList<Contact> ProviderPeers { get; init; } = [];
}
