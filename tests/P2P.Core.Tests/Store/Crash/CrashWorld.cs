using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>A disk, the clock, and the store that is open on it, if one is.</summary>
internal sealed class CrashWorld(SeededRandom random, BlockBufferPool buffers, FaultyDisk disk, VirtualTime time) : IAsyncDisposable
{
    public const string DataPath = "/home/user/data";
    public const string UserPath = "/home/user/files";

    /// <summary>Real time, after which an end that does not come is a failure: a writer that died leaves its callers waiting.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SeededRandom _vfsRandom = random.Fork();
    private SqliteVfs? _vfs;
    private DataFolder? _folder;
    private BlockStore? _store;

    public FaultyDisk Disk { get; private set; } = disk;

    public VirtualTime Time { get; } = time;

    public StoreOptions Options { get; init; } = new() { MaxReaders = 2, ReaderCacheBytes = 1 << 20, WriterCacheBytes = 1 << 20 };

    public BlockStore Store => _store ?? throw new InvalidOperationException("not open");

    public bool IsOpen => _store is not null;

    /// <summary>The name of the file layer, for a connection besides the store's.</summary>
    public string Vfs => _vfs!.Name;

    public async Task OpenAsync()
    {
        _vfs ??= new SqliteVfs(Disk, _vfsRandom, Time);
        _folder = DataFolder.Open(DataPath, Disk);
        _folder.Lock();
        StoreOptions options = Options with { Vfs = _vfs.Name };
        _store = await Patiently(BlockStore.OpenAsync(_folder, _folder, options, Disk, buffers, Time, NullLoggerFactory.Instance, CancellationToken.None), "opening");
        await Patiently(_store.Swept, "sweeping");
    }

    /// <summary>Closes what is open, with or without power.</summary>
    public async Task CloseAsync()
    {
        if (_store is not null)
            await Patiently(_store.DisposeAsync().AsTask(), "closing");
        _store = null;
        _folder?.Dispose();
        _folder = null;
        if (_vfs is null)
            return;
        if (_vfs.OpenFiles != 0)
            throw new CrashFailureException($"{_vfs.OpenFiles} files of the index are still open after the store was closed");
    }

    /// <summary>Cuts the power or ends the process, and brings the disk back as it is then.</summary>
    public async Task RestartAsync(bool isPowerCut)
    {
        Disk.CutPower();
        await CloseAsync();
        _vfs?.Dispose();
        _vfs = null;
        Disk = isPowerCut ? Disk.Restart() : Disk.Kill();
    }

    public async Task<T> Patiently<T>(Task<T> task, string what)
    {
        await Patiently((Task)task, what);
        return await task;
    }

    public async Task Patiently(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new CrashFailureException($"{what} did not end within {Patience.TotalSeconds} s");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Disk.CutPower();
        await CloseAsync();
        _vfs?.Dispose();
    }
}
