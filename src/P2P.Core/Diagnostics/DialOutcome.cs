namespace P2P.Core.Diagnostics;

/// <summary>How a dial ended: a tag of the metrics, so a small fixed set.</summary>
internal enum DialOutcome
{
    /// <summary>A connection to the expected peer.</summary>
    Connected,

    /// <summary>The address refused, or no route leads there.</summary>
    Unreachable,

    /// <summary>No answer in time.</summary>
    TimedOut,

    /// <summary>Something answered that failed the handshake or is another peer.</summary>
    Rejected,

    /// <summary>The caller lost interest, mostly because another address was faster.</summary>
    Cancelled,
}
