namespace P2P.Core;

/// <summary>Whether a node runs.</summary>
public enum NodeState
{
    /// <summary>Not started, or stopped again.</summary>
    Stopped,

    /// <summary>Opening its folder and its listeners.</summary>
    Starting,

    /// <summary>Running.</summary>
    Running,

    /// <summary>Closing at the next block boundary.</summary>
    Stopping,
}
