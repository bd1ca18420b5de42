using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace P2P.Core.Addresses;

/// <summary>The networks that this machine has an interface in, so that a host there is reached without a router.</summary>
internal static class OnLinkNetworks
{
    /// <summary>Asks the system; costs a few milliseconds, so it is asked when the network changes and not for each dial.</summary>
    /// <param name="withLoopback">Whether this machine's own loopback counts: only for a node that listens on nothing else, such as the demo.</param>
    public static IReadOnlyList<IPNetwork> Current(bool withLoopback = false)
    {
        var networks = new HashSet<IPNetwork>();
        foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
        {
            bool isLoopback = card.NetworkInterfaceType == NetworkInterfaceType.Loopback;
            if (card.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown) || (isLoopback && !withLoopback))
            {
                continue;
            }

            foreach (UnicastIPAddressInformation unicast in card.GetIPProperties().UnicastAddresses)
            {
                // a tunnel that claims to be next to the whole world says nothing about who is near
                if (unicast.PrefixLength > 0 && (AddressScopes.Of(unicast.Address) != AddressScope.Loopback || withLoopback))
                {
                    networks.Add(Of(unicast.Address, unicast.PrefixLength));
                }
            }
        }

        return [.. networks];
    }

    /// <summary>The network of an interface's address.</summary>
    public static IPNetwork Of(IPAddress address, int prefixLength)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), prefixLength);
    }

    /// <summary>Whether one of the networks holds the address, whatever its zone.</summary>
    public static bool Contains(IReadOnlyList<IPNetwork> networks, IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
            : address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(address.GetAddressBytes()) : address;
        for (int i = 0; i < networks.Count; i++)
        {
            if (networks[i].Contains(plain))
            {
                return true;
            }
        }

        return false;
    }
}
