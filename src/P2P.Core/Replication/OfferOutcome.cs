namespace P2P.Core.Replication;

/// <summary>What a holder made of an offer.</summary>
/// <param name="Receipt">Its receipt; null: it refused.</param>
/// <param name="Reason">Why.</param>
/// <param name="Envelope">The receipt as it was signed.</param>
internal readonly record struct OfferOutcome(Receipt? Receipt, RefusalReason Reason, ReadOnlyMemory<byte> Envelope = default);
