namespace P2P.Core;

/// <summary>Whether peers on the internet reach this node.</summary>
public enum Reachability
{
    /// <summary>Nobody has tried yet.</summary>
    Unknown,

    /// <summary>A peer has dialed it and got through.</summary>
    Reachable,

    /// <summary>Peers have tried in vain.</summary>
    Unreachable,
}
