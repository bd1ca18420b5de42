using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Dht;

/// <summary>
/// Which part of the internet an address belongs to, as coarse as one owner is likely to hold many of: IPv4 /16, IPv6 /32. Limits on how many peers of one
/// group a table or an answer may hold make it dear to surround a key. Addresses of one's own machine and of private networks have no group and no limit.
/// </summary>
/// <param name="Value">The group; 0 is none.</param>
internal readonly record struct NetworkGroup(uint Value)
{
    private const uint IPv6Mark = 0x8000_0000;

    /// <summary>Without a group: never limited.</summary>
    public static NetworkGroup None => default;

    /// <summary>Whether limits apply.</summary>
    public bool IsLimited => Value != 0;

    /// <summary>The group of an address.</summary>
    /// <param name="address">The address of a live connection or one that was told.</param>
    /// <param name="isPublic">Whether it is an address of the public internet.</param>
    public static NetworkGroup Of(IPAddress address, bool isPublic)
    {
        if (!isPublic)
            return None;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        uint head = ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
        return address.AddressFamily == AddressFamily.InterNetwork
            ? new NetworkGroup((head >> 16) | 0x0100_0000) // never 0, and apart from IPv6
            : new NetworkGroup(head | IPv6Mark);
    }
}
