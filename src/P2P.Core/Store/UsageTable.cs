namespace P2P.Core.Store;

/// <summary>Where the bytes of a block are. The numbers are stored: never change them.</summary>
internal enum BlockStanding
{
    /// <summary>Nowhere any more; a pin still wants it.</summary>
    Lost = 0,

    /// <summary>In the user's files only.</summary>
    Referenced = 1,

    /// <summary>In the index.</summary>
    Inline = 2,

    /// <summary>In a file of the store.</summary>
    OwnedFile = 3,
}

/// <summary>Counts of blocks of one pin set and standing.</summary>
internal readonly record struct UsageCount(long Blocks, long Bytes);

/// <summary>
/// How many blocks each pin set has and where they are, counted as rows change: saying how full the store is must not go through a million rows.
/// Changed by the writer, read by everybody: readers see what was committed last.
/// </summary>
internal sealed class UsageTable
{
    private readonly Dictionary<(long Set, BlockStanding Standing), UsageCount> _counts = [];
    private readonly HashSet<(long Set, BlockStanding Standing)> _touched = [];
    private readonly Lock _gate = new();
    private readonly Dictionary<(long Set, BlockStanding Standing), UsageCount> _committed = []; // guarded by the gate

    /// <summary>What was committed last.</summary>
    public List<(long Set, BlockStanding Standing, UsageCount Count)> Committed
    {
        get
        {
            lock (_gate)
                return [.. _committed.Select(pair => (pair.Key.Set, pair.Key.Standing, pair.Value))];
        }
    }

    /// <summary>Replaces everything by what the index says.</summary>
    public void Load(IEnumerable<(long Set, BlockStanding Standing, UsageCount Count)> rows)
    {
        _counts.Clear();
        _touched.Clear();
        foreach ((long set, BlockStanding standing, UsageCount count) in rows)
            _counts[(set, standing)] = count;
        lock (_gate)
        {
            _committed.Clear();
            foreach (((long, BlockStanding) key, UsageCount count) in _counts)
                _committed[key] = count;
        }
    }

    /// <summary>A row was added (1) or removed (-1).</summary>
    public void Count(in BlockRow row, int change)
    {
        (long, BlockStanding) key = (row.PinSet, StandingOf(row));
        UsageCount count = _counts.GetValueOrDefault(key);
        _counts[key] = new UsageCount(count.Blocks + change, count.Bytes + ((long)change * row.Size));
        _touched.Add(key);
    }

    /// <summary>What the transaction changed, to be written; a count of no blocks is to be removed.</summary>
    public IEnumerable<(long Set, BlockStanding Standing, UsageCount Count)> Changes => _touched.Select(key => (key.Set, key.Standing, _counts[key]));

    /// <summary>The transaction is committed.</summary>
    public void Commit()
    {
        if (_touched.Count == 0)
            return;
        lock (_gate)
        {
            foreach ((long, BlockStanding) key in _touched)
            {
                if (_counts[key].Blocks > 0)
                    _committed[key] = _counts[key];
                else
                    _committed.Remove(key);
            }
        }
        foreach ((long, BlockStanding) key in _touched)
        {
            if (_counts[key].Blocks == 0)
                _counts.Remove(key);
        }
        _touched.Clear();
    }

    private static BlockStanding StandingOf(in BlockRow row) =>
        (row.Places & BlockPlaces.Inline) != 0 ? BlockStanding.Inline
        : row.IsOwned ? BlockStanding.OwnedFile
        : row.HasSource || row.HasMoreSources ? BlockStanding.Referenced
        : BlockStanding.Lost;
}
