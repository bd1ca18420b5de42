namespace P2P.Core;

/// <summary>What an entry of shared content is.</summary>
public enum ContentKind
{
    /// <summary>A file.</summary>
    File,

    /// <summary>A folder.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,
}
