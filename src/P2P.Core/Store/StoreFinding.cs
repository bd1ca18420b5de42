namespace P2P.Core;

/// <summary>Something that a verification of the store found.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">The file it is in: a file of the store, the index, or a file of the user's.</param>
/// <param name="Offset">Where the block begins in that file; null when all of the file is meant or the block lies inside the index.</param>
/// <param name="Cid">The block, as raw bytes whatever it holds; empty when none is meant.</param>
public sealed record StoreFinding(FindingKind Kind, string Path, long? Offset, Cid Cid)
{
    /// <summary>Whether no other place on this machine has the right bytes of the block, and something that is kept needs it.</summary>
    public bool IsLost { get; init; }

    /// <summary>The names of the shares and pins that need the block.</summary>
    public IReadOnlyList<string> Affects { get; init; } = [];

    /// <summary>What exactly was found, for a person; may be empty.</summary>
    public string Detail { get; init; } = "";

    /// <summary>Whether it is damage. Leftovers take space and harm nothing.</summary>
    public bool IsDamage => Kind != FindingKind.Leftover;
}

/// <summary>What a verification can find.</summary>
public enum FindingKind
{
    /// <summary>Bytes that the store keeps are wrong or gone.</summary>
    Block,

    /// <summary>A shared file does not hold the bytes that were imported: it was changed, or its disk failed.</summary>
    Source,

    /// <summary>A shared file is not there or cannot be read.</summary>
    MissingSource,

    /// <summary>A block that was found damaged earlier and has not been replaced since.</summary>
    Lost,

    /// <summary>The index itself is damaged.</summary>
    Index,

    /// <summary>A file that nothing speaks of, left by a crash or set aside because it was damaged; collecting garbage removes it.</summary>
    Leftover,
}

/// <summary>How far a verification is.</summary>
/// <param name="Blocks">Blocks looked at (count).</param>
/// <param name="Bytes">Bytes read and hashed.</param>
/// <param name="TotalBytes">About how many there are; a block in two places counts once here.</param>
/// <param name="Findings">Damage found so far (count).</param>
public readonly record struct VerifyProgress(long Blocks, long Bytes, long TotalBytes, long Findings);
