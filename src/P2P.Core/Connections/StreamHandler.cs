namespace P2P.Core.Connections;

/// <summary>Serves one stream that a peer opened. When it returns the stream is closed in good order; when it throws the stream is reset.</summary>
/// <param name="stream">The stream, negotiated; the pool disposes it.</param>
/// <param name="cancellationToken">Canceled when the connection closes.</param>
internal delegate Task StreamHandler(PeerStream stream, CancellationToken cancellationToken);
