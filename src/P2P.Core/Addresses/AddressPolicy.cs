using System.Net;

namespace P2P.Core.Addresses;

/// <summary>
/// Which addresses may be dialed, and which are told. What peers tell us are hints: without this, a record with the address of a printer in our network,
/// or of a service on this machine, would make us knock on it.
/// </summary>
internal static class AddressPolicy
{
    /// <summary>Whether the address may be dialed. Names pass: what they resolve to is asked about again, with the same origin.</summary>
    /// <param name="address">The address.</param>
    /// <param name="origin">Who told us.</param>
    /// <param name="onLink">The networks that this machine has an interface in, see <see cref="OnLinkNetworks"/>.</param>
    public static bool MayDial(Multiaddress address, AddressOrigin origin, IReadOnlyList<IPNetwork> onLink)
    {
        if (!address.TryGetIPAddress(out IPAddress? ip))
        {
            // a peer has no business with the sockets of this machine's file system, nor with zones that do not exist here
            return origin == AddressOrigin.User || address.Components[0].Code is
                MultiaddressProtocol.DnsCode or MultiaddressProtocol.Dns4Code or MultiaddressProtocol.Dns6Code or
                MultiaddressProtocol.DnsaddrCode or MultiaddressProtocol.P2PCode or MultiaddressProtocol.MemoryCode;
        }

        AddressScope scope = AddressScopes.Of(ip);
        if (scope is AddressScope.Unspecified or AddressScope.Multicast || HasPortZero(address))
        {
            return false;
        }

        return origin == AddressOrigin.User || scope == AddressScope.Public || OnLinkNetworks.Contains(onLink, ip);
    }

    /// <summary>Whether an address means something to a peer that is seen from there: what does not would only tell it what networks look like that are not its own.</summary>
    /// <param name="address">The address.</param>
    /// <param name="from">Where the address of the peer's connection is valid.</param>
    public static bool MayTell(Multiaddress address, AddressScope from) => address.Scope switch
    {
        AddressScope.Public or AddressScope.Other => true,
        AddressScope.Reserved => from is not AddressScope.Public,
        AddressScope.Private => from is AddressScope.Private or AddressScope.LinkLocal or AddressScope.Loopback,
        AddressScope.LinkLocal => from is AddressScope.LinkLocal or AddressScope.Loopback,
        AddressScope.Loopback => from is AddressScope.Loopback,
        _ => false,
    };

    private static bool HasPortZero(Multiaddress address) => address.TryGetEndPoint(out IPEndPoint? endPoint) && endPoint.Port == 0;
}
