using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Addresses;

/// <summary>The scopes of IP addresses, from the special-purpose registries of IANA.</summary>
internal static class AddressScopes
{
    private static readonly (IPNetwork Network, AddressScope Scope)[] Special4 =
    [
        (IPNetwork.Parse("0.0.0.0/32"), AddressScope.Unspecified),
        (IPNetwork.Parse("0.0.0.0/8"), AddressScope.Reserved),
        (IPNetwork.Parse("10.0.0.0/8"), AddressScope.Private),
        (IPNetwork.Parse("100.64.0.0/10"), AddressScope.Private),
        (IPNetwork.Parse("127.0.0.0/8"), AddressScope.Loopback),
        (IPNetwork.Parse("169.254.0.0/16"), AddressScope.LinkLocal),
        (IPNetwork.Parse("172.16.0.0/12"), AddressScope.Private),
        (IPNetwork.Parse("192.0.0.0/24"), AddressScope.Reserved),
        (IPNetwork.Parse("192.0.2.0/24"), AddressScope.Reserved),
        (IPNetwork.Parse("192.168.0.0/16"), AddressScope.Private),
        (IPNetwork.Parse("198.18.0.0/15"), AddressScope.Reserved),
        (IPNetwork.Parse("198.51.100.0/24"), AddressScope.Reserved),
        (IPNetwork.Parse("203.0.113.0/24"), AddressScope.Reserved),
        (IPNetwork.Parse("224.0.0.0/4"), AddressScope.Multicast),
        (IPNetwork.Parse("255.255.255.255/32"), AddressScope.Multicast),
        (IPNetwork.Parse("240.0.0.0/4"), AddressScope.Reserved),
    ];

    private static readonly (IPNetwork Network, AddressScope Scope)[] Special6 =
    [
        (IPNetwork.Parse("::/128"), AddressScope.Unspecified),
        (IPNetwork.Parse("::1/128"), AddressScope.Loopback),
        (IPNetwork.Parse("fe80::/10"), AddressScope.LinkLocal),
        (IPNetwork.Parse("fec0::/10"), AddressScope.Private),
        (IPNetwork.Parse("fc00::/7"), AddressScope.Private),
        (IPNetwork.Parse("ff00::/8"), AddressScope.Multicast),
        (IPNetwork.Parse("64:ff9b:1::/48"), AddressScope.Private),
        (IPNetwork.Parse("100::/64"), AddressScope.Reserved),
        (IPNetwork.Parse("2001:2::/48"), AddressScope.Reserved),
        (IPNetwork.Parse("2001:db8::/32"), AddressScope.Reserved),
        (IPNetwork.Parse("3fff::/20"), AddressScope.Reserved),
        (IPNetwork.Parse("::/96"), AddressScope.Reserved),
    ];

    // addresses that stand for an IPv4 address and reach it: they are as public as that one, not more
    private static readonly (IPNetwork Network, int Offset)[] Carriers =
    [
        (IPNetwork.Parse("64:ff9b::/96"), 12),
        (IPNetwork.Parse("2002::/16"), 2),
    ];

    /// <summary>Where the address is valid.</summary>
    public static AddressScope Of(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return Find(Special4, address);
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return Find(Special4, address.MapToIPv4());
        }

        // the networks have no zone, and comparing needs equal ones
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        var plain = new IPAddress(bytes);
        foreach ((IPNetwork network, int offset) in Carriers)
        {
            if (network.Contains(plain))
            {
                return Find(Special4, new IPAddress(bytes.Slice(offset, 4)));
            }
        }

        return Find(Special6, plain);
    }

    private static AddressScope Find((IPNetwork Network, AddressScope Scope)[] table, IPAddress address)
    {
        foreach ((IPNetwork network, AddressScope scope) in table)
        {
            if (network.Contains(address))
            {
                return scope;
            }
        }

        return AddressScope.Public;
    }
}
