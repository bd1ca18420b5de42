using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>The exchange's limits, copied from the public options at start. Each is a number; none means unlimited.</summary>
internal sealed record ExchangeSettings
{
    public static ExchangeSettings Default { get; } = new();

    /// <summary>Blocks that are neither sent nor asked for.</summary>
    public DenyList Denied { get; init; } = DenyList.Empty;

    /// <summary>The most bytes wanted of one provider at a time. Default 32 MiB: fills 1 Gbit/s at 250 ms.</summary>
    public int MaxWantedBytesPerPeer { get; init; } = 32 << 20;

    /// <summary>The most bytes being sent to all peers together. Default 64 MiB.</summary>
    public int MaxServingBytes { get; init; } = 64 << 20;

    /// <summary>Bytes wanted of a provider before its speed is known. Default 8 MiB: one round trip at 63 ms fills 1 Gbit/s.</summary>
    public int InitialWantedBytesPerPeer { get; init; } = 8 << 20;

    /// <summary>Wants open at one provider (count). Default 1,000: others keep 1,024 of a peer and forget the rest.</summary>
    public int MaxWantsPerPeer { get; init; } = 1_000;

    /// <summary>Blocks that a session holds requests for (count) before the caller waits. Default 4,096.</summary>
    public int MaxRequests { get; init; } = 4_096;

    /// <summary>Bytes that a session holds requests for before the caller waits. Default 64 MiB.</summary>
    public long MaxRequestedBytes { get; init; } = 64 << 20;

    /// <summary>Received blocks that wait for a verification worker (count). Default 16: with 2 MiB blocks 32 MiB. Full: the streams wait.</summary>
    public int VerificationQueue { get; init; } = 16;

    /// <summary>Workers that hash blocks and hand them to the sinks. Default: one for each processor.</summary>
    public int VerificationWorkers { get; init; } = Environment.ProcessorCount;

    /// <summary>Bitswap streams that one peer may have open towards us. Default 32: go opens one for each response and serves eight at a time.</summary>
    public int MaxInboundStreamsPerPeer { get; init; } = 32;

    /// <summary>Wants of a peer that are remembered (count). Default 1,024, as others do; above it the least important is forgotten.</summary>
    public int MaxRememberedWantsPerPeer { get; init; } = 1_024;
}
