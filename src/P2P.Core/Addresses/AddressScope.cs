namespace P2P.Core.Addresses;

/// <summary>Where an address is valid.</summary>
internal enum AddressScope
{
    /// <summary>Not an IP address: a name, a relay without one, another transport.</summary>
    Other,

    /// <summary>On this machine.</summary>
    Loopback,

    /// <summary>On one link.</summary>
    LinkLocal,

    /// <summary>In a private network, that of a carrier included.</summary>
    Private,

    /// <summary>On the internet.</summary>
    Public,

    /// <summary>0.0.0.0 or ::, which only a listener can mean.</summary>
    Unspecified,

    /// <summary>Set aside for documentation, measurement or later: routed nowhere, except in a laboratory.</summary>
    Reserved,

    /// <summary>A group or broadcast address, which is no peer.</summary>
    Multicast,
}
