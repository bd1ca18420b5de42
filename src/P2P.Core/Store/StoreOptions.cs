namespace P2P.Core.Store;

/// <summary>Limits of the store.</summary>
internal sealed record StoreOptions
{
    /// <summary>Blocks that we own and that are at most this long lie in the database, longer ones in files (bytes). D5.</summary>
    public const int MaxInlineBytes = 64 * 1024;

    /// <summary>Source files kept open for serving (count). Default 128: a handle each, far below the usual limit of 1,024.
    /// Lower costs an open per block when many files are served at once.</summary>
    public int MaxOpenFiles { get; init; } = 128;

    /// <summary>Connections that read the index at the same time (count). Default 4; each may cache <see cref="ReaderCacheBytes"/>.</summary>
    public int MaxReaders { get; init; } = 4;

    /// <summary>Index pages that one reader caches (bytes). Default 8 MiB.</summary>
    public int ReaderCacheBytes { get; init; } = 8 << 20;

    /// <summary>Index pages that the writer caches (bytes). Default 16 MiB.</summary>
    public int WriterCacheBytes { get; init; } = 16 << 20;

    /// <summary>Batches that may wait for the writer (count). A committer beyond that waits.</summary>
    public int MaxQueuedBatches { get; init; } = 64;

    /// <summary>Disk space that owned blocks may take (bytes). <see cref="long.MaxValue"/> leaves it to the disk.</summary>
    public long QuotaBytes { get; init; } = long.MaxValue;

    /// <summary>Unwraps the keys of private shares; null: blocks sealed with one are not served from files.</summary>
    public Blocks.ShareKeyWrap? ShareKeys { get; init; }

    /// <summary>The file layer of SQLite to use, by its registered name; null for the system's.</summary>
    public string? Vfs { get; init; }
}
