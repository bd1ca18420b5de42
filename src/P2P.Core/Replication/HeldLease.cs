using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>A lease under which blocks are held.</summary>
/// <param name="Lease">What it says.</param>
/// <param name="Envelope">As it was signed.</param>
/// <param name="Pin">What keeps the blocks.</param>
/// <param name="Head">The first block of the run.</param>
/// <param name="Origin">See <see cref="LeaseOrigin"/>.</param>
internal sealed record HeldLease(Lease Lease, ReadOnlyMemory<byte> Envelope, PinId Pin, Cid Head, LeaseOrigin Origin)
{
    /// <summary>What other holders know it by.</summary>
    public byte[] Digest { get; } = Lease.DigestOf(Envelope.Span);
}
