namespace P2P.Core.Content;

/// <summary>One step of an import in the order of the tree. The scan finds them, workers hash meanwhile, the assembly takes them in order.</summary>
internal abstract record ImportStep
{
    /// <summary>A folder begins.</summary>
    internal sealed record BeginFolder(byte[] Name, NodeMetadata? Metadata = null) : ImportStep;

    /// <summary>The folder begun last ends.</summary>
    internal sealed record EndFolder : ImportStep;

    /// <summary>A symbolic link, kept as a link.</summary>
    internal sealed record Link(byte[] Name, byte[] Target) : ImportStep;

    /// <summary>A file of one leaf.</summary>
    internal sealed record SmallFile(ImportFile File, HashJob Job, int Piece) : ImportStep;

    /// <summary>A chunk of the file that follows these chunks.</summary>
    internal sealed record Chunk(HashJob Job) : ImportStep;

    /// <summary>The end of a file of several leaves.</summary>
    internal sealed record LargeFile(ImportFile File) : ImportStep;

    /// <summary>A file that was imported before and has not changed since.</summary>
    internal sealed record KnownFile(ImportFile File, BuiltNode Root, IReadOnlyList<Cid> Blocks) : ImportStep;
}
