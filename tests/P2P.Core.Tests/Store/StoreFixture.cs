using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>A data folder and a folder of user's files, removed at the end; the store in it can be closed and opened again.</summary>
internal sealed class StoreFixture : IAsyncDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("p2p-store-");
    private readonly Random _random = new(20260101);
    private BlockStore? _store;

    public BlockStore Store => _store ?? throw new InvalidOperationException("not open");

    public BlockBufferPool Buffers { get; } = new();

    public IDisk Disk { get; init; } = FileSystemDisk.Instance;

    public StoreOptions Options { get; init; } = new();

    public ShiftedTime Time { get; } = new();

    public string DataPath => Path.Combine(_root.FullName, "data");

    public string UserPath => Path.Combine(_root.FullName, "user");

    private DataFolder? Folder { get; set; }

    public static async Task<StoreFixture> OpenAsync(StoreOptions? options = null, IDisk? disk = null)
    {
        StoreFixture fixture = new() { Options = options ?? new(), Disk = disk ?? FileSystemDisk.Instance };
        Directory.CreateDirectory(fixture.UserPath);
        await fixture.ReopenAsync();
        return fixture;
    }

    public async Task ReopenAsync()
    {
        await CloseAsync();
        Folder = DataFolder.Open(DataPath);
        Folder.Lock();
        _store = await BlockStore.OpenAsync(Folder, null, Options, Disk, Buffers, Time, NullLoggerFactory.Instance, CancellationToken.None);
    }

    public async Task CloseAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        _store = null;
        Folder?.Dispose();
        Folder = null;
    }

    public byte[] RandomBytes(int length)
    {
        byte[] data = new byte[length];
        _random.NextBytes(data);
        return data;
    }

    /// <summary>Writes a user's file whose time is long past, so that it is in no doubt.</summary>
    public string WriteFile(string name, ReadOnlySpan<byte> data)
    {
        string path = Path.Combine(UserPath, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, data.ToArray());
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        return path;
    }

    public FileIdentity IdentityOf(string path)
    {
        Assert.IsTrue(FileSystemDisk.Instance.TryGetIdentity(path, out FileIdentity identity), path);
        return identity;
    }

    public Task<PinId> PinAsync(PinKind kind = PinKind.Shared, params PeerId[] allowed) =>
        Store.AddPinAsync(new Pin { Kind = kind, Name = "test", AllowedPeers = allowed }, CancellationToken.None);

    public async Task<Cid> AddOwnedAsync(byte[] data, PinId pin = default)
    {
        Cid cid = Cid.OfRaw(data);
        using StoreBatch batch = Store.BeginBatch(pin);
        batch.AddOwned(cid, data);
        await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        return cid;
    }

    /// <summary>Imports a file as blocks of the given size, in place.</summary>
    public async Task<List<Cid>> ShareFileAsync(string path, int blockSize, PinId pin = default)
    {
        byte[] data = await File.ReadAllBytesAsync(path);
        List<Cid> cids = [];
        using StoreBatch batch = Store.BeginBatch(pin);
        FileIdentity identity = IdentityOf(path);
        FileId file = batch.AddFile(path, identity).Id;
        for (int offset = 0; offset < data.Length; offset += blockSize)
        {
            int length = Math.Min(blockSize, data.Length - offset);
            Cid cid = Cid.OfRaw(data.AsSpan(offset, length));
            batch.AddReference(cid, file, offset, length);
            cids.Add(cid);
        }
        batch.FinishFile(file, identity, Cid.OfDagPb(data));
        await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        return cids;
    }

    /// <summary>What a peer would get; null when it is not served.</summary>
    public byte[]? Serve(Cid cid, BlockReadPurpose purpose = BlockReadPurpose.Serve)
    {
        if (!Store.TryOpenBlock(cid, purpose, out StoredBlock block))
            return null;
        using (block)
        {
            byte[] data = new byte[block.Length];
            int offset = 0;
            while (offset < data.Length)
                offset += block.Read(data.AsSpan(offset, Math.Min(1000, data.Length - offset)), offset);
            Assert.AreEqual(0, block.Read(data, data.Length));
            return data;
        }
    }

    /// <summary>Waits until changes that nobody waits for are in the index: they were queued before this one.</summary>
    public Task SettleAsync() => Store.SetSettingAsync("settle", null, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _root.Delete(recursive: true);
    }
}

/// <summary>The system's time and an offset: the file system's times are the system's own, so a store's clock cannot be far from them.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    public TimeSpan Shift { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
}
