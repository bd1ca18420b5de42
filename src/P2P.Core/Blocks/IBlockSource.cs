namespace P2P.Core.Blocks;

/// <summary>Where verified blocks come from while content is read: a fetch session over the network, the local store, or a test.</summary>
internal interface IBlockSource
{
    /// <summary>Gets one block, its hash checked. The caller disposes it.</summary>
    /// <remarks>Waits until a provider delivers it or the token ends it; a source that knows that it never will throws <see cref="P2PException"/>.</remarks>
    ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken);

    /// <summary>Gets one block that nobody waits for yet: it comes after those that somebody does, and is not asked of two for the sake of haste.</summary>
    /// <param name="cid">The block.</param>
    /// <param name="expectedBytes">Its size as the parent claims, a hint for scheduling; 0 when unknown.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<BlockBuffer> GetAheadAsync(Cid cid, int expectedBytes, CancellationToken cancellationToken) => GetAsync(cid, cancellationToken);

    /// <summary>Somebody waits from now on for a block that was asked for ahead.</summary>
    void Hurry(Cid cid)
    {
        // a source without an order has nothing to change
    }

    /// <summary>Whether <see cref="OnChildren"/> is of any use to it.</summary>
    bool WantsChildren => false;

    /// <summary>An inner node was read: what hangs on it, in the order of its links, may be looked for elsewhere than the node itself.</summary>
    void OnChildren(IReadOnlyList<BlockChild> children)
    {
        // a source that looks nowhere has no use for it
    }

    /// <summary>
    /// Asks for a block without waiting for it: the sink is called exactly once for each accepted request, on a verification worker.
    /// Completes when the request is queued; waits while the source has as many requests as it will hold (back-pressure).
    /// The same CID may be requested several times with different tags: it crosses the network once.
    /// </summary>
    /// <param name="cid">The block.</param>
    /// <param name="expectedBytes">Its size as the parent claims, a hint for scheduling; 0 when unknown.</param>
    /// <param name="sink">Told of the outcome.</param>
    /// <param name="tag">Handed back to the sink unchanged.</param>
    /// <param name="cancellationToken">Ends the wait for room in the queue, not the request.</param>
    ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken);
}

/// <summary>Takes blocks that were asked for with <see cref="IBlockSource.RequestAsync"/>. Called from several workers at once.</summary>
internal interface IBlockSink
{
    /// <summary>The verified bytes, borrowed until the call returns. May block on the disk: it runs on a worker, never on an I/O loop.</summary>
    void OnBlock(in Cid cid, long tag, ReadOnlySpan<byte> data);

    /// <summary>The block will not come.</summary>
    void OnFailed(in Cid cid, long tag, Exception error);
}
