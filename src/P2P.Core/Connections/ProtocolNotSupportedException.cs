namespace P2P.Core.Connections;

/// <summary>The peer does not speak the protocol that a stream was opened for. The connection stays usable.</summary>
internal sealed class ProtocolNotSupportedException(string reason) : IOException(reason);
