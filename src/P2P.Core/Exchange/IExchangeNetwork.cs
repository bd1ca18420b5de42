using System.IO.Pipelines;

namespace P2P.Core.Exchange;

/// <summary>The network as the exchange sees it: streams to connected peers. The connection pool in a node; pipes in tests and simulations.</summary>
internal interface IExchangeNetwork
{
    /// <summary>Opens a bitswap stream to a connected peer, without waiting for the peer: an answer that it does not speak the protocol comes at the first read.</summary>
    /// <exception cref="IOException">The peer is not connected or takes no more streams.</exception>
    ValueTask<IExchangeStream> OpenStreamAsync(PeerId peer, CancellationToken cancellationToken);

    bool IsConnected(PeerId peer);

    /// <summary>The last measured round trip; null when not measured yet.</summary>
    TimeSpan? RoundTripTime(PeerId peer);

    /// <summary>Whether what the peer sends waits for our own limit right now.</summary>
    bool IsHeldBack(PeerId peer) => false;

    /// <summary>The peers that are connected now.</summary>
    IReadOnlyList<PeerId> ConnectedPeers { get; }
}

/// <summary>A stream to or from a peer. One reader and one writer at a time.</summary>
internal interface IExchangeStream : IAsyncDisposable
{
    PeerId Peer { get; }

    PipeReader Input { get; }

    PipeWriter Output { get; }

    /// <summary>Bytes written that have left for the peer.</summary>
    long SentBytes => 0;

    /// <summary>Whether the peer takes more: what has not left then waits for the line, whose stalls the connection watches.</summary>
    bool HasSendCredit => false;

    /// <summary>Ends both directions at once; what was not delivered is lost.</summary>
    void Reset();

    /// <summary>Closes the whole connection, because the peer broke the protocol. Returns at once.</summary>
    void CloseConnection(string reason);

    /// <summary>Lets the peer send this many bytes without waiting for us, because we asked for them.</summary>
    void GrantReceiveWindow(int bytes);
}
