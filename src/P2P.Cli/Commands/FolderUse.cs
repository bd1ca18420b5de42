namespace P2P.Cli.Commands;

/// <summary>What a command needs of the data folder.</summary>
internal enum FolderUse
{
    /// <summary>No lock: it runs beside anything.</summary>
    None,

    /// <summary>A node on it: the one that runs, or its own.</summary>
    Node,

    /// <summary>The node that runs; without one it has nothing to say.</summary>
    RunningNode,

    /// <summary>The folder for itself.</summary>
    Alone,
}
