using System.Net;
using P2P.Core.Addresses;

namespace P2P.Core.Connections;

/// <summary>Who is near: on this machine, or in a network that it has an interface in. Remembers for a while what the system says. Thread-safe.</summary>
internal sealed class NearNetworks(Func<IReadOnlyList<IPNetwork>> onLink, TimeProvider time)
{
    /// <summary>How long what the system said about its networks counts: asking costs milliseconds.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new(); // guards _known
    private (IReadOnlyList<IPNetwork> Networks, long At)? _known;

    /// <summary>The networks that this machine has an interface in.</summary>
    public IReadOnlyList<IPNetwork> OnLink
    {
        get
        {
            lock (_gate)
            {
                if (_known is not { } known || time.GetElapsedTime(known.At) > Lifetime)
                {
                    _known = known = (onLink(), time.GetTimestamp());
                }

                return known.Networks;
            }
        }
    }

    /// <summary>Whether an address is on this machine or in one of those networks.</summary>
    public bool Contains(Multiaddress address) =>
        address.Scope == AddressScope.Loopback || (address.TryGetIPAddress(out IPAddress? ip) && OnLinkNetworks.Contains(OnLink, ip));
}
