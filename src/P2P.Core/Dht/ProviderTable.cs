using System.Runtime.InteropServices;

namespace P2P.Core.Dht;

/// <summary>Who said to have what. Bounded for each key, prefix, peer and in all; what is too old is dropped.</summary>
/// <remarks>
/// When a key has too many providers the network (IPv4 /16, IPv6 /32) with the most of them loses its latest, and an answer takes its providers from all
/// networks in turn: first those that have been known longest, then the others in an order of chance. So thousands of false providers neither push a real one
/// out nor hide it when they come from a few networks, or when they come later than it, from wherever.
/// </remarks>
internal sealed class ProviderTable(ProviderTableSettings settings, Random random)
{
    /// <summary>Networks that come first in an answer because one of theirs has been known longest (count): half of what a search takes.</summary>
    private const int Seniors = 10;

    private readonly Dictionary<DhtKey, List<Entry>> _byKey = [];
    private readonly Dictionary<PeerId, int> _perPeer = [];

    /// <summary>Statements kept.</summary>
    public int Count { get; private set; }

    /// <summary>Keys that have a provider.</summary>
    public int KeyCount => _byKey.Count;

    /// <summary>Notes that a peer has the content of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="provider">Who, with its addresses.</param>
    /// <param name="caller">The connection that it said so on.</param>
    /// <param name="now">Time since the start.</param>
    /// <returns>False: a limit is reached.</returns>
    public bool Add(DhtKey key, Contact provider, in DhtCaller caller, TimeSpan now)
    {
        List<Entry> entries = _byKey.TryGetValue(key, out List<Entry>? known) ? known : [];
        Span<Entry> span = CollectionsMarshal.AsSpan(entries);
        int samePrefix = 0;
        for (int i = 0; i < span.Length; i++)
        {
            if (span[i].Provider.Key == provider.Key)
            {
                span[i] = span[i] with { Provider = provider, Renewed = now };
                return true;
            }

            samePrefix += caller.Prefix.IsLimited && span[i].Prefix == caller.Prefix ? 1 : 0;
        }

        if (samePrefix >= settings.MaxPerKeyAndPrefix || _perPeer.GetValueOrDefault(provider.Peer) >= settings.MaxPerPeer || Count >= settings.MaxRecords)
            return false;
        if (entries.Count >= settings.MaxPerKey && !TryMakeRoom(entries, caller.Group, now))
            return false;
        entries.Add(new Entry(provider, caller.Group, caller.Prefix, now));
        _byKey[key] = entries;
        Count++;
        _perPeer[provider.Peer] = _perPeer.GetValueOrDefault(provider.Peer) + 1;
        return true;
    }

    /// <summary>Providers of a key, in an order that favours no network; those whose addresses are too old come without.</summary>
    public List<Contact> Get(DhtKey key, int max, TimeSpan now)
    {
        if (!_byKey.TryGetValue(key, out List<Entry>? entries))
            return [];
        Expire(key, entries, now);
        Queue<Entry>[] queues = [.. entries.GroupBy(static entry => entry.Group).Select(static group => new Queue<Entry>(group))]; // both in the order of the first statement
        if (queues.Length > Seniors)
            random.Shuffle(queues.AsSpan(Seniors));
        List<Contact> providers = new(Math.Min(max, entries.Count));
        bool hasMore = true;
        while (hasMore && providers.Count < max)
        {
            hasMore = false;
            foreach (Queue<Entry> queue in queues)
            {
                if (providers.Count < max && queue.TryDequeue(out Entry entry))
                {
                    hasMore = true;
                    providers.Add(now - entry.Renewed < settings.AddressValidity ? entry.Provider : new Contact(entry.Provider.Peer, []));
                }
            }
        }

        return providers;
    }

    /// <summary>Drops what is too old. To be called now and then; walks through everything.</summary>
    public void Expire(TimeSpan now)
    {
        foreach ((DhtKey key, List<Entry> entries) in _byKey.ToList())
            Expire(key, entries, now);
    }

    private void Expire(DhtKey key, List<Entry> entries, TimeSpan now)
    {
        for (int i = entries.Count - 1; i >= 0; i--)
        {
            if (now - entries[i].Renewed >= settings.Validity)
                RemoveAt(entries, i);
        }

        if (entries.Count == 0)
            _byKey.Remove(key);
    }

    /// <summary>Drops the latest provider of the network that has the most, unless that is the network of who wants in.</summary>
    private bool TryMakeRoom(List<Entry> entries, NetworkGroup group, TimeSpan now)
    {
        int expired = entries.FindIndex(entry => now - entry.Renewed >= settings.Validity);
        if (expired >= 0)
        {
            RemoveAt(entries, expired);
            return true;
        }

        IGrouping<NetworkGroup, Entry> largest = entries.GroupBy(static entry => entry.Group).MaxBy(static group => group.Count())!;
        if (largest.Key == group || largest.Count() <= 1)
            return false;
        RemoveAt(entries, entries.FindLastIndex(entry => entry.Group == largest.Key));
        return true;
    }

    private void RemoveAt(List<Entry> entries, int index)
    {
        PeerId peer = entries[index].Provider.Peer;
        entries.RemoveAt(index);
        Count--;
        int left = _perPeer[peer] - 1;
        if (left == 0)
            _perPeer.Remove(peer);
        else
            _perPeer[peer] = left;
    }

    private readonly record struct Entry(Contact Provider, NetworkGroup Group, NetworkPrefix Prefix, TimeSpan Renewed);
}
