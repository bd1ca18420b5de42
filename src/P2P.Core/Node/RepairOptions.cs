namespace P2P.Core;

/// <summary>How the store is repaired.</summary>
public sealed record RepairOptions
{
    /// <summary>The longest time without one new verified byte before what is missing counts as lost. Default 30 seconds.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Peers to ask besides those that are known to have the content, as addresses that end in <c>/p2p/ID</c>.</summary>
    public IReadOnlyCollection<Multiaddress> ExtraPeers { get; init; } = [];
}

/// <summary>How far a repair is.</summary>
/// <param name="Verified">How far the verification is, which comes first.</param>
/// <param name="Refetched">Blocks that came from peers (count).</param>
/// <param name="Missing">Blocks that are still looked for (count).</param>
public readonly record struct RepairProgress(VerifyProgress Verified, long Refetched, long Missing);
