namespace P2P.Core.Addresses;

/// <summary>What a name in an address stands for.</summary>
internal enum DnsKind
{
    /// <summary>The address has no name to resolve.</summary>
    None,

    /// <summary>IPv4 and IPv6 addresses.</summary>
    Dns,

    /// <summary>IPv4 addresses.</summary>
    Dns4,

    /// <summary>IPv6 addresses.</summary>
    Dns6,

    /// <summary>Whole multiaddresses, in TXT records.</summary>
    Dnsaddr,
}
