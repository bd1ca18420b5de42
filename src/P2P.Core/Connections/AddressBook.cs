using P2P.Core.Addresses;

namespace P2P.Core.Connections;

/// <summary>An address with what decides whether and when it is dialed.</summary>
/// <param name="Address">Without a peer id.</param>
/// <param name="Origin">Whether the user gave it or peers did.</param>
internal readonly record struct KnownAddress(Multiaddress Address, AddressOrigin Origin);

/// <summary>Addresses of peers, bounded: the peer unused for longest goes first, and of one peer's addresses the least trusted, oldest one. Thread-safe.</summary>
internal sealed class AddressBook(TimeProvider time, int maxPeers = 10_000, int maxAddressesPerPeer = 32)
{
    /// <summary>How long an address learned from others counts.</summary>
    public static readonly TimeSpan ToldLifetime = TimeSpan.FromMinutes(30);

    /// <summary>How long an address that the peer itself named counts after it was last confirmed.</summary>
    public static readonly TimeSpan OwnLifetime = TimeSpan.FromHours(24);

    /// <summary>Longer addresses are not kept (bytes): nothing that can be dialed is, and peers could fill the book with them.</summary>
    private const int MaxAddressBytes = 256;

    private readonly Lock _gate = new(); // guards everything below
    private readonly Dictionary<PeerId, LinkedListNode<Entry>> _peers = [];
    private readonly LinkedList<Entry> _byUse = []; // least recently used first

    /// <summary>Peers with at least one address.</summary>
    public int PeerCount
    {
        get
        {
            lock (_gate)
            {
                return _peers.Count;
            }
        }
    }

    /// <summary>Adds addresses or renews them; a more trusted source replaces a less trusted one.</summary>
    public void Add(PeerId peer, IEnumerable<Multiaddress> addresses, AddressSourceKind source)
    {
        lock (_gate)
        {
            AddLocked(peer, addresses, source);
        }
    }

    /// <summary>Replaces what identify said before: addresses it no longer names are forgotten, those of other sources stay.</summary>
    public void Replace(PeerId peer, IEnumerable<Multiaddress> addresses, AddressSourceKind source)
    {
        lock (_gate)
        {
            if (_peers.TryGetValue(peer, out LinkedListNode<Entry>? node))
            {
                node.Value.Addresses.RemoveAll(known => known.Source is AddressSourceKind.Identified or AddressSourceKind.Signed);
            }

            AddLocked(peer, addresses, source);
        }
    }

    /// <summary>The addresses that still count, the most trusted first.</summary>
    public IReadOnlyList<KnownAddress> Get(PeerId peer)
    {
        lock (_gate)
        {
            if (!_peers.TryGetValue(peer, out LinkedListNode<Entry>? node))
            {
                return [];
            }

            Prune(node);
            return [.. node.Value.Addresses
                .OrderByDescending(known => known.Source)
                .Select(known => new KnownAddress(known.Address, known.Source == AddressSourceKind.User ? AddressOrigin.User : AddressOrigin.Peer))];
        }
    }

    /// <summary>Forgets one address, for example because another peer answers there.</summary>
    public void Remove(PeerId peer, Multiaddress address)
    {
        lock (_gate)
        {
            if (_peers.TryGetValue(peer, out LinkedListNode<Entry>? node))
            {
                node.Value.Addresses.RemoveAll(known => known.Address.Equals(address));
                Prune(node);
            }
        }
    }

    private void AddLocked(PeerId peer, IEnumerable<Multiaddress> addresses, AddressSourceKind source)
    {
        if (!_peers.TryGetValue(peer, out LinkedListNode<Entry>? node))
        {
            node = new LinkedListNode<Entry>(new Entry(peer, []));
            _peers.Add(peer, node);
        }
        else
        {
            _byUse.Remove(node);
        }

        _byUse.AddLast(node);
        List<Known> known = node.Value.Addresses;
        long now = time.GetTimestamp();
        foreach (Multiaddress address in addresses.Where(static address => address.AsSpan().Length <= MaxAddressBytes).Take(maxAddressesPerPeer))
        {
            Multiaddress bare = address.WithoutPeerId();
            int index = known.FindIndex(other => other.Address.Equals(bare));
            if (index >= 0)
            {
                known[index] = new Known(bare, (AddressSourceKind)Math.Max((int)source, (int)known[index].Source), now);
                continue;
            }

            if (known.Count == maxAddressesPerPeer)
            {
                int victim = LeastTrusted(known);
                if (known[victim].Source > source)
                {
                    continue;
                }

                known.RemoveAt(victim);
            }

            known.Add(new Known(bare, source, now));
        }

        Prune(node);
        while (_peers.Count > maxPeers)
        {
            LinkedListNode<Entry> oldest = _byUse.First!;
            _byUse.RemoveFirst();
            _peers.Remove(oldest.Value.Peer);
        }
    }

    private static int LeastTrusted(List<Known> known)
    {
        int victim = 0;
        for (int i = 1; i < known.Count; i++)
        {
            if ((known[i].Source, known[i].At).CompareTo((known[victim].Source, known[victim].At)) < 0)
            {
                victim = i;
            }
        }

        return victim;
    }

    private void Prune(LinkedListNode<Entry> node)
    {
        node.Value.Addresses.RemoveAll(known =>
            known.Source != AddressSourceKind.User
            && time.GetElapsedTime(known.At) > (known.Source == AddressSourceKind.Told ? ToldLifetime : OwnLifetime));
        if (node.Value.Addresses.Count == 0)
        {
            _peers.Remove(node.Value.Peer);
            if (node.List is not null)
            {
                _byUse.Remove(node);
            }
        }
    }

    private readonly record struct Known(Multiaddress Address, AddressSourceKind Source, long At);

    private sealed record Entry(PeerId Peer, List<Known> Addresses);
}
