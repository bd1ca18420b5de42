namespace P2P.Core.Diagnostics;

/// <summary>How a fetch ended: a tag of the metrics, so a small fixed set.</summary>
internal enum FetchOutcome
{
    /// <summary>All is verified and in place.</summary>
    Done,

    /// <summary>Nobody had it, or nothing came in time.</summary>
    Unavailable,

    /// <summary>What came did not verify.</summary>
    Corrupt,

    /// <summary>The disk or another local cause.</summary>
    Failed,

    /// <summary>The caller cancelled it.</summary>
    Cancelled,
}
