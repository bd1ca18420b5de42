namespace P2P.Core.Connections;

/// <summary>
/// Told of connections coming and going, one call after the other in the order of events, on the thread pool and never on an I/O loop.
/// A peer can have two connections for a moment, when both sides dialed at once: after <see cref="OnDisconnected"/> ask the pool whether another is there.
/// </summary>
internal interface IConnectionObserver
{
    /// <summary>A connection is up: authenticated, streams can be opened.</summary>
    void OnConnected(Connection connection);

    /// <summary>What the peer said about itself is known, or has changed: <see cref="Connection.Remote"/>.</summary>
    void OnIdentified(Connection connection);

    /// <summary>The connection is gone.</summary>
    void OnDisconnected(Connection connection, string reason);
}
