using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Store;

namespace P2P.Core.Exchange;

/// <summary>Bitswap 1.2.0 on the node's connections: serves what the store may give away and runs sessions that fetch.</summary>
internal sealed class Bitswap : IAsyncDisposable
{
    /// <summary>Registers the protocol with the pool and begins to answer.</summary>
    public Bitswap(ConnectionPool pool, BlockStore store, BlockBufferPool buffers, ExchangeSettings settings, TimeProvider time, Random random, ILoggerFactory loggers)
        => throw new NotImplementedException();

    /// <summary>Bytes of blocks sent to others since start.</summary>
    public long BytesServed => throw new NotImplementedException();

    /// <summary>Bytes of verified blocks received since start.</summary>
    public long BytesFetched => throw new NotImplementedException();

    /// <summary>Bytes of blocks sent, by peer: the last 1,024 peers.</summary>
    public IReadOnlyDictionary<PeerId, long> BytesServedByPeer => throw new NotImplementedException();

    /// <summary>Bytes of verified blocks received from a peer since start.</summary>
    public long BytesFetchedFrom(PeerId peer) => throw new NotImplementedException();

    /// <summary>Begins a session. The caller disposes it.</summary>
    /// <param name="root">What it is about.</param>
    /// <param name="source">Finds and reconnects providers; null: only what <see cref="BitswapSession.AddProvider"/> adds.</param>
    /// <param name="askStore">Whether blocks that the store has are taken from there before anybody is asked.</param>
    public BitswapSession OpenSession(Cid root, IProviderSource? source, bool askStore) => throw new NotImplementedException();

    /// <summary>Tells that a block is here now and may be served: peers that asked for it earlier get it. Cheap when nobody did.</summary>
    public void OnBlockAvailable(in Cid cid) => throw new NotImplementedException();

    /// <summary>Ends all streams and sessions.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
