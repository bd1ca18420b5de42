namespace P2P.Core;

/// <summary>How far a transfer is.</summary>
/// <param name="VerifiedBytes">Bytes verified, those of an earlier try included.</param>
/// <param name="TotalBytes">Bytes in all; null until the root is known.</param>
/// <param name="BytesPerSecond">The rate of the last seconds.</param>
/// <param name="Peers">Peers that it is being fetched from.</param>
/// <param name="Remaining">Time left at this rate; null when unknown.</param>
/// <param name="Stall">Why nothing moves; null while it does.</param>
public readonly record struct TransferProgress(long VerifiedBytes, long? TotalBytes, double BytesPerSecond, int Peers, TimeSpan? Remaining, StallReason? Stall)
{
    /// <summary>Bytes that were already here and verified.</summary>
    public long ReusedBytes { get; init; }
}
