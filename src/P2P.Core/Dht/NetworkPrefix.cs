using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Dht;

/// <summary>The part of the internet that one customer is likely to hold: IPv4 /24, IPv6 /48. Addresses of one's own machine and of private networks have none and no limit.</summary>
/// <param name="Value">The prefix; 0 is none.</param>
internal readonly record struct NetworkPrefix(ulong Value)
{
    private const ulong IPv4Mark = 1UL << 62, IPv6Mark = 1UL << 63;

    /// <summary>Whether limits apply.</summary>
    public bool IsLimited => Value != 0;

    /// <summary>The prefix of an address.</summary>
    public static NetworkPrefix Of(IPAddress address, bool isPublic)
    {
        if (!isPublic)
            return default;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? new NetworkPrefix(IPv4Mark | ((ulong)bytes[0] << 16) | ((ulong)bytes[1] << 8) | bytes[2])
            : new NetworkPrefix(IPv6Mark | ((ulong)bytes[0] << 40) | ((ulong)bytes[1] << 32) | ((ulong)bytes[2] << 24) | ((ulong)bytes[3] << 16) | ((ulong)bytes[4] << 8) | bytes[5]);
    }
}
