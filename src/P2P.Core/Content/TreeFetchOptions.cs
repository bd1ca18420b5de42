namespace P2P.Core.Content;

/// <summary>How content is written to disk.</summary>
internal sealed record TreeFetchOptions
{
    /// <summary>What to do when the target exists with other content.</summary>
    public IfExists IfExists { get; init; }

    /// <summary>How the content stands in blocks.</summary>
    public BlockForm Form { get; init; } = BlockForm.Public;

    /// <summary>Patterns of what of a folder is wanted; empty: all of it.</summary>
    public IReadOnlyCollection<string> Select { get; init; } = [];

    /// <summary>Whose rules of names hold. Default: this system's.</summary>
    public TargetSystem System { get; init; } = TargetSystems.Current;

    /// <summary>Workers that check what is on disk already (count). Default: one for each core.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Whether the store is told where each block lies, so that the content is served: for a pin of a served kind.</summary>
    public bool RecordPlaces { get; init; }

    /// <summary>Whether files of this machine that have the content are cloned, where the disk can.</summary>
    public bool UsesLocalCopies { get; init; } = true;

    /// <summary>Told, with <see cref="RecordPlaces"/>, of each block that may be served from now on; null: nobody. Must be quick.</summary>
    public Action<Cid>? OnServable { get; init; }

    /// <summary>The most entries of a tree (count). Default 5,000,000: about 1 GB of names on disk. A hostile tree of few blocks can name endlessly many.</summary>
    public long MaxEntries { get; init; } = 5_000_000;
}
