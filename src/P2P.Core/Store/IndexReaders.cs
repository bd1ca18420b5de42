namespace P2P.Core.Store;

/// <summary>
/// A bounded set of readers. A look-up takes microseconds, so a thread that finds its reader taken tries the others and then waits for its own:
/// no queue, no task, nothing to cancel.
/// </summary>
internal sealed class IndexReaders : IDisposable
{
    private readonly Func<IndexReader> _open;
    private readonly Slot[] _slots;

    public IndexReaders(int count, Func<IndexReader> open)
    {
        _open = open;
        _slots = new Slot[count];
        for (int i = 0; i < count; i++)
            _slots[i] = new Slot();
    }

    /// <summary>Takes a reader until the lease is disposed, on the same thread.</summary>
    public Lease Take()
    {
        int first = Environment.CurrentManagedThreadId % _slots.Length;
        for (int i = 0; i < _slots.Length; i++)
        {
            // Opened readers first: a new one costs a connection and its cache.
            Slot slot = _slots[(first + i) % _slots.Length];
            if (slot.Reader is not null && slot.Gate.TryEnter())
                return new Lease(slot, _open);
        }
        for (int i = 0; i < _slots.Length; i++)
        {
            Slot slot = _slots[(first + i) % _slots.Length];
            if (slot.Gate.TryEnter())
                return new Lease(slot, _open);
        }
        _slots[first].Gate.Enter();
        return new Lease(_slots[first], _open);
    }

    public void Dispose()
    {
        foreach (Slot slot in _slots)
        {
            lock (slot.Gate)
            {
                slot.IsClosed = true;
                slot.Reader?.Dispose();
                slot.Reader = null;
            }
        }
    }

    /// <summary>A place for one reader; the gate guards all of it.</summary>
    internal sealed class Slot
    {
        public Lock Gate { get; } = new();

        public IndexReader? Reader { get; set; }

        public bool IsClosed { get; set; }
    }

    /// <summary>A reader taken by the current thread.</summary>
    internal readonly ref struct Lease
    {
        private readonly Slot _slot;

        public Lease(Slot slot, Func<IndexReader> open)
        {
            _slot = slot;
            try
            {
                ObjectDisposedException.ThrowIf(slot.IsClosed, typeof(BlockStore));
                Reader = slot.Reader ??= open();
            }
            catch
            {
                slot.Gate.Exit();
                throw;
            }
        }

        public IndexReader Reader { get; }

        public void Dispose() => _slot.Gate.Exit();
    }
}
