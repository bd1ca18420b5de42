namespace P2P.Core;

/// <summary>Content that is kept, and why.</summary>
/// <param name="Root">Its content id; empty while an import does not know it yet.</param>
/// <param name="Name">What the user calls it.</param>
/// <param name="Purpose">Why it is kept.</param>
/// <param name="Bytes">Its size; 0 while unknown.</param>
/// <param name="Blocks">The blocks it consists of; 0 while unknown.</param>
/// <param name="CreatedAt">Since when.</param>
public sealed record PinnedContent(Cid Root, string Name, PinPurpose Purpose, long Bytes, long Blocks, DateTimeOffset CreatedAt)
{
    /// <summary>Where its files lie on this machine; null when they lie nowhere or in several places.</summary>
    public string? Path { get; init; }

    /// <summary>Of a pin just made: the bytes that were here already and were not copied again.</summary>
    public long BytesReused { get; init; }
}
