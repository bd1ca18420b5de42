namespace P2P.Core.SecureChannel;

/// <summary>Limits of the Noise channel.</summary>
internal sealed record NoiseOptions
{
    /// <summary>The largest handshake message taken from a peer (bytes). Default 4096: an RSA identity of 8192 bits with its signature needs 2.3 KiB.</summary>
    public int MaxHandshakeMessageBytes { get; init; } = 4096;

    /// <summary>The whole handshake must be done in this time. Default 10 s; shorter cuts off slow links, longer keeps half-open connections.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
