using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// Removes blocks that no pin keeps, in slices of a few hundred, so that serving and importing go on between them. Which pins a block has is decided in
/// the same transaction that removes it, so nothing that was pinned is ever taken; what an open batch relies on is left.
/// </summary>
/// <param name="readers">Read the index.</param>
/// <param name="writer">Removes rows.</param>
/// <param name="pins">Says what is kept.</param>
/// <param name="holds">Says what batches rely on.</param>
/// <param name="openedNs">When the store was opened: files that were added since may wait for their first block and are left to a later run.</param>
internal sealed class GarbageCollector(IndexReaders readers, IndexWriter writer, PinTable pins, BatchHolds holds, long openedNs)
{
    /// <summary>Blocks looked at in one read and removed in one transaction (count): some milliseconds of the writer.</summary>
    private const int SliceBlocks = 512;

    /// <summary>
    /// Blocks gathered before they are removed in the order in which their bytes lie in the index (count): at most some 20 MiB. In the order of their keys
    /// each would touch pages of its own, and the free pages would be found in an order in which giving them back takes a search for each.
    /// </summary>
    private const int MaxGathered = 256 * 1024;

    /// <summary>Index pages given back to the file system in one go (count): 4 MiB, some milliseconds of the writer.</summary>
    private const int PagesGivenBack = 1024;

    /// <summary>Free pages that stay for what comes next (count).</summary>
    private const int PagesKept = 1024;

    /// <summary>Goes through all blocks and source files once. Safe to cancel: what is removed stays removed.</summary>
    /// <param name="pace">Whom it leaves room.</param>
    /// <param name="cancellationToken">Ends it between two slices.</param>
    /// <returns>How many blocks were removed, and the bytes they took in the store.</returns>
    public async Task<(long Blocks, long Bytes)> CollectAsync(CollectionPace pace, CancellationToken cancellationToken)
    {
        // Files that get a block from here on are noted by the writer, those that have one by the pass below.
        await writer.ApplyAsync(editor => editor.NoteFiles(true), 1, Durability.Visible, cancellationToken).ConfigureAwait(false);
        try
        {
            HashSet<long> unused = FindOldFiles();
            (long blocks, long bytes) = await CollectBlocksAsync(unused, pace, cancellationToken).ConfigureAwait(false);
            ExceptOtherSources(unused);
            foreach (long[] slice in unused.Chunk(SliceBlocks))
                await pace.RunAsync(() => RemoveFilesAsync(slice, cancellationToken), cancellationToken).ConfigureAwait(false);
            return (blocks, bytes);
        }
        finally
        {
            writer.TryApply(editor => editor.NoteFiles(false));
        }
    }

    /// <summary>Gives free pages back to the file system, in slices.</summary>
    public async Task GiveBackSpaceAsync(CollectionPace pace, CancellationToken cancellationToken)
    {
        long free = long.MaxValue, before;
        do
        {
            before = free;
            await pace.RunAsync(
                () => writer.ApplyAsync(editor => free = editor.GiveBackPages(PagesGivenBack), 1, Durability.Visible, cancellationToken),
                cancellationToken).ConfigureAwait(false);
        }
        while (free > PagesKept && free < before);
    }

    private HashSet<long> FindOldFiles()
    {
        using IndexReaders.Lease lease = readers.Take();
        return [.. lease.Reader.Query("SELECT id FROM files WHERE checked_ns<?1", row => row.GetInt64(0), statement => statement.Bind(1, openedNs))];
    }

    private void ExceptOtherSources(HashSet<long> unused)
    {
        if (unused.Count == 0)
            return;
        using IndexReaders.Lease lease = readers.Take();
        unused.ExceptWith(lease.Reader.Query("SELECT DISTINCT file FROM sources", row => row.GetInt64(0)));
    }

    private async Task<(long Blocks, long Bytes)> CollectBlocksAsync(HashSet<long> unused, CollectionPace pace, CancellationToken cancellationToken)
    {
        (long blocks, long bytes) = (0, 0);
        byte[]? last = [];
        List<Garbage> gathered = [];
        while (last is not null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            FindGarbage(ref last, unused, gathered);
            if (last is not null && gathered.Count < MaxGathered)
                continue;
            foreach (Garbage[] part in gathered.OrderBy(found => found.Blob).Chunk(SliceBlocks))
            {
                await pace.RunAsync(
                    async () =>
                    {
                        (long Blocks, long Bytes) slice = await RemoveBlocksAsync(part, unused, cancellationToken).ConfigureAwait(false);
                        blocks += slice.Blocks;
                        bytes += slice.Bytes;
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            gathered.Clear();
        }
        return (blocks, bytes);
    }

    /// <summary>Looks at the next blocks in key order.</summary>
    private void FindGarbage(ref byte[]? last, HashSet<long> unused, List<Garbage> gathered)
    {
        byte[] after = last ?? [];
        byte[]? next = null;
        int count = 0;
        using IndexReaders.Lease lease = readers.Take();
        lease.Reader.ForEach(
            $"SELECT key, pin_set, file, blob FROM blocks WHERE key>?1 ORDER BY key LIMIT {SliceBlocks}",
            statement => statement.Bind(1, after),
            row =>
            {
                long file = row.GetInt64(2);
                bool isKept = pins.IsKept(row.GetInt64(1));
                if (isKept)
                    unused.Remove(file);
                else
                    gathered.Add(new Garbage(new MultihashKey(row.GetBlob(0)), file, row.GetInt64(3)));
                if (++count == SliceBlocks)
                    next = row.GetBlob(0).ToArray();
            });
        last = next;
    }

    private async Task<(long Blocks, long Bytes)> RemoveBlocksAsync(
        Garbage[] garbage, HashSet<long> unused, CancellationToken cancellationToken)
    {
        (long blocks, long bytes) = (0, 0);
        List<long> stillUsed = [];
        bool[] free = holds.Condemn([.. garbage.Select(block => block.Key)]);
        try
        {
            await writer.ApplyAsync(
                editor =>
                {
                    (blocks, bytes) = (0, 0);
                    stillUsed.Clear();
                    for (int i = 0; i < garbage.Length; i++)
                    {
                        long freed = free[i] ? editor.DeleteUnkept(garbage[i].Key.ToArray()) : -1;
                        if (freed < 0)
                        {
                            stillUsed.Add(garbage[i].File);
                            continue;
                        }
                        blocks++;
                        bytes += freed;
                    }
                },
                garbage.Length,
                Durability.Visible,
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            holds.Spare();
        }
        unused.ExceptWith(stillUsed);
        return (blocks, bytes);
    }

    private async Task RemoveFilesAsync(long[] files, CancellationToken cancellationToken)
    {
        bool[] free = holds.Condemn(files);
        try
        {
            await writer.ApplyAsync(
                editor =>
                {
                    for (int i = 0; i < files.Length; i++)
                    {
                        if (free[i])
                            editor.DeleteUnusedFile(files[i]);
                    }
                },
                files.Length,
                Durability.Visible,
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            holds.Spare();
        }
    }

    /// <summary>A block that no pin had when it was looked at.</summary>
    /// <param name="Key">Its name.</param>
    /// <param name="File">Its first source file; 0: none.</param>
    /// <param name="Blob">Where its bytes lie in the index; 0: not there.</param>
    private readonly record struct Garbage(MultihashKey Key, long File, long Blob);
}
