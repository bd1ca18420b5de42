namespace P2P.Core.Store;

/// <summary>
/// A source file that is open for serving, and what has been seen of it since. The handle stays for as long as the object: when the name points to another
/// file, a new object takes its place.
/// </summary>
/// <param name="row">What the index says.</param>
/// <param name="handle">The open file.</param>
/// <param name="opened">What the handle points to.</param>
/// <param name="startedNs">When the system was started.</param>
internal sealed class SourceFile(SourceRow row, IDiskFile handle, FileIdentity opened, long startedNs)
{
    /// <summary>A file that changed less than this before it was looked at may change again without a new time (D4; coarse clocks of file systems).</summary>
    public const long SettlingNs = 2_000_000_000;

    /// <summary>How long the system may keep what was written in memory alone (Linux: 30 s, and 5 s for the journal). A power cut meanwhile can leave a file
    /// of the right size and time with other bytes.</summary>
    private const long WriteBackNs = 60_000_000_000;

    /// <summary>Stretches remembered as verified (count). Beyond it blocks are hashed again.</summary>
    private const int MaxVerified = 65_536;

    private readonly Lock _gate = new();

    // Guarded by the gate: the identity last seen, which stretches were hashed and right since, and their bytes. Blocks of the same file may overlap: it may
    // have been cut by different rules, and an empty block lies where another one begins. So their sum only tells when looking closer is worth it.
    private readonly HashSet<(long Offset, int Length)> _verified = [];
    private FileIdentity _seen = opened;
    private long _verifiedBytes;
    private int _countToLookAt;

    public SourceRow Row { get; } = row;

    public IDiskFile Handle { get; } = handle;

    /// <summary>What the handle points to.</summary>
    public FileIdentity Opened { get; } = opened;

    /// <summary>Readers at work; the cache's own.</summary>
    public int Leases { get; set; }

    /// <summary>Whether the cache has let go of it: the last reader closes it.</summary>
    public bool IsDetached { get; set; }

    /// <summary>Whether what a file's time and size said when it was looked at can be relied on: it was not just being written then, and no restart of the
    /// system since may have lost bytes that it had not put on the disk.</summary>
    public static bool IsSettled(long modifiedNs, long checkedNs, long startedNs) =>
        modifiedNs < checkedNs - (checkedNs < startedNs ? WriteBackNs : SettlingNs);

    /// <summary>Takes note of what the file is now. True: the block there may differ from what was imported, hash it.</summary>
    public bool IsDoubtful(in FileIdentity now, long offset, int length)
    {
        lock (_gate)
        {
            if (now != _seen)
            {
                _seen = now;
                _verified.Clear();
                (_verifiedBytes, _countToLookAt) = (0, 0);
            }
            bool isSound = Row.State == SourceState.Sound && now == Row.Identity && IsSettled(now.ModifiedNs, Row.CheckedNs, startedNs);
            return !isSound && !_verified.Contains((offset, length));
        }
    }

    /// <summary>The block was hashed and is right. True: so is now every other block, and the file may be trusted with that identity.</summary>
    public bool OnVerified(in FileIdentity now, long offset, int length, long nowNs)
    {
        lock (_gate)
        {
            if (now != _seen || nowNs < now.ModifiedNs + SettlingNs || _verified.Count >= MaxVerified || !_verified.Add((offset, length)))
                return false;
            _verifiedBytes += length;
            return _verifiedBytes >= now.Size && Row.State != SourceState.BeingWritten && CoversLocked(now.Size);
        }
    }

    /// <summary>Whether the verified stretches leave no gap. Where they overlap much this is asked less and less often.</summary>
    private bool CoversLocked(long size)
    {
        if (_verified.Count < _countToLookAt)
            return false;
        _countToLookAt = _verified.Count + (_verified.Count / 8) + 1;
        long end = 0;
        foreach ((long offset, int length) in _verified.Order())
        {
            if (offset > end)
                return false;
            end = Math.Max(end, offset + length);
        }
        return end >= size;
    }
}
