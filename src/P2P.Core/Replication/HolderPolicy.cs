using System.Net;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Dht;
using P2P.Core.Primitives;

namespace P2P.Core.Replication;

/// <summary>Decides whether a holder takes what it is offered: who asks, for how long, how much. Owns no state but its settings.</summary>
internal sealed class HolderPolicy(HolderSettings settings, string network)
{
    /// <summary>Leases held at once (count): one of a few bytes costs more than its blocks.</summary>
    private const int MaxLeases = 100_000;

    /// <summary>Of the offer that strangers share: 1 / 2 in all, 1 / 20 for each network of theirs.</summary>
    private const int StrangersShare = 2, NetworkShare = 20;

    /// <summary>What a network that nothing is known of may use (bytes); twice as much after each lease that ran its course.</summary>
    private const long NewNetworkBytes = 256L << 20;

    /// <summary>For whom a lease would be held: a friend, or a stranger and where from.</summary>
    /// <param name="lease">The lease, its signature checked.</param>
    /// <param name="sender">Who brought it.</param>
    /// <param name="from">From where.</param>
    /// <param name="isFriendAlready">Whether something is held for this publisher as for a friend.</param>
    public LeaseOrigin OriginOf(Lease lease, PeerId sender, Multiaddress from, bool isFriendAlready)
    {
        if (settings.Admitted.Contains(lease.Publisher))
            return LeaseOrigin.Friend;

        // Who is local and brings a lease of somebody else could as well push the blocks as its own, so where only locals may push there is nothing to gain.
        if (IsLocal(from) && (sender == lease.Publisher || isFriendAlready || settings.Audience == OfferAudience.Local))
            return LeaseOrigin.Friend;
        return LeaseOrigin.Of(DhtCaller.Of(sender, from).Prefix);
    }

    /// <summary>Judges an offer.</summary>
    /// <param name="lease">The lease, its signature checked.</param>
    /// <param name="entries">The blocks.</param>
    /// <param name="origin">For whom it would be held.</param>
    /// <param name="held">What is held now.</param>
    /// <param name="courses">Leases of that network that ran their course (count).</param>
    /// <param name="utcNow">The date.</param>
    public RefusalReason Judge(Lease lease, IReadOnlyList<ReplicaEntry> entries, LeaseOrigin origin, HeldBytes held, int courses, DateTimeOffset utcNow)
    {
        if (lease.Network != network || lease.Until <= utcNow || lease.Issued > utcNow + Lease.MaxClockSkew || !lease.Covers(entries) || entries.Count == 0)
            return RefusalReason.Invalid;
        if (lease.Until > utcNow + Lease.MaxDuration + Lease.MaxClockSkew)
            return RefusalReason.LeaseTooLong;
        if (origin.IsStranger && settings.Audience != OfferAudience.Anyone)
            return RefusalReason.Policy;
        foreach (ReplicaEntry entry in entries)
        {
            if (entry.Size is < 0 or > BlockVerification.MaxBlockBytes)
                return RefusalReason.TooBig;
            if (entry.Cid.MultihashCode != Multihash.Sha2_256 || settings.Denied.Contains(entry.Cid))
                return RefusalReason.Policy;

            // prevents accidents; it does not prove that anything is sealed
            if (origin.IsStranger && (entry.Cid.Codec != Cid.RawCodec || !BlockSealer.IsSealedLength(entry.Size)))
                return RefusalReason.Policy;
        }

        if (held.Total + lease.Bytes > settings.OfferBytes || held.Leases >= MaxLeases)
            return RefusalReason.Full;
        if (origin.IsStranger && (held.Strangers + lease.Bytes > settings.OfferBytes / StrangersShare || held.Network + lease.Bytes > NetworkBytes(courses)))
            return RefusalReason.Full;
        return RefusalReason.None;
    }

    /// <summary>Whether an address lies on this machine or on a network that it has an interface in.</summary>
    public bool IsLocal(Multiaddress address) =>
        address.Scope == AddressScope.Loopback || (address.TryGetIPAddress(out IPAddress? ip) && OnLinkNetworks.Contains(settings.OnLink(), ip));

    private long NetworkBytes(int courses) =>
        Math.Min(settings.OfferBytes / NetworkShare, NewNetworkBytes << Math.Min(courses, 20));
}
