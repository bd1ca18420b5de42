using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using P2P.Core.Addresses;

namespace P2P.Core.Nat;

/// <summary>A router through which this machine reaches the rest of the world from an address of a private network.</summary>
/// <param name="Router">The router's address in the private network.</param>
/// <param name="Own">Our address there.</param>
/// <param name="InterfaceName">The system's name of the interface.</param>
internal sealed record Gateway(IPAddress Router, IPAddress Own, string InterfaceName)
{
    /// <summary>Routers that are asked (count): a cable and a wireless network at once.</summary>
    private const int MaxGateways = 2;

    /// <summary>Asks the system. None: this machine has a public address itself, or no way out.</summary>
    public static IReadOnlyList<Gateway> Current()
    {
        List<Gateway> found = [];
        foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (card.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown)
                || card.NetworkInterfaceType is NetworkInterfaceType.Loopback or NetworkInterfaceType.Tunnel or NetworkInterfaceType.Ppp)
                continue;
            IPInterfaceProperties properties = card.GetIPProperties();
            foreach (GatewayIPAddressInformation gateway in properties.GatewayAddresses)
            {
                if (found.Count < MaxGateways && Of(gateway.Address, properties.UnicastAddresses, card.Name) is { } usable && !found.Exists(known => known.Router.Equals(usable.Router)))
                    found.Add(usable);
            }
        }

        return found;
    }

    private static Gateway? Of(IPAddress router, UnicastIPAddressInformationCollection own, string name)
    {
        if (router.AddressFamily != AddressFamily.InterNetwork || AddressScopes.Of(router) is AddressScope.Unspecified or AddressScope.Loopback or AddressScope.Multicast)
            return null;
        foreach (UnicastIPAddressInformation address in own)
        {
            if (address.Address.AddressFamily == AddressFamily.InterNetwork && AddressScopes.Of(address.Address) == AddressScope.Private
                && OnLinkNetworks.Of(address.Address, address.PrefixLength).Contains(router))
                return new Gateway(router, address.Address, name);
        }

        return null;
    }
}
