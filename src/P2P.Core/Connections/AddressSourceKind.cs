namespace P2P.Core.Connections;

/// <summary>Where an address of a peer was learned, the most trusted last.</summary>
internal enum AddressSourceKind
{
    /// <summary>Another peer told it: the DHT, peer exchange.</summary>
    Told,

    /// <summary>The peer told it on its own connection (identify, unsigned).</summary>
    Identified,

    /// <summary>A record that the peer signed.</summary>
    Signed,

    /// <summary>A dial of this address reached the peer.</summary>
    Reached,

    /// <summary>The user gave it: a link, an option, the configuration.</summary>
    User,
}
