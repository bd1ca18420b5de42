using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>Chooses holders for a run: the closest ones, but never two in one IPv4 /24 or IPv6 /48 while there are others. Pure.</summary>
internal static class Placement
{
    /// <summary>The order in which holders are asked: first one of each network, the closest first; then the rest, the closest first.</summary>
    /// <param name="closest">Holders, the closest first.</param>
    /// <param name="taken">Holders that have a copy already: their networks count as used.</param>
    public static List<Contact> Order(IEnumerable<Contact> closest, IEnumerable<Contact> taken)
    {
        HashSet<NetworkPrefix> used = [.. taken.Select(PrefixOf).Where(static prefix => prefix.IsLimited)];
        List<Contact> first = [], rest = [];
        foreach (Contact holder in closest)
        {
            NetworkPrefix prefix = PrefixOf(holder);
            (prefix.IsLimited && !used.Add(prefix) ? rest : first).Add(holder);
        }

        return [.. first, .. rest];
    }

    private static NetworkPrefix PrefixOf(Contact holder)
    {
        foreach (Multiaddress address in holder.Addresses)
        {
            NetworkPrefix prefix = DhtCaller.Of(holder.Peer, address).Prefix;
            if (prefix.IsLimited)
                return prefix;
        }

        return default;
    }
}
