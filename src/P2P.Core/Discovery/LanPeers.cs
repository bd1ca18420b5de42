namespace P2P.Core.Discovery;

/// <summary>Who was seen on the local network and where, bounded against whoever invents peers there. Owns no clock; not thread-safe.</summary>
internal sealed class LanPeers(PeerId self)
{
    /// <summary>Peers that are kept (count), and that may be new within a minute.</summary>
    public const int MaxPeers = 256, MaxNewPerMinute = 32;

    /// <summary>How long a peer counts as present that is silent: what it told may be kept for two minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(150);

    private readonly Dictionary<PeerId, (IReadOnlyList<Multiaddress> Addresses, TimeSpan Until)> _peers = [];
    private readonly Queue<TimeSpan> _new = new();

    /// <summary>Everybody who is there.</summary>
    public IReadOnlyList<(PeerId Peer, IReadOnlyList<Multiaddress> Addresses)> All => [.. _peers.Select(static one => (one.Key, one.Value.Addresses))];

    /// <summary>A peer told its addresses.</summary>
    /// <returns>Whether it is new, or has an address that was not known.</returns>
    public bool OnSeen(PeerId peer, IReadOnlyList<Multiaddress> addresses, TimeSpan now)
    {
        if (peer == self || addresses.Count == 0)
            return false;
        bool isKnown = _peers.TryGetValue(peer, out (IReadOnlyList<Multiaddress> Addresses, TimeSpan Until) known);
        if (!isKnown && !MayBeNew(now))
            return false;
        _peers[peer] = (addresses, now + Lifetime);
        return !isKnown || addresses.Any(address => !known.Addresses.Contains(address));
    }

    /// <summary>A peer said good-bye.</summary>
    /// <returns>Whether it was there.</returns>
    public bool OnGone(PeerId peer) => _peers.Remove(peer);

    /// <summary>Drops those that have been silent for too long.</summary>
    public IReadOnlyList<PeerId> Expire(TimeSpan now)
    {
        PeerId[] silent = [.. _peers.Where(one => one.Value.Until <= now).Select(static one => one.Key)];
        foreach (PeerId peer in silent)
            _peers.Remove(peer);
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
