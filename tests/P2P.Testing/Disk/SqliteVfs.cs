using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace P2P.Testing;

/// <summary>
/// A file layer of SQLite over a <see cref="FaultyDisk"/>, registered under a name of its own until it is disposed. It does what SQLite's layer for Unix does,
/// its flushes included: a database's folder is flushed when a new log or journal is, and nothing else flushes a name. The log's shared memory is
/// the process's memory, gone after a power cut. It is not the last word about SQLite: where bytes are locked matters to other processes, and there are none.
/// </summary>
internal sealed unsafe partial class SqliteVfs : IDisposable
{
    private const string Library = "e_sqlite3";
    private const int MaxPathBytes = 1024;
    private static long _lastNumber;

    private readonly FaultyDisk _disk;
    private readonly Random _random;
    private readonly TimeProvider _time;
    private readonly GCHandle _self;
    private readonly nint _name;
    private readonly SqliteNative.Vfs* _vfs;
    private readonly Dictionary<FaultyFile, SqliteLocks> _locks = [];
    private int _openFiles;
    private bool _isDisposed;

    /// <summary>Registers the file layer.</summary>
    public SqliteVfs(FaultyDisk disk, Random random, TimeProvider time)
    {
        (_disk, _random, _time) = (disk, random, time);
        Name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"faulty-{Interlocked.Increment(ref _lastNumber)}");
        _self = GCHandle.Alloc(this);
        _name = Marshal.StringToCoTaskMemUTF8(Name);
        _vfs = (SqliteNative.Vfs*)NativeMemory.AllocZeroed((nuint)sizeof(SqliteNative.Vfs));
        *_vfs = new SqliteNative.Vfs
        {
            Version = 2,
            FileBytes = sizeof(SqliteNative.File),
            MaxPathBytes = MaxPathBytes,
            Name = _name,
            AppData = GCHandle.ToIntPtr(_self),
            Open = &Open,
            Delete = &Delete,
            Access = &Access,
            FullPathname = &FullPathname,
            Randomness = &Randomness,
            Sleep = &Sleep,
            CurrentTime = &CurrentTime,
            GetLastError = &GetLastError,
            CurrentTimeInt64 = &CurrentTimeInt64,
        };
        int code = Register(_vfs, 0);
        if (code != SqliteNative.Ok)
            throw new InvalidOperationException($"SQLite did not take the file layer: {code}.");
    }

    /// <summary>What to open a database with (<c>StoreOptions.Vfs</c>).</summary>
    public string Name { get; }

    /// <summary>Files that SQLite has open (count): 0 once every connection is closed.</summary>
    public int OpenFiles => Volatile.Read(ref _openFiles);

    public FaultyDisk Disk => _disk;

    /// <summary>Takes the file layer away. Every connection has to be closed: SQLite keeps pointers into it.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        if (OpenFiles != 0)
            throw new InvalidOperationException($"{OpenFiles} files are still open: a connection was not closed.");
        _isDisposed = true;
        _ = Unregister(_vfs);
        NativeMemory.Free(_vfs);
        Marshal.FreeCoTaskMem(_name);
        _self.Free();
    }

    internal SqliteLocks LocksOf(FaultyFile file)
    {
        lock (_locks)
        {
            if (!_locks.TryGetValue(file, out SqliteLocks? locks))
                _locks.Add(file, locks = new SqliteLocks());
            return locks;
        }
    }

    internal void OnClosed() => Interlocked.Decrement(ref _openFiles);

    private static SqliteVfs Of(SqliteNative.Vfs* vfs) => (SqliteVfs)GCHandle.FromIntPtr(vfs->AppData).Target!;

    private static string? TextOf(byte* text) => text is null ? null : Marshal.PtrToStringUTF8((nint)text);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(SqliteNative.Vfs* self, byte* name, SqliteNative.File* file, int flags, int* flagsOut)
    {
        file->Methods = null;
        SqliteVfs vfs = Of(self);
        string? path = TextOf(name);
        try
        {
            FaultyFile? found = path is null ? vfs._disk.CreateNamelessFile() : vfs._disk.FindFile(path);
            if (found is not null && (flags & SqliteNative.OpenExclusive) != 0 && (flags & SqliteNative.OpenCreate) != 0 && path is not null)
                return SqliteNative.CannotOpen;
            if (found is null)
            {
                if ((flags & SqliteNative.OpenCreate) == 0)
                    return SqliteNative.CannotOpen;
                found = vfs._disk.CreateFile(path!);
            }
            const int WithJournal = SqliteNative.OpenMainJournal | SqliteNative.OpenSuperJournal | SqliteNative.OpenWal;
            bool isNewJournal = (flags & SqliteNative.OpenCreate) != 0 && (flags & WithJournal) != 0;
            SqliteFile opened = new(vfs, found, path) { FlushesFolder = isNewJournal, DeletesOnClose = (flags & SqliteNative.OpenDeleteOnClose) != 0 };
            file->Handle = GCHandle.ToIntPtr(GCHandle.Alloc(opened));
            file->Methods = SqliteFile.Methods;
            if (flagsOut is not null)
                *flagsOut = flags;
            Interlocked.Increment(ref vfs._openFiles);
            return SqliteNative.Ok;
        }
        catch (Exception error)
        {
            return SqliteNative.CodeOf(error, SqliteNative.CannotOpen);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Delete(SqliteNative.Vfs* self, byte* name, int flushesFolder)
    {
        try
        {
            SqliteVfs vfs = Of(self);
            string path = TextOf(name)!;
            if (!vfs._disk.TryDelete(path))
                return SqliteNative.DeleteNoEntry;
            if ((flushesFolder & 1) != 0)
                vfs._disk.FlushFolder(Path.GetDirectoryName(path)!);
            return SqliteNative.Ok;
        }
        catch (Exception error)
        {
            return SqliteNative.CodeOf(error, SqliteNative.DeleteFailed);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Access(SqliteNative.Vfs* self, byte* name, int flags, int* result)
    {
        try
        {
            // Asked whether it exists, SQLite's own layer calls an empty file none.
            FaultyFile? file = Of(self)._disk.FindFile(TextOf(name)!);
            *result = file is not null && (flags != SqliteNative.AccessExists || file.Length > 0) ? 1 : 0;
            return SqliteNative.Ok;
        }
        catch (Exception error)
        {
            return SqliteNative.CodeOf(error, SqliteNative.AccessFailed);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FullPathname(SqliteNative.Vfs* self, byte* name, int outBytes, byte* outName)
    {
        ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        if (text.Length >= outBytes)
            return SqliteNative.CannotOpen;
        text.CopyTo(new Span<byte>(outName, outBytes));
        outName[text.Length] = 0;
        return SqliteNative.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Randomness(SqliteNative.Vfs* self, int count, byte* bytes)
    {
        SqliteVfs vfs = Of(self);
        lock (vfs._locks)
            vfs._random.NextBytes(new Span<byte>(bytes, count));
        return count;
    }

    /// <summary>Somebody holds a lock: let them run. Real time, as what is waited for is another thread.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sleep(SqliteNative.Vfs* self, int microseconds)
    {
        Thread.Sleep(TimeSpan.FromMicroseconds(microseconds));
        return microseconds;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CurrentTime(SqliteNative.Vfs* self, double* days)
    {
        *days = MillisecondsOf(self) / 86_400_000.0;
        return SqliteNative.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CurrentTimeInt64(SqliteNative.Vfs* self, long* milliseconds)
    {
        *milliseconds = MillisecondsOf(self);
        return SqliteNative.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetLastError(SqliteNative.Vfs* self, int count, byte* text)
    {
        if (count > 0 && text is not null)
            Encoding.ASCII.GetBytes("\0").CopyTo(new Span<byte>(text, count));
        return 0;
    }

    /// <summary>Milliseconds of the Julian calendar, as SQLite counts.</summary>
    private static long MillisecondsOf(SqliteNative.Vfs* self) => 210_866_760_000_000 + Of(self)._time.GetUtcNow().ToUnixTimeMilliseconds();

    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_register")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial int Register(SqliteNative.Vfs* vfs, int makeDefault);

    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_unregister")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial int Unregister(SqliteNative.Vfs* vfs);
}
