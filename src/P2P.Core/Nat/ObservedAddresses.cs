using System.Net;
using P2P.Core.Addresses;

namespace P2P.Core.Nat;

/// <summary>
/// Under which addresses peers see us, with how many networks say so. Of a connection that we dialed only the IP address counts, for its port is one of the
/// moment; of one that came in the whole address was dialed. A plain state machine.
/// </summary>
internal sealed class ObservedAddresses
{
    /// <summary>Networks that must agree before an address that was dialed counts as ours without a test of our own (count).</summary>
    private const int EnoughWitnesses = 2;

    /// <summary>What is kept (count each): addresses, the oldest goes first, and witnesses of one.</summary>
    private const int MaxAddresses = 16, MaxWitnesses = 8;

    private readonly List<(IPAddress Ip, HashSet<string> Witnesses)> _ips = []; // the latest last
    private readonly List<(Multiaddress Address, HashSet<string> Witnesses)> _dialed = [];

    /// <summary>Public addresses that peers see us at, the most often named first.</summary>
    public IReadOnlyList<IPAddress> Addresses => [.. _ips.OrderByDescending(static seen => seen.Witnesses.Count).Select(static seen => seen.Ip)];

    /// <summary>Addresses that peers of two networks have dialed and reached us at.</summary>
    public IReadOnlyList<Multiaddress> Confirmed => [.. _dialed.Where(static seen => seen.Witnesses.Count >= EnoughWitnesses).Select(static seen => seen.Address)];

    /// <summary>Notes what a peer says.</summary>
    /// <param name="observed">Our address as it sees it.</param>
    /// <param name="witness">Where the peer is.</param>
    /// <param name="isOutbound">Whether we dialed.</param>
    /// <returns>Whether something new is known.</returns>
    public bool Note(Multiaddress observed, IPAddress witness, bool isOutbound)
    {
        // what a neighbour sees is no view from outside
        if (!observed.TryGetEndPoint(out IPEndPoint? end) || AddressScopes.Of(end.Address) != AddressScope.Public || AddressScopes.Of(witness) != AddressScope.Public)
            return false;
        string network = AddressVerdicts.NetworkOf(witness);
        bool isNew = Add(_ips, end.Address, network);
        return (!isOutbound && end.Port != 0 && Add(_dialed, Multiaddress.FromEndPoint(end), network)) || isNew;
    }

    /// <summary>Forgets everything: this machine is in another network now.</summary>
    public void Clear()
    {
        _ips.Clear();
        _dialed.Clear();
    }

    private static bool Add<T>(List<(T Key, HashSet<string> Witnesses)> list, T key, string network)
    {
        int index = list.FindIndex(known => EqualityComparer<T>.Default.Equals(known.Key, key));
        if (index < 0)
        {
            if (list.Count == MaxAddresses)
                list.RemoveAt(0);
            list.Add((key, [network]));
            return true;
        }

        (T Key, HashSet<string> Witnesses) known = list[index];
        list.RemoveAt(index);
        list.Add(known);
        return known.Witnesses.Count < MaxWitnesses && known.Witnesses.Add(network);
    }
}
