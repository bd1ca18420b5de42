using System.Net;
using P2P.Core.Addresses;

namespace P2P.Core.Dht;

/// <summary>Who sent a request, as its connection proves it.</summary>
/// <param name="Peer">Its authenticated id.</param>
/// <param name="Scope">Where its address is valid: decides which addresses it may tell and is told.</param>
/// <param name="Group">Its part of the internet, coarse.</param>
/// <param name="Prefix">Its part of the internet, fine.</param>
internal readonly record struct DhtCaller(PeerId Peer, AddressScope Scope, NetworkGroup Group, NetworkPrefix Prefix)
{
    /// <summary>The caller behind an address.</summary>
    public static DhtCaller Of(PeerId peer, Multiaddress address)
    {
        bool hasIP = address.TryGetIPAddress(out IPAddress? ip);
        AddressScope scope = address.Scope;
        return hasIP
            ? new DhtCaller(peer, scope, NetworkGroup.Of(ip!, scope == AddressScope.Public), NetworkPrefix.Of(ip!, scope == AddressScope.Public))
            : new DhtCaller(peer, scope, default, default);
    }
}
