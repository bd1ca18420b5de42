namespace P2P.Core.Exchange;

/// <summary>One peer that asks us for blocks.</summary>
internal sealed class ServedPeer(PeerId peer, int maxWants) : ServeTurn
{
    public PeerId Peer { get; } = peer;

    /// <summary>What it wants. Guarded by the server's lock.</summary>
    public WantLedger Ledger { get; } = new(maxWants);

    // the rest belongs to the turn in progress

    public RepeatedAsks Sent { get; } = new();

    public OutboundStream? Stream { get; set; }
}
