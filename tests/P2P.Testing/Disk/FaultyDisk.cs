using P2P.Core.Store;

namespace P2P.Testing;

/// <summary>
/// One disk in memory that tears, loses and refuses as told. It remembers what was flushed: after <see cref="Restart"/> only that, and a seeded choice of the
/// rest, is there (<see cref="PowerCut"/>, <see cref="FaultyFolder"/>). Every operation that changes something has a number, and the power can go at each.
/// Used by the store through <see cref="IDisk"/> and by SQLite through <see cref="SqliteVfs"/> at the same time, so that the order of flushes between both
/// counts. Thread-safe; starts no threads.
/// </summary>
internal sealed class FaultyDisk : IDisk
{
    private const int NoSpaceError = 28;
    private const int InputOutputError = 5;
    private const long NanosecondsPerTick = 100;
    private static readonly char[] Separators = ['/', '\\'];

    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly TimeProvider _time;

    // All guarded by the gate.
    private readonly FaultyFolder _root;
    private readonly HashSet<string> _locks = new(StringComparer.Ordinal);
    private ulong _lastInode;
    private long _powerCutAt = long.MaxValue;
    private long _failAt = long.MaxValue;
    private int _failuresLeft;
    private int _flushesToFailure;
    private long _readFailAt = long.MaxValue;
    private long _reads;
    private long _startedNs;

    /// <summary>An empty disk.</summary>
    public FaultyDisk(Random random, TimeProvider time)
        : this(random, time, new FaultyFolder(), 1)
    {
    }

    private FaultyDisk(Random random, TimeProvider time, FaultyFolder root, ulong lastInode) => (_random, _time, _root, _lastInode) = (random, time, root, lastInode);

    /// <summary>Operations that changed something so far (count).</summary>
    public long Operations { get; private set; }

    /// <summary>Whether the power is gone. Everything fails from then on.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Failures that were made so far (count).</summary>
    public long Failures { get; private set; }

    /// <summary>Bytes that may still be written. Files that go give theirs back.</summary>
    public long FreeBytes { get; set; } = long.MaxValue / 2;

    /// <summary>What it does wrong all the time.</summary>
    public DiskVices Vices { get; set; }

    /// <summary>Lets the power go at one of the operations to come; 1 is the next. Chance says whether that one is still made.</summary>
    public void CutPowerAfter(int operations)
    {
        lock (_gate)
            _powerCutAt = Operations + operations;
    }

    /// <summary>Lets the power go now.</summary>
    public void CutPower()
    {
        lock (_gate)
            IsDead = true;
    }

    /// <summary>Lets operations to come fail with an input/output error; 1 is the next.</summary>
    public void FailAfter(int operations, int count)
    {
        lock (_gate)
            (_failAt, _failuresLeft) = (Operations + operations, count);
    }

    /// <summary>Lets one flush of a file to come fail; 1 is the next.</summary>
    public void FailFlushAfter(int flushes)
    {
        lock (_gate)
            _flushesToFailure = flushes;
    }

    /// <summary>Lets one read to come fail.</summary>
    public void FailReadAfter(int reads)
    {
        lock (_gate)
            _readFailAt = _reads + reads;
    }

    /// <summary>The disk works again, and has room.</summary>
    public void Mend()
    {
        lock (_gate)
            (_failAt, _readFailAt, _flushesToFailure, FreeBytes) = (long.MaxValue, long.MaxValue, 0, long.MaxValue / 2);
    }

    /// <summary>Cuts the power and gives the disk as it is when it comes back. This one stays dead.</summary>
    public FaultyDisk Restart()
    {
        lock (_gate)
        {
            IsDead = true;
            return new FaultyDisk(_random, _time, _root.Survive(_random, []), _lastInode) { Vices = Vices, _startedNs = NowNs };
        }
    }

    /// <summary>Ends the process and gives the disk to the next one: what it wrote is there, flushed or not. This one stays dead.</summary>
    public FaultyDisk Kill()
    {
        lock (_gate)
        {
            IsDead = true;
            return new FaultyDisk(_random, _time, _root, _lastInode) { Vices = Vices, _startedNs = _startedNs };
        }
    }

    // ---- what the store uses

    public bool TryGetIdentity(string path, out FileIdentity identity)
    {
        lock (_gate)
        {
            identity = !IsDead && Find(path) is FaultyFile file ? IdentityOf(file) : default;
            return identity != default;
        }
    }

    public FileAttributes GetAttributes(string path)
    {
        lock (_gate)
        {
            CheckPower();
            return Find(path) switch
            {
                FaultyFolder => FileAttributes.Directory,
                null => throw new FileNotFoundException($"{path} is not there.", path),
                _ => FileAttributes.Normal,
            };
        }
    }

    public IDiskFile OpenRead(string path) => OpenFile(path);

    public IDiskFile OpenWrite(string path) => OpenFile(path);

    public IDiskFile Create(string path) => new Handle(this, CreateFile(path));

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            bool isLast = Begin();
            (FaultyFolder source, string name) = FolderOf(from);
            (FaultyFolder target, string newName) = FolderOf(to);
            if (!source.Entries.TryGetValue(name, out object? node))
                throw new FileNotFoundException($"{from}: no such file", from);
            if (target.Entries.TryGetValue(newName, out object? replaced) && replaced != node)
                Unlink(replaced);
            if (source == target)
            {
                source.Change(new NameChange(name, null), new NameChange(newName, node));
            }
            else
            {
                target.Change(new NameChange(newName, node));
                source.Change(new NameChange(name, null));
            }
            End(isLast);
        }
    }

    public void Delete(string path) => TryDelete(path);

    public void CreateFolder(string path)
    {
        lock (_gate)
        {
            FaultyFolder folder = _root;
            foreach (string name in Split(path))
            {
                if (!folder.Entries.TryGetValue(name, out object? node))
                {
                    bool isLast = Begin();
                    node = new FaultyFolder();
                    folder.Change(new NameChange(name, node));
                    End(isLast);
                }
                folder = node as FaultyFolder ?? throw new IOException($"{path}: not a folder");
            }
        }
    }

    public bool FolderExists(string path)
    {
        lock (_gate)
        {
            CheckPower();
            return Find(path) is FaultyFolder;
        }
    }

    public void FlushFolder(string path)
    {
        lock (_gate)
        {
            bool isLast = Begin();
            FaultyFolder folder = Find(path) as FaultyFolder ?? throw new FileNotFoundException($"{path}: no such folder", path);
            if (!Vices.HasFlag(DiskVices.IgnoresFolderFlush))
                folder.Flush();
            End(isLast);
        }
    }

    public IEnumerable<string> ListFiles(string folder)
    {
        lock (_gate)
        {
            CheckPower();
            List<string> files = [];
            if (Find(folder) is FaultyFolder found)
                List(found, folder, files);
            return files;
        }
    }

    /// <summary>When the power came back last; the clock does not matter.</summary>
    public long StartedNs(long nowNs) => _startedNs;

    public IDisposable Lock(string path)
    {
        lock (_gate)
        {
            CheckPower();
            if (!_locks.Add(path))
                throw new IOException($"{path}: locked");
            return new LockRelease(this, path);
        }
    }

    // ---- what the file layer of SQLite and the tests use besides

    /// <summary>The file of that name, or null.</summary>
    public FaultyFile? FindFile(string path)
    {
        lock (_gate)
        {
            CheckPower();
            return Find(path) as FaultyFile;
        }
    }

    public FaultyFile CreateFile(string path)
    {
        lock (_gate)
        {
            bool isLast = Begin();
            (FaultyFolder folder, string name) = FolderOf(path);
            if (folder.Entries.ContainsKey(name))
                throw new IOException($"{path}: exists");
            FaultyFile file = NewFile();
            file.Links = 1;
            folder.Change(new NameChange(name, file));
            End(isLast);
            return file;
        }
    }

    /// <summary>A file that no folder names.</summary>
    public FaultyFile CreateNamelessFile()
    {
        lock (_gate)
        {
            CheckPower();
            return NewFile();
        }
    }

    public bool TryDelete(string path)
    {
        lock (_gate)
        {
            CheckPower();
            if (Find(path) is not FaultyFile file)
                return false;
            bool isLast = Begin();
            (FaultyFolder folder, string name) = FolderOf(path);
            Unlink(file);
            folder.Change(new NameChange(name, null));
            End(isLast);
            return true;
        }
    }

    public int Read(FaultyFile file, Span<byte> destination, long offset)
    {
        lock (_gate)
        {
            CheckPower();
            if (++_reads >= _readFailAt)
            {
                _readFailAt = long.MaxValue;
                throw Fail("read");
            }
            return file.Read(destination, offset);
        }
    }

    public void Write(FaultyFile file, ReadOnlySpan<byte> data, long offset)
    {
        lock (_gate)
        {
            bool isLast = Begin();
            long growth = offset + data.Length - file.Length;
            if (growth > FreeBytes)
            {
                // As much as fits goes in, as with the system's write.
                int fits = (int)Math.Max(0, data.Length - growth + FreeBytes);
                if (fits > 0)
                    Put(file, data[..fits], offset);
                Failures++;
                throw new IOException("No space left on device", NoSpaceError);
            }
            Put(file, data, offset);
            End(isLast);
        }
    }

    public void Truncate(FaultyFile file, long length)
    {
        lock (_gate)
        {
            bool isLast = Begin();
            FreeBytes += file.Length - length;
            file.Truncate(length);
            Touch(file);
            End(isLast);
        }
    }

    /// <param name="file">The file.</param>
    /// <param name="vice">Which vice makes the disk ignore it.</param>
    public void Flush(FaultyFile file, DiskVices vice)
    {
        lock (_gate)
        {
            bool isLast = Begin(file);
            if (!Vices.HasFlag(vice))
                file.Flush();
            End(isLast);
        }
    }

    public FileIdentity GetIdentity(FaultyFile file)
    {
        lock (_gate)
        {
            CheckPower();
            return IdentityOf(file);
        }
    }

    /// <summary>Flips bits of a file at rest.</summary>
    public void Flip(string path, int offset, byte mask)
    {
        lock (_gate)
            (Find(path) as FaultyFile ?? throw new FileNotFoundException(path)).Flip(offset, mask);
    }

    // ---- inside; all under the gate

    private static IEnumerable<string> Split(string path) => path.Split(Separators, StringSplitOptions.RemoveEmptyEntries);

    private static FileIdentity IdentityOf(FaultyFile file) => new(file.Length, file.ModifiedNs, file.Inode, Device: 1);

    private static void List(FaultyFolder folder, string path, List<string> files)
    {
        foreach ((string name, object node) in folder.Entries)
        {
            string inner = Path.Combine(path, name);
            if (node is FaultyFolder below)
                List(below, inner, files);
            else
                files.Add(inner);
        }
    }

    private object? Find(string path)
    {
        object? node = _root;
        foreach (string name in Split(path))
        {
            if (node is not FaultyFolder folder || !folder.Entries.TryGetValue(name, out node))
                return null;
        }
        return node;
    }

    private (FaultyFolder Folder, string Name) FolderOf(string path) => Find(Path.GetDirectoryName(path) ?? "") is FaultyFolder folder
        ? (folder, Path.GetFileName(path))
        : throw new DirectoryNotFoundException($"{path}: no such folder");

    private Handle OpenFile(string path) => new(this, FindFile(path) ?? throw new FileNotFoundException($"{path}: no such file", path));

    private FaultyFile NewFile()
    {
        FaultyFile file = new(++_lastInode);
        Touch(file);
        file.Flush();
        return file;
    }

    private void Put(FaultyFile file, ReadOnlySpan<byte> data, long offset)
    {
        FreeBytes -= Math.Max(0, offset + data.Length - file.Length);
        file.Write(data, offset);
        Touch(file);
    }

    private long NowNs => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;

    private void Touch(FaultyFile file) => file.ModifiedNs = NowNs;

    private void Unlink(object node)
    {
        if (node is FaultyFile file && --file.Links == 0)
            FreeBytes += file.Length;
    }

    private void CheckPower()
    {
        if (IsDead)
            throw new PowerCutException();
    }

    /// <summary>Begins an operation. True: it is the last one, the power goes when it is made.</summary>
    private bool Begin(FaultyFile? flushed = null)
    {
        CheckPower();
        long number = ++Operations;
        if (number >= _powerCutAt)
        {
            if (_random.Next(2) == 0)
                return true;
            IsDead = true;
            throw new PowerCutException();
        }
        bool isFailingFlush = flushed is not null && _flushesToFailure > 0 && --_flushesToFailure == 0;
        if (number >= _failAt || isFailingFlush)
        {
            if (!isFailingFlush && --_failuresLeft == 0)
                _failAt = long.MaxValue;
            if (Vices.HasFlag(DiskVices.ForgetsAfterFailedFlush))
                flushed?.Forget();
            throw Fail("change");
        }
        return false;
    }

    private void End(bool isLast)
    {
        if (!isLast)
            return;
        IsDead = true;
        throw new PowerCutException();
    }

    private IOException Fail(string attempt)
    {
        Failures++;
        return new IOException($"Input/output error ({attempt})", InputOutputError);
    }

    private sealed class LockRelease(FaultyDisk disk, string path) : IDisposable
    {
        public void Dispose()
        {
            lock (disk._gate)
                disk._locks.Remove(path);
        }
    }

    private sealed class Handle(FaultyDisk disk, FaultyFile file) : IDiskFile
    {
        public FileIdentity GetIdentity() => disk.GetIdentity(file);

        public int Read(Span<byte> destination, long offset) => disk.Read(file, destination, offset);

        public void Write(ReadOnlySpan<byte> data, long offset) => disk.Write(file, data, offset);

        public void Flush() => disk.Flush(file, DiskVices.IgnoresFileFlush);

        public void Dispose()
        {
            // An open file is nothing but a name for it.
        }
    }
}

/// <summary>The power went while the operation was made, or is gone.</summary>
internal sealed class PowerCutException() : IOException("The power is gone.");

/// <summary>What a disk, or the system above it, may do wrong.</summary>
[Flags]
internal enum DiskVices
{
    None = 0,

    /// <summary>It says that a database of SQLite is flushed and does nothing.</summary>
    IgnoresDatabaseFlush = 1,

    /// <summary>It says that another file is flushed and does nothing.</summary>
    IgnoresFileFlush = 2,

    /// <summary>It says that a folder is flushed and does nothing.</summary>
    IgnoresFolderFlush = 4,

    /// <summary>A flush that fails drops what should have been flushed, and a later one succeeds without it (Linux).</summary>
    ForgetsAfterFailedFlush = 8,
}
