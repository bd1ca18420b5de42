namespace P2P.Core;

/// <summary>How a node stands in the DHT.</summary>
/// <param name="IsServer">Whether it answers others.</param>
/// <param name="Contacts">Peers of the DHT that it knows; 0: nothing can be found there.</param>
/// <param name="Providers">What others said to have, kept here for all (count).</param>
public sealed record DhtStatus(bool IsServer, int Contacts, int Providers)
{
    /// <summary>Holders known, which keep copies for others.</summary>
    public int Holders { get; init; }

    /// <summary>Blocks that this node announces there, each again before others forget it (count).</summary>
    public long Announced { get; init; }

    /// <summary>Blocks that were never announced yet (count).</summary>
    public long NeverAnnounced { get; init; }

    /// <summary>How far announcing is behind its schedule; zero when it is in time.</summary>
    public TimeSpan Lag { get; init; }
}
