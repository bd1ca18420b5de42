using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>
/// Tells the store what a fetch brings: inner nodes, which it keeps so that a resumed fetch has them, and if asked where each block lies,
/// so that they are served while the fetch goes on. Called from several workers.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="pin">The pin that everything joins.</param>
/// <param name="recordsPlaces">Whether the store is told where each block lies.</param>
/// <param name="form">How the content stands in blocks.</param>
/// <param name="onServable">Told of each block that may be served from now on; null: nobody.</param>
internal sealed class FetchRecorder(BlockStore store, PinId pin, bool recordsPlaces, BlockForm form, Action<Cid>? onServable = null) : INodeKeeper, IDisposable
{
    private const int ChangesPerCommit = 1024;
    private const int BytesPerCommit = 4 << 20; // nodes wait in memory until then
    private const int ChangesPerEagerCommit = 16; // while the index has nothing else to do: what is recorded is served at once

    private const int MaxCommitsWaiting = 8; // the walk over the nodes waits for the index above it: 32 MiB at worst

    private readonly Lock _gate = new(); // guards _batch, _bytes, _commit and _servable
    private StoreBatch _batch = store.BeginBatch(pin);
    private List<Cid> _servable = [];
    private int _bytes;
    private int _commitsWaiting;
    private Task _commit = Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask<BlockBuffer?> FindAsync(Cid cid, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _commitsWaiting) > MaxCommitsWaiting)
        {
            Task commits;
            lock (_gate)
                commits = _commit;
            await commits.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        await store.MakeRoomAsync(BytesPerCommit, cancellationToken).ConfigureAwait(false);
        return await store.ReadAsync(cid, cancellationToken).ConfigureAwait(false);
    }

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

            NoteServable(cid);
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
                file.StoreId = _batch.AddFileBeingWritten(file.Path, form.StoreKey);
            _batch.AddReference(in leaf, file.StoreId, offset, length, form.IsPrivate);
            NoteServable(leaf);
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
            FileRegistration known = _batch.AddFile(path, in identity, form.StoreKey);
            FileId file = known.Id;
            foreach (FileSegment segment in segments)
            {
                if (!segment.Leaf.IsEmpty)
                    _batch.AddReference(segment.Leaf, file, segment.Offset, segment.Length, form.IsPrivate);
            }

            _batch.FinishFile(file, in identity, known.IsImported ? default : root); // the root that we cut it by ourselves stays
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

    private void NoteServable(Cid cid)
    {
        if (recordsPlaces && onServable is not null)
            _servable.Add(cid);
    }

    private void CommitIfFull()
    {
        if (_commit.IsFaulted)
            _commit.GetAwaiter().GetResult(); // throws: what the index cannot record need not be fetched on

        if (_batch.Count >= ChangesPerCommit || _bytes >= BytesPerCommit || (recordsPlaces && _batch.Count >= ChangesPerEagerCommit && _commit.IsCompleted))
            _ = Commit(); // the last flush awaits the whole chain, failures included
    }

    private Task Commit()
    {
        (StoreBatch full, List<Cid> servable) = (_batch, _servable);
        _batch = store.BeginBatch(pin);
        _bytes = 0;
        if (servable.Count > 0)
            _servable = [];
        Interlocked.Increment(ref _commitsWaiting);
        return _commit = CommitAfterAsync(_commit, full, servable);
    }

    private async Task CommitAfterAsync(Task before, StoreBatch batch, List<Cid> servable)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // off the gate
        try
        {
            using (batch)
            {
                await before.ConfigureAwait(false);
                await batch.CommitAsync(Durability.Visible, CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _commitsWaiting);
        }

        foreach (Cid cid in servable)
            onServable!(cid);
    }
}
