using System.Net;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Replication;

/// <summary>Decides whether a holder takes what it is offered: who asks, for how long, how much. Owns no state but its settings.</summary>
internal sealed class HolderPolicy(HolderSettings settings, string network)
{
    /// <summary>Judges an offer.</summary>
    /// <param name="lease">The lease, its signature checked.</param>
    /// <param name="entries">The blocks.</param>
    /// <param name="sender">Who brought it.</param>
    /// <param name="from">From where.</param>
    /// <param name="held">What is held now.</param>
    /// <param name="utcNow">The date.</param>
    public RefusalReason Judge(Lease lease, IReadOnlyList<ReplicaEntry> entries, PeerId sender, Multiaddress from, HeldBytes held, DateTimeOffset utcNow)
    {
        if (lease.Network != network || lease.Until <= utcNow || lease.Issued > utcNow + Lease.MaxClockSkew || !lease.Covers(entries) || entries.Count == 0)
            return RefusalReason.Invalid;
        if (lease.Until > utcNow + Lease.MaxDuration + Lease.MaxClockSkew)
            return RefusalReason.LeaseTooLong;
        bool isFriend = settings.Admitted.Contains(lease.Publisher) || (sender == lease.Publisher && IsLocal(from));
        if (!isFriend && settings.Audience != OfferAudience.Anyone)
            return RefusalReason.Policy;
        foreach (ReplicaEntry entry in entries)
        {
            if (entry.Size is <= 0 or > BlockVerification.MaxBlockBytes)
                return RefusalReason.TooBig;
            if (entry.Cid.MultihashCode != Multihash.Sha2_256)
                return RefusalReason.Policy;

            // prevents accidents; it does not prove that anything is sealed
            if (!isFriend && (entry.Cid.Codec != Cid.RawCodec || !BlockSealer.IsSealedLength(entry.Size)))
                return RefusalReason.Policy;
        }

        if (held.Total + lease.Bytes > settings.OfferBytes)
            return RefusalReason.Full;
        if (!isFriend && held.Strangers + lease.Bytes > settings.OfferBytes / 2)
            return RefusalReason.Full;
        return RefusalReason.None;
    }

    /// <summary>Whether an address lies on this machine or on a network that it has an interface in.</summary>
    public bool IsLocal(Multiaddress address) =>
        address.Scope == AddressScope.Loopback || (address.TryGetIPAddress(out IPAddress? ip) && OnLinkNetworks.Contains(settings.OnLink(), ip));
}

/// <summary>What a holder holds (bytes), that of the publisher whose run is renewed left out.</summary>
/// <param name="Total">For everybody.</param>
/// <param name="Strangers">For those that are neither admitted nor local.</param>
internal readonly record struct HeldBytes(long Total, long Strangers);
