namespace P2P.Core.Store;

/// <summary>Removes files that no row speaks of: what a crash left under temporary names, damaged blocks that were set aside, block files that got their name but not their row.</summary>
internal sealed class StoreSweeper(IndexReaders readers, IndexWriter writer, OwnedFiles files)
{
    /// <summary>Goes through the store's files once.</summary>
    /// <returns>How many were removed, and their bytes.</returns>
    public async Task<(int Files, long Bytes)> SweepAsync(CancellationToken cancellationToken)
    {
        (int count, long bytes) = (0, 0);
        foreach (string left in files.ListLeftTemporaries())
        {
            cancellationToken.ThrowIfCancellationRequested();
            bytes += files.SizeOf(left);
            files.TryDelete(left);
            count++;
        }
        await foreach ((string path, byte[] key) in FindOrphansAsync(cancellationToken).ConfigureAwait(false))
        {
            bytes += files.SizeOf(path);
            await writer.ApplyAsync(editor => editor.SweepBlockFile(path, key), 1, Durability.Visible, cancellationToken).ConfigureAwait(false);
            count++;
        }
        return (count, bytes);
    }

    /// <summary>Block files without a row, as far as can be seen now: a batch may be committing one.</summary>
    public async IAsyncEnumerable<(string Path, byte[] Key)> FindOrphansAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach ((string path, byte[] key) in files.ListBlocks())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (HasRow(key))
                continue;

            // The writer names files before their rows are committed: ask again behind what it is doing.
            await writer.ApplyAsync(static _ => { }, 1, Durability.Visible, cancellationToken).ConfigureAwait(false);
            if (!HasRow(key))
                yield return (path, key);
        }
    }

    private bool HasRow(byte[] key)
    {
        using IndexReaders.Lease lease = readers.Take();
        return key.Length > 0 && lease.Reader.TryFind(key, out BlockRow row) && (row.Places & BlockPlaces.OwnedFile) != 0;
    }
}
