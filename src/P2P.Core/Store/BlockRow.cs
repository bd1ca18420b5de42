namespace P2P.Core.Store;

/// <summary>Where the bytes of a block lie. The numbers are stored: never change them.</summary>
[Flags]
internal enum BlockPlaces
{
    /// <summary>Nowhere any more: known and wanted by a pin, but lost.</summary>
    None = 0,

    /// <summary>In the table `blobs`.</summary>
    Inline = 1,

    /// <summary>In a file of the store, named by the key.</summary>
    OwnedFile = 2,

    /// <summary>In the source file that the row names.</summary>
    Source = 4,

    /// <summary>In more source files, see the table `sources`.</summary>
    MoreSources = 8,
}

/// <summary>The row of a block.</summary>
internal readonly record struct BlockRow(int Size, BlockPlaces Places, long PinSet, long File, long Offset, long Blob)
{
    public bool IsOwned => (Places & (BlockPlaces.Inline | BlockPlaces.OwnedFile)) != 0;

    public bool HasSource => (Places & BlockPlaces.Source) != 0;

    public bool HasMoreSources => (Places & BlockPlaces.MoreSources) != 0;
}

/// <summary>A place in a source file.</summary>
internal readonly record struct SourcePlace(long File, long Offset);

/// <summary>What became of a source file. The numbers are stored: never change them.</summary>
internal enum SourceState
{
    /// <summary>As imported, as far as we know.</summary>
    Sound = 0,

    /// <summary>Bytes that were imported are no longer there.</summary>
    Edited = 1,

    /// <summary>It was not where it should be when last looked for.</summary>
    Missing = 2,

    /// <summary>This node is writing it: its blocks are hashed at each read and its size and time mean nothing yet.</summary>
    BeingWritten = 3,

    /// <summary>Another import of the same path took its place; what still matches may still be read.</summary>
    Superseded = 4,
}

/// <summary>The row of a source file with its path.</summary>
internal sealed record SourceRow(long Id, string Path, FileIdentity Identity, long CheckedNs, SourceState State, byte[]? Root)
{
    /// <summary>The number of the key that its blocks are sealed with; 0: they are the file's own bytes.</summary>
    public long ShareKey { get; init; }

    /// <summary>The stretch of the file that a block is made of.</summary>
    /// <param name="place">The place as the index has it.</param>
    /// <param name="blockBytes">The length of the block.</param>
    public SourceStretch StretchOf(SourcePlace place, int blockBytes) => ShareKey == 0 ? new SourceStretch(place.Offset, blockBytes) : SourceStretch.FromSealed(place.Offset, blockBytes);
}
