using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>The wants of one fetch and the providers that serve them.</summary>
internal sealed class BitswapSession : IBlockSource, IAsyncDisposable
{
    /// <summary>The content that this session is about; peers that are no providers yet are asked whether they have this block.</summary>
    public Cid Root => throw new NotImplementedException();

    /// <summary>Everything about how it goes, at this moment. Cheap: a few times a second is fine.</summary>
    public SessionStatistics Statistics => throw new NotImplementedException();

    /// <summary>Verified bytes by the peer that sent them.</summary>
    public IReadOnlyDictionary<PeerId, long> BytesByPeer => throw new NotImplementedException();

    /// <summary>The providers that are connected now.</summary>
    public IReadOnlyList<PeerId> Providers => throw new NotImplementedException();

    /// <summary>What was tried and failed: dials and lookups of the provider source, and what providers answered.</summary>
    public IReadOnlyList<DialAttempt> Attempts => throw new NotImplementedException();

    /// <summary>Adds a connected peer that is likely to have the content. At any time, any number of times.</summary>
    public void AddProvider(PeerId peer) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Cancels what is still wanted; requests that are open fail with <see cref="OperationCanceledException"/>.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
