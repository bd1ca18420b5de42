namespace P2P.Core;

/// <summary>What sharing would share, found out without sharing.</summary>
/// <param name="Root">The content id; empty for what would be private, whose id follows from a key that is made when it is shared.</param>
/// <param name="Name">The name in the link.</param>
/// <param name="Kind">File or folder.</param>
/// <param name="Bytes">The bytes of all files.</param>
/// <param name="Blocks">The blocks that it would consist of.</param>
/// <param name="Files">Files in it.</param>
public sealed record SharePreview(Cid Root, string Name, ContentKind Kind, long Bytes, long Blocks, int Files)
{
    /// <summary>What <see cref="ShareOptions.Exclude"/> leaves out, by its path inside the share; a folder stands for all below it. The first 1,000.</summary>
    public IReadOnlyList<string> Excluded { get; init; } = [];

    /// <summary>How much is left out; a folder counts once.</summary>
    public int ExcludedCount { get; init; }

    /// <summary>What cannot be read, each with the reason. Without <see cref="ShareOptions.ContinueOnUnreadable"/> sharing would fail because of it.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>What is no file, folder or link (sockets, pipes, devices) and cannot be shared.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];
}
