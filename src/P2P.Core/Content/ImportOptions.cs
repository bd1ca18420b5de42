namespace P2P.Core.Content;

/// <summary>How files become blocks.</summary>
internal sealed record ImportOptions
{
    /// <summary>The layout. Blocks of a profile without raw leaves cannot be served from the files, so it is for dry runs and streams only.</summary>
    public UnixFsProfile Profile { get; init; } = UnixFsProfile.V1_2025;

    /// <summary>How content stands in blocks. One that is private goes with <see cref="UnixFsProfile.Private"/> and makes a root that holds the name.</summary>
    public BlockForm Form { get; init; } = BlockForm.Public;

    /// <summary>The name inside the root of a private share; null: the file's or folder's own, "files" for several.</summary>
    public string? Name { get; init; }

    /// <summary>Whether files are cut by their bytes (FastCDC), no leaf longer than the profile's, or into leaves of the profile's size.</summary>
    public bool CutsByContent { get; init; }

    /// <summary>Whether permissions and times of files and folders are kept in the content.</summary>
    public bool PreserveMetadata { get; init; }

    /// <summary>Workers that read and hash (count). Default: one for each core.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Whether to go on without what cannot be read. Default false: the first of it fails the import.</summary>
    public bool ContinueOnUnreadable { get; init; }

    /// <summary>Says of a path inside the import, segments separated by <c>/</c>, whether it is left out; a folder's answer covers all below it.</summary>
    public Func<string, bool>? Exclude { get; init; }

    /// <summary>By which rules a file of that size is cut, as the index keeps it: one that is a single leaf by all rules has been cut by none.</summary>
    public int LayoutOf(long bytes) => CutsByContent && bytes > FastCdc.MinBytes ? FastCdc.LayoutNumber : 0;

    /// <summary>What cuts the files of one import.</summary>
    public IChunker MakeChunker() => CutsByContent ? new FastCdc(Profile.ChunkBytes) : new FixedChunker(Profile.ChunkBytes);
}
