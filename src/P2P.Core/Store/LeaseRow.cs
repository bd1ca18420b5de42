namespace P2P.Core.Store;

/// <summary>
/// What somebody asked to be kept here, as the index remembers it: a row for each publisher and run. The store does not read the statements in it.
/// </summary>
internal sealed record LeaseRow
{
    /// <summary>Who asked: the bytes of its peer id.</summary>
    public required ReadOnlyMemory<byte> Publisher { get; init; }

    /// <summary>Where the run lies in the keyspace (32 bytes).</summary>
    public required ReadOnlyMemory<byte> RunKey { get; init; }

    /// <summary>What keeps the blocks; none: they are not kept any more, and the row remembers up to which statement that is so.</summary>
    public PinId Pin { get; init; }

    /// <summary>0: for a friend; else the network that the stranger came from, in which the bytes are counted.</summary>
    public ulong Origin { get; init; }

    /// <summary>The signed statement.</summary>
    public required ReadOnlyMemory<byte> Envelope { get; init; }

    /// <summary>How long the row of a lease that has ended is remembered; of one that stands, its end.</summary>
    public required DateTimeOffset KeepUntil { get; init; }

    /// <summary>The list of blocks that the statement covers, in its order; read apart from the rest, because it may be long.</summary>
    public ReadOnlyMemory<byte> Entries { get; init; }
}
