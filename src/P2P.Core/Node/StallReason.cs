namespace P2P.Core;

/// <summary>Why a transfer does not move.</summary>
/// <param name="Duration">How long there was no new verified byte.</param>
/// <param name="Attempts">What was tried.</param>
public sealed record StallReason(TimeSpan Duration, IReadOnlyList<DialAttempt> Attempts);
