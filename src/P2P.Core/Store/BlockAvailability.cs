namespace P2P.Core.Store;

/// <summary>What a peer may learn of a block.</summary>
/// <param name="IsHeld">The block is here.</param>
/// <param name="MayServe">The peer that asked may have it: it belongs to a share, a seed or a replica, and the peer is not excluded (D9).</param>
/// <param name="Length">Its size (bytes), 0 when it is not here.</param>
internal readonly record struct BlockAvailability(bool IsHeld, bool MayServe, int Length);
