namespace P2P.Core.Transport;

/// <summary>A peer broke a protocol. Closes the stream or connection it happened on; the reason goes to the debug log.</summary>
internal sealed class PeerProtocolException(string reason, Exception? innerException = null) : IOException(reason, innerException);
