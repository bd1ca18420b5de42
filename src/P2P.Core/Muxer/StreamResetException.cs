namespace P2P.Core.Muxer;

/// <summary>The stream was cut off: by the peer, by us, or with its session.</summary>
internal sealed class StreamResetException(string message, Exception? innerException = null) : IOException(message, innerException);
