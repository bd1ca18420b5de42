namespace P2P.Core.Store;

/// <summary>Source files that are open for serving: the least recently used one is closed when there are too many. Thread-safe.</summary>
internal sealed class SourceFileCache(IDisk disk, int capacity, long startedNs, Func<long, SourceRow?> findRow) : IDisposable
{
    private readonly Lock _gate = new();

    // All guarded by the gate. The list is in order of use, the first the most recent.
    private readonly Dictionary<long, LinkedListNode<SourceFile>> _files = [];
    private readonly LinkedList<SourceFile> _order = [];
    private long _generation;
    private bool _isClosed;

    /// <summary>Opens a file, or finds it open. The caller releases it.</summary>
    /// <returns>The file, or null when the index does not know it.</returns>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public SourceFile? Acquire(long id)
    {
        long generation;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(BlockStore));
            if (_files.TryGetValue(id, out LinkedListNode<SourceFile>? node))
            {
                _order.Remove(node);
                _order.AddFirst(node);
                node.Value.Leases++;
                return node.Value;
            }
            generation = _generation;
        }

        if (findRow(id) is not { } row)
            return null;

        // Asked first: opening a pipe that took the file's name would wait for ever.
        if (!disk.TryGetIdentity(row.Path, out _))
            throw new FileNotFoundException("The shared file is not there.", row.Path);
        IDiskFile handle = disk.OpenRead(row.Path);
        SourceFile file;
        try
        {
            file = new SourceFile(row, handle, handle.GetIdentity(), startedNs) { Leases = 1 };
        }
        catch
        {
            handle.Dispose();
            throw;
        }

        lock (_gate)
        {
            // Another thread may have opened it meanwhile, or the index may have changed: then this one serves a single reader.
            if (generation == _generation && !_isClosed && _files.TryAdd(id, new LinkedListNode<SourceFile>(file)))
            {
                _order.AddFirst(_files[id]);
                if (_files.Count > capacity)
                    DetachLocked(_order.Last!);
            }
            else
            {
                file.IsDetached = true;
            }
        }
        return file;
    }

    public void Release(SourceFile file)
    {
        bool close;
        lock (_gate)
            close = --file.Leases == 0 && file.IsDetached;
        if (close)
            file.Handle.Dispose();
    }

    /// <summary>The failure of a read that could not be finished.</summary>
    /// <param name="file">What was read.</param>
    /// <param name="error">What the system said; null when the bytes are not those that were found sound before.</param>
    public P2PException FailureOf(SourceFile file, Exception? error)
    {
        string path = file.Row.Path;
        bool wasEdited = error is null && disk.TryGetIdentity(path, out _);
        return new P2PException(P2PErrorCode.SourceChanged, SourceDiagnosis.Describe(path, wasEdited ? SourceChange.Edited : SourceDiagnosis.Find(disk, path, error)), error);
    }

    /// <summary>Forgets one file; readers at work finish with it.</summary>
    public void Forget(long id)
    {
        lock (_gate)
        {
            _generation++;
            if (_files.TryGetValue(id, out LinkedListNode<SourceFile>? node))
                DetachLocked(node);
        }
    }

    /// <summary>Forgets all files.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _generation++;
            while (_order.Last is { } node)
                DetachLocked(node);
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _isClosed = true;
        Clear();
    }

    private void DetachLocked(LinkedListNode<SourceFile> node)
    {
        _order.Remove(node);
        _files.Remove(node.Value.Row.Id);
        node.Value.IsDetached = true;
        if (node.Value.Leases == 0)
            node.Value.Handle.Dispose();
    }
}
