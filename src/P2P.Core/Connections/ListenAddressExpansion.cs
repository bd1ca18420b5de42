using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using P2P.Core.Addresses;

namespace P2P.Core.Connections;

/// <summary>What a listener on 0.0.0.0 or :: really listens on.</summary>
internal static class ListenAddressExpansion
{
    /// <summary>The address itself, or one for each address of the machine of that family.</summary>
    public static IEnumerable<Multiaddress> Expand(Multiaddress bound)
    {
        if (bound.Scope != AddressScope.Unspecified || !bound.TryGetEndPoint(out IPEndPoint? end))
        {
            return [bound];
        }

        return [.. MachineAddresses(end.AddressFamily).Select(address => Multiaddress.FromEndPoint(new IPEndPoint(address, end.Port)))];
    }

    private static IEnumerable<IPAddress> MachineAddresses(AddressFamily family)
    {
        foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (card.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown))
            {
                continue;
            }

            foreach (UnicastIPAddressInformation unicast in card.GetIPProperties().UnicastAddresses)
            {
                // a link-local IPv6 address means nothing without the name of our own interface, so it is of no use to others
                if (unicast.Address.AddressFamily == family && !unicast.Address.IsIPv6LinkLocal)
                {
                    yield return unicast.Address;
                }
            }
        }
    }
}
