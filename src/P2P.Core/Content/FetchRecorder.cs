using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>
/// Tells the store what a fetch brings: inner nodes, which it keeps so that a resumed fetch has them, and if asked where each block lies,
/// so that they are served while the fetch goes on. Called from several workers.
/// </summary>
internal sealed class FetchRecorder(BlockStore store, PinId pin, bool recordsPlaces) : INodeKeeper, IDisposable
{
    private const int ChangesPerCommit = 1024;
    private const int BytesPerCommit = 4 << 20; // nodes wait in memory until then
    private const int ChangesPerEagerCommit = 16; // while the index has nothing else to do: what is recorded is served at once

    private readonly Lock _gate = new(); // guards _batch, _bytes and _commit
    private StoreBatch _batch = store.BeginBatch(pin);
    private int _bytes;
    private Task _commit = Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask<BlockBuffer?> FindAsync(Cid cid, CancellationToken cancellationToken) => store.ReadAsync(cid, cancellationToken);

    /// <inheritdoc/>
    public void Keep(ContentNode node, ReadOnlySpan<byte> block, bool isHere)
    {
        if (node.File is { Children.Length: 0 } && !recordsPlaces)
            return; // a small file's only node: its bytes are on disk already
        lock (_gate)
        {
            Cid cid = node.Cid;
            if (!isHere || !_batch.AddExisting(in cid))
            {
                _batch.AddOwned(in cid, block);
                _bytes += block.Length;
            }

            CommitIfFull();
        }
    }

    /// <summary>A block was written to its place.</summary>
    public void Placed(PlacedFile file, Cid leaf, long offset, int length)
    {
        if (!recordsPlaces)
            return;
        lock (_gate)
        {
            if (file.StoreId.IsNone)
                file.StoreId = _batch.AddFileBeingWritten(file.Path);
            _batch.AddReference(in leaf, file.StoreId, offset, length);
            CommitIfFull();
        }
    }

    /// <summary>A file is complete.</summary>
    public void Completed(PlacedFile file)
    {
        if (!recordsPlaces || file.StoreId.IsNone || !FileSystemDisk.Instance.TryGetIdentity(file.Path, out FileIdentity identity))
            return;
        lock (_gate)
        {
            _batch.FinishFile(file.StoreId, in identity, file.Root);
            CommitIfFull();
        }
    }

    /// <summary>A file that stands at the target already was found to have the content.</summary>
    public void Found(string path, Cid root, IReadOnlyList<FileSegment> segments)
    {
        if (!recordsPlaces || !FileSystemDisk.Instance.TryGetIdentity(path, out FileIdentity identity))
            return;
        lock (_gate)
        {
            FileId file = _batch.AddFile(path, in identity).Id;
            foreach (FileSegment segment in segments)
            {
                if (!segment.Leaf.IsEmpty)
                    _batch.AddReference(segment.Leaf, file, segment.Offset, segment.Length);
            }

            _batch.FinishFile(file, in identity, in root);
            CommitIfFull();
        }
    }

    /// <summary>Notes where the fetch is, so that it can go on after a crash.</summary>
    public Task BeginAsync(ResumeState state, CancellationToken cancellationToken)
    {
        Task commit;
        lock (_gate)
        {
            _batch.SetResume(state);
            commit = Commit();
        }

        return commit.WaitAsync(cancellationToken);
    }

    /// <summary>What was gathered has moved to its final place. Nothing is left to resume; all is flushed.</summary>
    public async Task FinishAsync(string resumeKey, IReadOnlyList<(string From, string To)> moves, CancellationToken cancellationToken)
    {
        await FlushAsync().ConfigureAwait(false);
        using StoreBatch last = store.BeginBatch(pin);
        if (recordsPlaces)
        {
            foreach ((string from, string to) in moves)
                last.Relocate(from, to);
        }

        last.RemoveResume(resumeKey);
        await last.CommitAsync(Durability.Flushed, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes everything told so far visible, also when the fetch fails: what is verified is kept.</summary>
    public Task FlushAsync()
    {
        lock (_gate)
            return Commit();
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();

    private void CommitIfFull()
    {
        if (_batch.Count >= ChangesPerCommit || _bytes >= BytesPerCommit || (recordsPlaces && _batch.Count >= ChangesPerEagerCommit && _commit.IsCompleted))
            _ = Commit(); // the last flush awaits the whole chain, failures included
    }

    private Task Commit()
    {
        StoreBatch full = _batch;
        _batch = store.BeginBatch(pin);
        _bytes = 0;
        return _commit = CommitAfterAsync(_commit, full);
    }

    private static async Task CommitAfterAsync(Task before, StoreBatch batch)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // off the gate
        using (batch)
        {
            await before.ConfigureAwait(false);
            await batch.CommitAsync(Durability.Visible, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
