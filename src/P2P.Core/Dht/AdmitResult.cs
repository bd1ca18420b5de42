namespace P2P.Core.Dht;

/// <summary>What became of a contact that was offered to the routing table.</summary>
internal enum AdmitResult
{
    /// <summary>It is in the table now.</summary>
    Added,

    /// <summary>It was there; its addresses and its time were renewed.</summary>
    Renewed,

    /// <summary>Its bucket is full of others; it is remembered as a candidate.</summary>
    Full,

    /// <summary>Too many of its network are in the table.</summary>
    TooManyOfGroup,

    /// <summary>It is this node.</summary>
    Self,
}
