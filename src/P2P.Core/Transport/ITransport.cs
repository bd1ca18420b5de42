namespace P2P.Core.Transport;

/// <summary>Carries bytes between two addresses: TCP, or memory in tests. The seam at which a simulated network takes the real one's place.</summary>
internal interface ITransport
{
    /// <summary>Whether this transport can dial the address.</summary>
    bool CanDial(Multiaddress address);

    /// <summary>Whether this transport can listen on the address.</summary>
    bool CanListen(Multiaddress address);

    /// <summary>Opens a connection.</summary>
    /// <exception cref="IOException">Nothing answers there. The message says why in a few words.</exception>
    ValueTask<ITransportConnection> DialAsync(Multiaddress address, CancellationToken cancellationToken);

    /// <summary>Starts to listen.</summary>
    /// <exception cref="IOException">The address cannot be listened on, for example because the port is taken.</exception>
    ValueTask<ITransportListener> ListenAsync(Multiaddress address, CancellationToken cancellationToken);
}

/// <summary>Accepts connections on one address until disposed.</summary>
internal interface ITransportListener : IAsyncDisposable
{
    /// <summary>The address with the real port; may be unspecified (0.0.0.0 or ::).</summary>
    Multiaddress BoundAddress { get; }

    /// <summary>The next connection, or null once the listener is disposed.</summary>
    ValueTask<ITransportConnection?> AcceptAsync(CancellationToken cancellationToken);
}

/// <summary>A reliable, ordered byte stream to one remote address. One reader and one writer at a time.</summary>
internal interface ITransportConnection : IAsyncDisposable
{
    /// <summary>Our end.</summary>
    Multiaddress LocalAddress { get; }

    /// <summary>The other end, without a peer id.</summary>
    Multiaddress RemoteAddress { get; }

    /// <summary>Whether a send waits for its turn under a limit of our own, not for the other side; safe to read from any thread.</summary>
    bool IsSendHeldBack => false;

    /// <summary>Whether a receive waits for its turn under a limit of our own, not for the other side; safe to read from any thread.</summary>
    bool IsReceiveHeldBack => false;

    /// <summary>Reads what is there, at least one byte; 0 when the other side has finished.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Sends all of it.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Closes at once; pending calls fail.</summary>
    void Abort();
}
