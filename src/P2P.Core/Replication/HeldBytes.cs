namespace P2P.Core.Replication;

/// <summary>What a holder holds and has promised (bytes), that of the publisher whose run is renewed left out.</summary>
/// <param name="Total">For everybody.</param>
/// <param name="Strangers">For those that are neither admitted nor local.</param>
/// <param name="Network">For strangers of the same network as the one who asks.</param>
/// <param name="Leases">How many leases there are (count).</param>
internal readonly record struct HeldBytes(long Total, long Strangers, long Network, int Leases);
