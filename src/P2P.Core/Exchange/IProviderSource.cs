namespace P2P.Core.Exchange;

/// <summary>
/// Finds and connects peers that may have the blocks of a root. The door through which the node brings in the link's hints, peers on the
/// local network and, later, the DHT; the exchange itself never dials.
/// </summary>
internal interface IProviderSource
{
    /// <summary>
    /// Connected peers that are likely to have the content, each as soon as its connection is there. Ends when there is nowhere left to look.
    /// Called again, with growing pauses, while a session has nobody to ask.
    /// </summary>
    /// <remarks>Runs all its ways at the same time, without fixed waits. A peer that cannot be reached is left out; it is part of <see cref="Attempts"/>.</remarks>
    IAsyncEnumerable<PeerId> FindAsync(Cid root, CancellationToken cancellationToken);

    /// <summary>Dials a provider again whose connection was lost during a fetch. False: it cannot be reached now; the session asks again later.</summary>
    Task<bool> ReconnectAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>What was tried and failed lately, for messages to the user.</summary>
    IReadOnlyList<DialAttempt> Attempts { get; }
}
