namespace P2P.Core.Content;

/// <summary>Decides where the bytes of a file are cut into leaves. Knows nothing of what a leaf becomes.</summary>
internal interface IChunker
{
    /// <summary>A file of at most this many bytes is one leaf, whatever they are.</summary>
    int WholeBytes { get; }

    /// <summary>The longest leaf (bytes).</summary>
    int MaxBytes { get; }

    /// <summary>Whether the cuts follow from the bytes; otherwise from the length alone, and every leaf but the last has <see cref="MaxBytes"/>.</summary>
    bool DependsOnBytes { get; }

    /// <summary>The length of the first leaf of what is left of a file: all of it, or its first <see cref="MaxBytes"/> at least.</summary>
    int NextLength(ReadOnlySpan<byte> rest);
}

/// <summary>Leaves of one size.</summary>
internal sealed class FixedChunker(int bytes) : IChunker
{
    public int WholeBytes => bytes;

    public int MaxBytes => bytes;

    public bool DependsOnBytes => false;

    public int NextLength(ReadOnlySpan<byte> rest) => Math.Min(rest.Length, bytes);
}
