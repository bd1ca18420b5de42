using System.Net;

namespace P2P.Core.Discovery;

/// <summary>Who was seen on the local network and where, bounded against whoever invents peers there. Owns no clock; not thread-safe.</summary>
internal sealed class LanPeers(PeerId self)
{
    /// <summary>Peers that are kept (count), and that may be new within a minute.</summary>
    public const int MaxPeers = 256, MaxNewPerMinute = 32;

    /// <summary>How long a peer counts as present that is silent: what it told may be kept for two minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(150);

    /// <summary>Addresses of one peer that are kept (count): it may be seen on several interfaces.</summary>
    private const int MaxAddresses = 16;

    private readonly Dictionary<PeerId, Dictionary<Multiaddress, TimeSpan>> _peers = []; // until when each address counts
    private readonly Queue<TimeSpan> _new = new();

    /// <summary>Everybody who is there.</summary>
    public IReadOnlyList<(PeerId Peer, IReadOnlyList<Multiaddress> Addresses)> All => [.. _peers.Select(static one => (one.Key, (IReadOnlyList<Multiaddress>)[.. one.Value.Keys]))];

    /// <summary>A peer told its addresses on one interface.</summary>
    /// <returns>Whether it is new, or has an address that was not known.</returns>
    public bool OnSeen(PeerId peer, IReadOnlyList<Multiaddress> addresses, TimeSpan now)
    {
        if (peer == self || addresses.Count == 0)
            return false;
        if (!_peers.TryGetValue(peer, out Dictionary<Multiaddress, TimeSpan>? known))
        {
            if (!MayBeNew(now))
                return false;
            _peers.Add(peer, known = []);
        }

        bool isNews = false;
        foreach (Multiaddress address in addresses)
        {
            bool isKnown = known.ContainsKey(address);
            if (!isKnown && known.Count >= MaxAddresses)
                continue;
            known[address] = now + Lifetime;
            isNews |= !isKnown;
        }

        return isNews;
    }

    /// <summary>A peer that is there is there still, at all addresses that it told.</summary>
    public void OnStillThere(PeerId peer, TimeSpan now)
    {
        if (!_peers.TryGetValue(peer, out Dictionary<Multiaddress, TimeSpan>? known))
            return;
        foreach (Multiaddress address in known.Keys.ToList())
            known[address] = now + Lifetime;
    }

    /// <summary>Where a peer is; empty: it is not there.</summary>
    public IReadOnlyList<Multiaddress> AddressesOf(PeerId peer) => _peers.TryGetValue(peer, out Dictionary<Multiaddress, TimeSpan>? known) ? [.. known.Keys] : [];

    /// <summary>A peer said good-bye.</summary>
    /// <returns>Whether it was there.</returns>
    public bool OnGone(PeerId peer) => _peers.Remove(peer);

    /// <summary>A peer, or somebody in its name, said good-bye from one address.</summary>
    /// <returns>Whether it was there and nothing is left of it.</returns>
    public bool OnGone(PeerId peer, IPAddress from)
    {
        if (!_peers.TryGetValue(peer, out Dictionary<Multiaddress, TimeSpan>? known))
            return false;
        foreach (Multiaddress address in known.Keys.Where(address => address.TryGetIPAddress(out IPAddress? ip) && ip.Equals(from)).ToList())
            known.Remove(address);
        return known.Count == 0 && _peers.Remove(peer);
    }

    /// <summary>Drops what was not told again for too long.</summary>
    /// <returns>The peers of which nothing is left.</returns>
    public IReadOnlyList<PeerId> Expire(TimeSpan now)
    {
        List<PeerId> silent = [];
        foreach ((PeerId peer, Dictionary<Multiaddress, TimeSpan> known) in _peers)
        {
            foreach (Multiaddress address in known.Where(one => one.Value <= now).Select(static one => one.Key).ToList())
                known.Remove(address);
            if (known.Count == 0)
                silent.Add(peer);
        }

        silent.ForEach(peer => _peers.Remove(peer));
        return silent;
    }

    private bool MayBeNew(TimeSpan now)
    {
        while (_new.TryPeek(out TimeSpan first) && now - first >= TimeSpan.FromMinutes(1))
            _new.Dequeue();
        if (_peers.Count >= MaxPeers || _new.Count >= MaxNewPerMinute)
            return false;
        _new.Enqueue(now);
        return true;
    }
}
