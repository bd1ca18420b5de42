using System.Runtime.InteropServices;

namespace P2P.Testing;

/// <summary>
/// The locks of a database file and of its log's shared memory, among the connections of this process, and that memory itself: what SQLite's layer for Unix
/// keeps in advisory locks and in the file "-shm". Thread-safe.
/// </summary>
internal sealed unsafe class SqliteLocks
{
    public const int None = 0;
    private const int Shared = 1;
    private const int Reserved = 2;
    private const int Pending = 3;
    private const int Exclusive = 4;

    private readonly Lock _gate = new();

    // All guarded by the gate: who reads, who is about to write, and the same for each slot of the shared memory.
    private readonly List<nint> _regions = [];
    private readonly HashSet<SqliteFile> _mappers = [];
    private readonly int[] _slotReaders = new int[SqliteNative.ShmLockCount];
    private readonly SqliteFile?[] _slotWriters = new SqliteFile?[SqliteNative.ShmLockCount];
    private int _readers;
    private SqliteFile? _reserver;
    private SqliteFile? _pender;

    public bool IsReserved
    {
        get
        {
            lock (_gate)
                return _reserver is not null;
        }
    }

    public bool Lock(SqliteFile file, int level)
    {
        lock (_gate)
        {
            if (file.LockLevel >= level)
                return true;
            if (_pender is not null && _pender != file)
                return false;
            if (file.LockLevel == None)
            {
                _readers++;
                file.LockLevel = Shared;
            }
            if (level == Shared)
                return true;
            if (_reserver is not null && _reserver != file)
                return false;
            _reserver = file;
            if (level == Reserved)
            {
                file.LockLevel = Reserved;
                return true;
            }

            // Nobody begins to read from here on; who reads already is waited for.
            _pender = file;
            file.LockLevel = _readers == 1 ? Exclusive : Pending;
            return file.LockLevel == Exclusive;
        }
    }

    public void Unlock(SqliteFile file, int level)
    {
        lock (_gate)
        {
            if (file.LockLevel <= level)
                return;
            if (_reserver == file)
                _reserver = null;
            if (_pender == file)
                _pender = null;
            if (level == None)
                _readers--;
            file.LockLevel = level;
        }
    }

    public bool LockSlots(SqliteFile file, int first, int count, int flags)
    {
        lock (_gate)
        {
            int mask = ((1 << count) - 1) << first;
            bool isShared = (flags & SqliteNative.ShmShared) != 0;
            if ((flags & SqliteNative.ShmUnlock) != 0)
            {
                Release(file, isShared ? mask & file.SharedSlots : 0, isShared ? 0 : mask & file.ExclusiveSlots);
                return true;
            }
            for (int slot = first; slot < first + count; slot++)
            {
                bool isReadByOthers = _slotReaders[slot] > ((file.SharedSlots >> slot) & 1);
                if ((_slotWriters[slot] is { } writer && writer != file) || (!isShared && isReadByOthers))
                    return false;
            }
            for (int slot = first; slot < first + count; slot++)
            {
                if (!isShared)
                    _slotWriters[slot] = file;
                else if ((file.SharedSlots & (1 << slot)) == 0)
                    _slotReaders[slot]++;
            }
            if (isShared)
                file.SharedSlots |= mask;
            else
                file.ExclusiveSlots |= mask;
            return true;
        }
    }

    /// <summary>A region of the shared memory, or null when it is not there yet and shall not be made.</summary>
    public void* Map(SqliteFile file, int region, int regionBytes, bool extend)
    {
        lock (_gate)
        {
            _mappers.Add(file);
            if (region >= _regions.Count && !extend)
                return null;
            while (region >= _regions.Count)
                _regions.Add((nint)NativeMemory.AllocZeroed((nuint)regionBytes));
            return (void*)_regions[region];
        }
    }

    /// <summary>The memory goes with the last connection that mapped it, as it does after a restart.</summary>
    public void Unmap(SqliteFile file)
    {
        lock (_gate)
        {
            Release(file, file.SharedSlots, file.ExclusiveSlots);
            if (!_mappers.Remove(file) || _mappers.Count > 0)
                return;
            foreach (nint region in _regions)
                NativeMemory.Free((void*)region);
            _regions.Clear();
        }
    }

    private void Release(SqliteFile file, int shared, int exclusive)
    {
        for (int slot = 0; slot < SqliteNative.ShmLockCount; slot++)
        {
            if ((shared & (1 << slot)) != 0)
                _slotReaders[slot]--;
            if ((exclusive & (1 << slot)) != 0)
                _slotWriters[slot] = null;
        }
        file.SharedSlots &= ~shared;
        file.ExclusiveSlots &= ~exclusive;
    }
}
