namespace P2P.Core;

/// <summary>A peer who may have the content, and where it was reachable when the link was made.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Addresses">Its addresses, without its id at the end; may be empty.</param>
public sealed record PeerHint(PeerId Peer, IReadOnlyList<Multiaddress> Addresses)
{
    /// <summary>Compares the peer and all addresses, in order.</summary>
    public bool Equals(PeerHint? other) => other is not null && Peer == other.Peer && Addresses.SequenceEqual(other.Addresses);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Peer, Addresses.Count);
}
