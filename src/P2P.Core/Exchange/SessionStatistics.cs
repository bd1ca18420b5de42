namespace P2P.Core.Exchange;

/// <summary>How a session is doing, at one moment.</summary>
internal sealed record SessionStatistics
{
    /// <summary>Bytes of verified blocks that came over the network, each block counted once.</summary>
    public long VerifiedBytes { get; init; }

    /// <summary>Bytes of data blocks that were in the store already: copied from other files of this machine instead of asked for.</summary>
    public long StoreBytes { get; init; }

    /// <summary>Bytes of blocks that came a second time or that nobody wanted any more.</summary>
    public long DuplicateBytes { get; init; }

    /// <summary>The rate of the last seconds (bytes a second).</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>Providers that are connected and have not said that they lack the content.</summary>
    public int Peers { get; init; }

    /// <summary>Timestamp of the last verified byte, or of the session's start (<see cref="TimeProvider.GetTimestamp"/>).</summary>
    public long LastProgress { get; init; }

    /// <summary>Wants that are open.</summary>
    public int OpenWants { get; init; }

    /// <summary>Why nothing comes, if nothing comes.</summary>
    public SessionStall Stall { get; init; }

    /// <summary>Whether the provider source still looks for peers or dials them.</summary>
    public bool IsSearching { get; init; }

    /// <summary>Whether what comes waits for our own limit on the line.</summary>
    public bool IsHeldBack { get; init; }
}

/// <summary>Why a session gets no blocks.</summary>
internal enum SessionStall
{
    /// <summary>It gets them, or wants none.</summary>
    None,

    /// <summary>No provider is connected.</summary>
    NoProviders,

    /// <summary>Every connected provider said that it does not have what is wanted.</summary>
    NobodyHasIt,

    /// <summary>Providers were asked and have not answered yet.</summary>
    Waiting,
}
