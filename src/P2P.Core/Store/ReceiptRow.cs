namespace P2P.Core.Store;

/// <summary>What a holder said it keeps for this node, as the index remembers it: a row for each share, run and holder. The store does not read the statement.</summary>
/// <param name="Root">The share.</param>
/// <param name="RunKey">Where the run lies in the keyspace (32 bytes).</param>
/// <param name="Holder">The bytes of the holder's peer id.</param>
/// <param name="Addresses">Where it was reached, a line each.</param>
/// <param name="Envelope">The signed statement.</param>
internal sealed record ReceiptRow(Cid Root, ReadOnlyMemory<byte> RunKey, ReadOnlyMemory<byte> Holder, string Addresses, ReadOnlyMemory<byte> Envelope);
