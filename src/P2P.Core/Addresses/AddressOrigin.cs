namespace P2P.Core.Addresses;

/// <summary>Who told us an address; what peers tell is only a hint.</summary>
internal enum AddressOrigin
{
    /// <summary>A link that was typed or pasted, the command line or the configuration.</summary>
    User,

    /// <summary>The DHT, identify, mDNS or a beacon.</summary>
    Peer,
}
