namespace P2P.Core.Replication;

/// <summary>What an audit found.</summary>
internal enum AuditOutcome
{
    /// <summary>The holder can get the block now.</summary>
    Proved,

    /// <summary>It answered, and cannot.</summary>
    Missing,
}
