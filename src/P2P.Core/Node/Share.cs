namespace P2P.Core;

/// <summary>Something that this node shares.</summary>
/// <param name="Root">The content id of the file or folder.</param>
/// <param name="Link">What to give to others.</param>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">The bytes of all files.</param>
/// <param name="Blocks">The blocks it consists of.</param>
/// <param name="Announced">What became of the announcement in the DHT.</param>
public sealed record Share(Cid Root, ShareLink Link, string Name, long Bytes, long Blocks, Announcement Announced)
{
    /// <summary>What could not be read and is not part of it; empty unless <see cref="ShareOptions.ContinueOnUnreadable"/>.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>Where it lies; null when it came from a stream.</summary>
    public string? Path { get; init; }
}
