namespace P2P.Core.Diagnostics;

/// <summary>What became of a block that a peer sent: a tag of the metrics, so a small fixed set.</summary>
internal enum ReceivedBlockOutcome
{
    /// <summary>It was wanted and verified.</summary>
    Verified,

    /// <summary>It was wanted and had come before.</summary>
    Duplicate,

    /// <summary>Its bytes match nothing that was asked for.</summary>
    Unwanted,
}
