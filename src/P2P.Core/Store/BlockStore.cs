using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>The blocks of this node and where their bytes lie: in the index, in files of the store, or in the user's own files (D4, D5).</summary>
internal sealed class BlockStore : IAsyncDisposable
{
    public DataFolder Folder => throw new NotImplementedException();

    /// <summary>Says which source files turned out to be changed, each once. One reader: the node.</summary>
    public ChannelReader<SourceChangedNotice> SourceChanges => throw new NotImplementedException();

    /// <summary>Opens the folder, takes its lock and opens the store in it. The store owns the lock.</summary>
    public static Task<BlockStore> OpenAsync(string folder, StoreOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Opens the store in a folder that is locked already. The caller keeps the folder and disposes it after the store.</summary>
    public static Task<BlockStore> OpenAsync(DataFolder folder, StoreOptions options, BlockBufferPool buffers, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) => throw new NotImplementedException();

    // reading: synchronous, a few microseconds, from any thread
    public bool Has(in Cid cid) => throw new NotImplementedException();
    public int? SizeOf(in Cid cid) => throw new NotImplementedException();
    public bool MayServe(in Cid cid, PeerId asker) => throw new NotImplementedException();

    /// <summary>Has, MayServe and SizeOf in one look: what a bitswap server needs to answer a want.</summary>
    public BlockAvailability Look(in Cid cid, PeerId asker) => throw new NotImplementedException();

    /// <summary>Opens a block for reading. False: not here, or no place that holds it has the right bytes any more.</summary>
    public bool TryOpenBlock(in Cid cid, BlockReadPurpose purpose, out StoredBlock block) => throw new NotImplementedException();

    /// <summary>Reads a whole block, its hash checked; null when it is not here. The caller disposes it.</summary>
    public ValueTask<BlockBuffer?> ReadAsync(Cid cid, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Begins a batch; every block added to it joins the pin (none: blocks are kept only by earlier pins).</summary>
    public StoreBatch BeginBatch(PinId pin = default) => throw new NotImplementedException();

    // the import cache and source files
    /// <summary>The CID of a file that was imported before and has not changed since, by path, size, time and inode.</summary>
    public bool TryGetImportedFile(string path, in FileIdentity identity, out FileRegistration file) => throw new NotImplementedException();

    // pins and shares
    public Task<PinId> AddPinAsync(Pin pin, CancellationToken cancellationToken) => throw new NotImplementedException();
    public Task<bool> RemovePinAsync(PinId pin, CancellationToken cancellationToken) => throw new NotImplementedException();
    public IReadOnlyList<Pin> GetPins() => throw new NotImplementedException();
    public bool TryGetPin(PinId id, out Pin? pin) => throw new NotImplementedException();

    // resume, settings
    public ResumeState? GetResume(string key) => throw new NotImplementedException();
    public IReadOnlyList<ResumeChunk> GetResumeChunks(string key) => throw new NotImplementedException();
    public string? GetSetting(string key) => throw new NotImplementedException();
    public Task SetSettingAsync(string key, string? value, CancellationToken cancellationToken) => throw new NotImplementedException();

    public StoreUsage GetUsage() => throw new NotImplementedException();
    public Task<long> CollectGarbageAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>Changes that become visible together. Not thread-safe: one batch per worker. Nothing happens without a commit.</summary>
internal sealed class StoreBatch : IDisposable
{
    /// <summary>How many changes wait for the commit; a few thousand per commit is a good size.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>Adds a block whose bytes the store keeps. The bytes are copied before the call returns.</summary>
    public void AddOwned(in Cid cid, ReadOnlySpan<byte> data) => throw new NotImplementedException();

    /// <summary>Adds a block that lies in a source file.</summary>
    public void AddReference(in Cid cid, FileId file, long offset, int length) => throw new NotImplementedException();

    /// <summary>Joins a block that is in the store already to this batch's pin. False: it is not here.</summary>
    public bool AddExisting(in Cid cid) => throw new NotImplementedException();

    /// <summary>Registers a source file (absolute path), or finds it: the same path and identity get the same id, and its CID when it was imported before.</summary>
    public FileRegistration AddFile(string path, in FileIdentity identity) => throw new NotImplementedException();

    /// <summary>Registers a file that this node is writing (a fetch's .part): blocks in it are hashed at each read until it is finished.</summary>
    public FileId AddFileBeingWritten(string path) => throw new NotImplementedException();

    /// <summary>The file is complete: its identity (and CID, for the import cache) from now on.</summary>
    public void FinishFile(FileId file, in FileIdentity identity, in Cid root) => throw new NotImplementedException();

    /// <summary>A file or folder was renamed: everything under the old path is now under the new one. Call after the rename.</summary>
    public void Relocate(string oldPath, string newPath) => throw new NotImplementedException();

    /// <summary>Changes what a pin says (kind, root, name, path, peers, counts): how a temporary pin becomes a share. Its blocks stay.</summary>
    public void UpdatePin(Pin pin) => throw new NotImplementedException();

    public void RemovePin(PinId pin) => throw new NotImplementedException();
    public void SetResume(ResumeState state) => throw new NotImplementedException();
    /// <summary>Records a part of the bitmap. Only after the data it speaks of was flushed.</summary>
    public void SetResumeChunk(string key, long index, ReadOnlySpan<byte> bits) => throw new NotImplementedException();
    public void RemoveResume(string key) => throw new NotImplementedException();

    /// <summary>Applies the changes; afterwards the batch is empty and can be used again.</summary>
    public Task CommitAsync(Durability durability, CancellationToken cancellationToken) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}

/// <summary>The bytes of one block, opened for reading. Dispose it once; do not copy it.</summary>
internal readonly struct StoredBlock : IDisposable
{
    public int Length => throw new NotImplementedException();

    /// <summary>Copies bytes from the offset on, as many as fit. Throws <see cref="P2PException"/> (SourceChanged) when the file became shorter meanwhile.</summary>
    public int Read(Span<byte> destination, int offset) => throw new NotImplementedException();
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>The data folder: identity, index, blocks, lock, version.</summary>
internal sealed class DataFolder : IDisposable
{
    public string Path => throw new NotImplementedException();
    public string IdentityPath => throw new NotImplementedException();
    public string IndexPath => throw new NotImplementedException();
    public string BlocksPath => throw new NotImplementedException();
    public string TempPath => throw new NotImplementedException();
    public string ControlSocketPath => throw new NotImplementedException();
    public string ConfigPath => throw new NotImplementedException();
    public bool IsLocked => throw new NotImplementedException();

    /// <summary>Creates the folder owner-only if needed, checks its version and that it lies on a local disk. Takes no lock (id, cid).</summary>
    public static DataFolder Open(string path) => throw new NotImplementedException();
    /// <summary>Takes the folder for this process. P2PException(InUse) names the process that holds it.</summary>
    public void Lock() => throw new NotImplementedException();
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>File operations of the store behind one seam; static FileIdentity reading for importers.</summary>
internal sealed class FileSystemDisk : IDisk
{
    public static FileSystemDisk Instance => throw new NotImplementedException();
    /// <summary>Reads a regular file's identity without opening it; links are followed. False: not there or no regular file.</summary>
    public bool TryGetIdentity(string path, out FileIdentity identity) => throw new NotImplementedException();
}

internal interface IDisk
{
    bool TryGetIdentity(string path, out FileIdentity identity);
}
