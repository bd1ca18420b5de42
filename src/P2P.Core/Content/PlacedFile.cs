using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>A file that blocks are being written to, in any order and from several workers. Open from its first block to its last.</summary>
/// <param name="folder">The folder that it is gathered below.</param>
/// <param name="local">Its path there.</param>
/// <param name="root">Its content id.</param>
/// <param name="bytes">Its length; -1 when only its one block tells.</param>
/// <param name="isNew">Nothing is there yet, so finding something would be a fault.</param>
/// <param name="isPrivate">It lies beside the target and not in the private folder, so it is for this user only until it is done.</param>
/// <param name="metadata">What it is given when it is complete.</param>
internal sealed class PlacedFile(HeldFolder folder, string local, Cid root, long bytes, bool isNew, bool isPrivate, FileMetadata metadata)
{
    private const int CopyBytes = 1 << 20;

    private readonly Lock _gate = new(); // guards _handle and its opening
    private readonly Lock _writing = new(); // guards nothing of ours: the system lets one writer into a file, and here the next one sleeps instead of spinning
    private SafeFileHandle? _handle;
    private long _bytes = bytes;
    private bool _isNew = isNew;
    private int _open = 1; // the planner's hold; then one for each block on its way
    private long _unflushed;

    /// <summary>Where it is gathered.</summary>
    public string Path { get; } = folder.PathOf(local);

    /// <summary>Its content id.</summary>
    public Cid Root { get; } = root;

    /// <summary>Its name in the store, once a block of it was recorded there.</summary>
    public Store.FileId StoreId { get; set; }

    /// <summary>Makes it a clone of another file, before anything is written. False: the disk cannot, and it is as before.</summary>
    public bool TryClone(SafeFileHandle from)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        SafeFileHandle handle = Handle();
        if (LinuxCalls.Clone(from, handle) != 0)
            return false;
        _isNew = false;
        return true;
    }

    /// <summary>Makes it a copy of another file, before anything is written: a clone where the disk can, else byte by byte.</summary>
    /// <param name="from">The other.</param>
    /// <param name="most">The most bytes that are copied of it, should it be growing.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    public void CopyFrom(SafeFileHandle from, long most, CancellationToken cancellationToken)
    {
        if (TryClone(from))
            return;
        SafeFileHandle handle = Handle();
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            long offset = 0;
            for (int read; offset < most && (read = RandomAccess.Read(from, buffer.AsSpan(0, (int)Math.Min(CopyBytes, most - offset)), offset)) > 0; offset += read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                RandomAccess.Write(handle, buffer.AsSpan(0, read), offset);
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }

        _isNew = false;
    }

    /// <summary>Opens it once more, to read what is there, complete or not. Null: it cannot be read.</summary>
    public SafeFileHandle? TryOpenToRead() => folder.TryOpenToRead(local);

    /// <summary>A block is on its way.</summary>
    public void Hold() => Interlocked.Increment(ref _open);

    /// <summary>Writes a block at its place. Returns how much was written since write-back was last started.</summary>
    public long Write(ReadOnlySpan<byte> data, long offset)
    {
        if (_bytes < 0)
            _bytes = data.Length; // its only block
        SafeFileHandle handle = Handle();
        lock (_writing)
            RandomAccess.Write(handle, data, offset);
        return Interlocked.Add(ref _unflushed, data.Length);
    }

    /// <summary>Reads what is there; fewer bytes when it is shorter.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        int count = 0;
        for (int read = -1; read != 0 && count < buffer.Length; count += read)
            read = RandomAccess.Read(Handle(), buffer[count..], offset + count);
        return count;
    }

    /// <summary>The one block of this file was found in place: that is its length.</summary>
    public void FoundWhole(int length) => _bytes = length;

    /// <summary>Starts writing to disk what came in, if it is still open.</summary>
    public void StartWriteBack()
    {
        Interlocked.Exchange(ref _unflushed, 0);
        SafeFileHandle? handle;
        lock (_gate)
            handle = _handle;
        if (handle is null || !OperatingSystem.IsLinux())
            return;
        try
        {
            _ = LinuxCalls.StartWriteBack(handle); // only a head start: the flush at the end is what counts
        }
        catch (ObjectDisposedException)
        {
            return; // its last block came meanwhile
        }
    }

    /// <summary>A block has arrived, or the planner has gone on. True: the file is complete now, and closed.</summary>
    public bool Release()
    {
        if (Interlocked.Decrement(ref _open) > 0)
            return false;
        SafeFileHandle handle = Handle(); // an empty file has no block that would have created it
        if (!_isNew && RandomAccess.GetLength(handle) > _bytes)
            RandomAccess.SetLength(handle, _bytes); // something longer was there before
        metadata.ApplyTo(handle, Path);
        Close();
        return true;
    }

    /// <summary>Closes it, complete or not.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _handle?.Dispose();
            _handle = null;
        }
    }

    private SafeFileHandle Handle()
    {
        lock (_gate)
            return _handle ??= folder.OpenFile(local, mustBeNew: _isNew, isPrivate);
    }
}
