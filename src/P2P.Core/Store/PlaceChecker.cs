using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>Reads places of blocks and hashes what is there. One worker's own: it keeps the source file that it read last open.</summary>
internal sealed class PlaceChecker(IndexReaders readers, OwnedFiles owned, ShareKeys keys, BlockBufferPool buffers) : IDisposable
{
    private SourceRow? _row;
    private IDiskFile? _file;
    private long _id;

    /// <summary>Checks one place.</summary>
    public CheckOutcome Check(in KeyedRow block, in BlockCheck check)
    {
        using BlockBuffer buffer = buffers.Rent(block.Row.Size);
        bool isRead = check.Kind switch
        {
            BlockPlaces.Inline => ReadInline(block.Row.Blob, buffer),
            BlockPlaces.OwnedFile => ReadOwned(block.Key.ToArray(), buffer),
            _ => false,
        };
        if (check.Kind == BlockPlaces.Source)
        {
            if (!TryOpen(check.Source.File))
                return CheckOutcome.Missing;
            if (_row!.State is SourceState.BeingWritten)
                return CheckOutcome.Skipped;
            try
            {
                isRead = ReadSource(check.Source, buffer);
            }
            catch (Exception error) when (StoreFailure.IsFromDisk(error))
            {
                return CheckOutcome.Wrong; // a disk that fails at one place
            }
        }
        if (isRead && BlockVerification.Verify(block.Cid, buffer.Span))
            return CheckOutcome.Right;
        return check.Kind == BlockPlaces.Source && _row!.State == SourceState.Superseded ? CheckOutcome.Stale : CheckOutcome.Wrong;
    }

    /// <summary>Where a block lies in the user's files, for messages.</summary>
    public (string Path, long Offset) PlaceOf(SourcePlace place, int blockBytes)
    {
        using IndexReaders.Lease lease = readers.Take();
        return lease.Reader.FindFile(place.File) is { } row ? (row.Path, row.StretchOf(place, blockBytes).Offset) : ("", 0);
    }

    /// <summary>Closes the file that is open.</summary>
    public void Close()
    {
        _file?.Dispose();
        (_file, _row, _id) = (null, null, 0);
    }

    public void Dispose() => Close();

    private bool ReadInline(long blob, BlockBuffer buffer)
    {
        using IndexReaders.Lease lease = readers.Take();
        return lease.Reader.TryReadBlob(blob, buffer.Memory.Span);
    }

    private bool ReadOwned(byte[] key, BlockBuffer buffer)
    {
        string path = owned.PathOf(key);
        try
        {
            // one byte more would be damage too, but harmless: what is named is what is hashed
            using IDiskFile file = owned.Disk.OpenRead(path);
            return file.Read(buffer.Memory.Span, 0) == buffer.Length;
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            return false;
        }
    }

    private bool ReadSource(SourcePlace place, BlockBuffer buffer)
    {
        SourceStretch stretch = _row!.StretchOf(place, buffer.Length);
        if (_row.ShareKey == 0)
            return BlockOpener.TryRead(_file!, stretch, null, buffer.Memory.Span);
        return stretch.Bytes >= 0 && stretch.SealedBytes == buffer.Length && keys.Find(_row.ShareKey) is { } sealer
            && BlockOpener.TryRead(_file!, stretch, sealer, buffer.Memory.Span);
    }

    private bool TryOpen(long id)
    {
        if (_id == id)
            return _file is not null;
        Close();
        _id = id;
        using (IndexReaders.Lease lease = readers.Take())
            _row = lease.Reader.FindFile(id);
        try
        {
            // Asked first: opening a pipe that took the file's name would wait for ever.
            if (_row is not null && owned.Disk.TryGetIdentity(_row.Path, out _))
                _file = owned.Disk.OpenRead(_row.Path);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            _file = null;
        }
        return _file is not null;
    }
}
