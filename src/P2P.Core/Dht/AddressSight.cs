using P2P.Core.Addresses;

namespace P2P.Core.Dht;

/// <summary>
/// Which addresses can be of use to a peer, by where it is seen from: one on this machine may be told of all, one in a private network of private and public
/// ones, one on the internet of public ones only. The same goes for what it tells us. So no private address leaves its network, and a network on the loopback
/// interface works without being told to.
/// </summary>
internal static class AddressSight
{
    /// <summary>A contact with the addresses that mean something there; null when none is left.</summary>
    public static Contact? Narrow(Contact contact, AddressScope from)
    {
        int visible = 0;
        foreach (Multiaddress address in contact.Addresses)
            visible += AddressPolicy.MayTell(address, from) ? 1 : 0;
        if (visible == 0)
            return null;
        return visible == contact.Addresses.Count ? contact : new Contact(contact.Peer, [.. contact.Addresses.Where(address => AddressPolicy.MayTell(address, from))]);
    }
}
