using P2P.Core.Blocks;

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

    /// <summary>Whether <see cref="OnChildren"/> and <see cref="FindForAsync"/> are of any use.</summary>
    bool LooksForBlocks => false;

    /// <summary>An inner node was read; what hangs on it may lie with others than the root.</summary>
    void OnChildren(IReadOnlyList<BlockChild> children)
    {
        // a source that knows only who has the whole has no use for it
    }

    /// <summary>Connected peers that are likely to have a block which nobody has who was found for the root, and whatever lies with it. Few at a time: called again while it is missing.</summary>
    IAsyncEnumerable<(PeerId Peer, IReadOnlyCollection<MultihashKey> Blocks)> FindForAsync(Cid block, CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<(PeerId, IReadOnlyCollection<MultihashKey>)>();

    /// <summary>Dials a provider again whose connection was lost during a fetch. False: it cannot be reached now; the session asks again later.</summary>
    Task<bool> ReconnectAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>The peers that somebody named as having the content: the user, a link, a record. Whoever is asked by chance is none of them.</summary>
    IReadOnlyCollection<PeerId> Named => [];

    /// <summary>What was tried and failed lately, for messages to the user.</summary>
    IReadOnlyList<DialAttempt> Attempts { get; }
}
