using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using P2P.Core.Addresses;

namespace P2P.Core.Discovery;

/// <summary>An interface of this machine to a network in which hosts reach each other without a router.</summary>
/// <param name="Name">The system's name for it.</param>
/// <param name="Index">The system's number for it.</param>
/// <param name="Addresses">Our addresses there, with the length of the network's prefix (bits).</param>
internal sealed record LanInterface(string Name, int Index, IReadOnlyList<(IPAddress Address, int PrefixLength)> Addresses)
{
    /// <summary>Interfaces that are looked at (count); a machine with more runs containers, not neighbours.</summary>
    private const int MaxInterfaces = 16;

    /// <summary>How systems call tunnels that say nothing of it in their kind.</summary>
    private static readonly string[] TunnelNames = ["tun", "utun", "wg", "ppp", "ipsec", "tailscale"];

    /// <summary>Whether we have an address of that family there.</summary>
    public bool Has(AddressFamily family) => Addresses.Any(own => own.Address.AddressFamily == family);

    /// <summary>Whether an address is one of ours there.</summary>
    public bool IsOwn(IPAddress address) => Addresses.Any(own => own.Address.Equals(address));

    /// <summary>Whether a host with that address is a neighbour there, whatever the zone of the address.</summary>
    public bool IsOnLink(IPAddress address) =>
        Addresses.Any(own => own.Address.AddressFamily == address.AddressFamily && OnLinkNetworks.Contains([OnLinkNetworks.Of(own.Address, own.PrefixLength)], address));

    /// <summary>Whether nothing has changed.</summary>
    public bool IsSame(LanInterface other) => Index == other.Index && Addresses.SequenceEqual(other.Addresses);

    /// <summary>
    /// Asks the system: interfaces that are up and know multicast, but neither loopback nor tunnels, on which everybody is far away. Networks of containers and
    /// virtual machines count, with the addresses that we have there; their single cables, which have none but one of the link, do not.
    /// </summary>
    public static IReadOnlyList<LanInterface> Current()
    {
        List<LanInterface> all = [];
        foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (all.Count == MaxInterfaces)
                break;
            if (card.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown) || !card.SupportsMulticast
                || card.NetworkInterfaceType == NetworkInterfaceType.Loopback || IsTunnel(card.Name, card.NetworkInterfaceType))
                continue;
            IPInterfaceProperties properties = card.GetIPProperties();
            (IPAddress, int)[] addresses = [.. properties.UnicastAddresses
                .Where(static own => own.PrefixLength > 0 && own.PrefixLength < 8 * own.Address.GetAddressBytes().Length)
                .Select(static own => (new IPAddress(own.Address.GetAddressBytes()), own.PrefixLength))];
            if (CanBeReached(addresses) && IndexOf(properties) is { } index)
                all.Add(new LanInterface(card.Name, index, addresses));
        }

        return all;
    }

    /// <summary>Whether what is on the other side is no neighbour.</summary>
    internal static bool IsTunnel(string name, NetworkInterfaceType type) =>
        type is NetworkInterfaceType.Tunnel or NetworkInterfaceType.Ppp || Array.Exists(TunnelNames, known => name.StartsWith(known, StringComparison.Ordinal));

    /// <summary>Whether there is an address that others can dial: of the link's own, those of IPv6 need the name of an interface.</summary>
    internal static bool CanBeReached(IReadOnlyList<(IPAddress Address, int PrefixLength)> addresses) => addresses.Any(static own => !own.Address.IsIPv6LinkLocal);

    private static int? IndexOf(IPInterfaceProperties properties)
    {
        try
        {
            return properties.GetIPv4Properties()?.Index ?? properties.GetIPv6Properties()?.Index;
        }
        catch (NetworkInformationException)
        {
            return TryGetIPv6Index(properties); // it has no IPv4
        }
    }

    private static int? TryGetIPv6Index(IPInterfaceProperties properties)
    {
        try
        {
            return properties.GetIPv6Properties()?.Index;
        }
        catch (NetworkInformationException)
        {
            return null; // gone meanwhile
        }
    }
}
