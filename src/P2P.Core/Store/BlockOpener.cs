using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// Opens blocks for reading and decides when their bytes have to be hashed first (D4): bytes that the store keeps always, a user's file when there is
/// doubt. A place that turns out wrong is dropped and the next one is tried.
/// </summary>
internal sealed class BlockOpener(
    IndexReaders readers,
    IndexWriter writer,
    SourceFileCache sources,
    SourceWatch watch,
    OwnedFiles owned,
    ShareKeys keys,
    BlockBufferPool buffers,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>How often a file is opened again when its name was given to another file meanwhile.</summary>
    private const int MaxReopenings = 2;

    public bool TryOpen(in Cid cid, BlockReadPurpose purpose, out StoredBlock block)
    {
        block = default;
        ReadOnlySpan<byte> key = cid.MultihashSpan;
        BlockBuffer? inline = null;
        BlockRow row;
        using (IndexReaders.Lease lease = readers.Take())
        {
            if (!lease.Reader.TryFind(key, out row))
                return false;
            if ((row.Places & BlockPlaces.Inline) != 0)
                inline = ReadInline(lease.Reader, row);
        }
        if ((row.Places & BlockPlaces.Inline) != 0 && TryAccept(cid, inline, out block))
            return true;
        if ((row.Places & BlockPlaces.OwnedFile) != 0 && TryAccept(cid, ReadOwnedFile(key, row.Size), out block))
            return true;
        if (row.IsOwned)
            ReportDamage(cid, row.Size);
        return row.HasSource && TryOpenAnySource(cid, row, purpose, out block);
    }

    /// <summary>Whether a place in a file that is in doubt can be read at all: asked before we say that we have a block.</summary>
    public bool IsReachable(long file)
    {
        if (watch.StateOf(file) is not (SourceState.Missing or SourceState.BeingWritten))
            return true;
        SourceRow? row;
        using (IndexReaders.Lease lease = readers.Take())
            row = lease.Reader.FindFile(file);
        if (row is null || !owned.Disk.TryGetIdentity(row.Path, out _))
            return false;
        if (watch.ReportBack(file))
            writer.TryApply(editor => editor.SetFileState(new FileId(file), SourceState.Sound));
        return true;
    }

    private BlockBuffer? ReadInline(IndexReader reader, in BlockRow row)
    {
        BlockBuffer buffer = buffers.Rent(row.Size);
        if (reader.TryReadBlob(row.Blob, buffer.Memory.Span))
            return buffer;
        buffer.Dispose();
        return null;
    }

    private BlockBuffer? ReadOwnedFile(ReadOnlySpan<byte> key, int size)
    {
        BlockBuffer buffer = buffers.Rent(size);
        try
        {
            using IDiskFile file = owned.Disk.OpenRead(owned.PathOf(key));
            if (file.Read(buffer.Memory.Span, 0) == size)
                return buffer;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // Told below as damage, like wrong bytes.
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
        buffer.Dispose();
        return null;
    }

    private static bool TryAccept(in Cid cid, BlockBuffer? buffer, out StoredBlock block)
    {
        block = default;
        if (buffer is null)
            return false;
        if (!BlockVerification.Verify(cid, buffer.Span))
        {
            buffer.Dispose();
            return false;
        }
        block = new StoredBlock(buffer);
        return true;
    }

    /// <summary>A row read a moment ago may be out of date by now: the damage counts when the row still says the same.</summary>
    private void ReportDamage(in Cid cid, int size)
    {
        byte[] key = cid.MultihashSpan.ToArray();
        Cid damaged = cid;
        writer.TryApply(editor =>
        {
            if (IsSoundNow(damaged, key, size))
                return;
            editor.DropOwned(key);
            editor.AfterCommit(() => StoreLog.OwnedBlockDamaged(logger, damaged));
        });
    }

    private bool IsSoundNow(in Cid cid, ReadOnlySpan<byte> key, int size)
    {
        BlockBuffer? buffer;
        using (IndexReaders.Lease lease = readers.Take())
        {
            if (!lease.Reader.TryFind(key, out BlockRow row) || !row.IsOwned)
                return true;
            buffer = (row.Places & BlockPlaces.Inline) != 0 ? ReadInline(lease.Reader, row) : ReadOwnedFile(key, size);
        }
        bool isSound = TryAccept(cid, buffer, out StoredBlock block);
        block.Dispose();
        return isSound;
    }

    private bool TryOpenAnySource(in Cid cid, in BlockRow row, BlockReadPurpose purpose, out StoredBlock block)
    {
        var first = new SourcePlace(row.File, row.Offset);
        if (TryOpenSource(cid, first, row.Size, purpose, out block))
            return true;

        // A place that turned out wrong is dropped by the writer, which moves another one up into the block's row. The other places are read before the row,
        // so that one on its way up is seen in the one or in the other.
        HashSet<SourcePlace> tried = [first];
        while (true)
        {
            List<SourcePlace> places;
            using (IndexReaders.Lease lease = readers.Take())
            {
                places = lease.Reader.FindSources(cid.MultihashSpan);
                if (!lease.Reader.TryFind(cid.MultihashSpan, out BlockRow now) || !now.HasSource)
                    return false;
                places.Add(new SourcePlace(now.File, now.Offset));
            }
            places.RemoveAll(place => !tried.Add(place));
            if (places.Count == 0)
                return false;
            foreach (SourcePlace place in places)
            {
                if (TryOpenSource(cid, place, row.Size, purpose, out block))
                    return true;
            }
        }
    }

    private bool TryOpenSource(in Cid cid, SourcePlace place, int size, BlockReadPurpose purpose, out StoredBlock block)
    {
        block = default;
        for (int opening = 0; opening < MaxReopenings; opening++)
        {
            if (!TryAcquire(cid, place, size, out SourceFile? source))
                return false;
            bool isKept = false;
            try
            {
                if (!owned.Disk.TryGetIdentity(source.Row.Path, out FileIdentity now))
                {
                    sources.Forget(place.File);
                    Report(source.Row, SourceDiagnosis.Find(owned.Disk, source.Row.Path), cid, place, size);
                    return false;
                }
                if (!now.IsSameFile(source.Opened))
                {
                    sources.Forget(place.File);
                    continue;
                }
                if (watch.ReportBack(place.File))
                    writer.TryApply(editor => editor.SetFileState(new FileId(place.File), SourceState.Sound));
                if (!source.IsDoubtful(now, place.Offset, size) && purpose == BlockReadPurpose.Serve && source.Row.ShareKey == 0)
                {
                    isKept = true;
                    block = new StoredBlock(sources, source, now, place.Offset, size);
                    return true;
                }
                return TryVerify(cid, source, now, place, size, out block);
            }
            catch (Exception error) when (StoreFailure.IsFromDisk(error))
            {
                Report(source.Row, SourceDiagnosis.Find(owned.Disk, source.Row.Path, error), cid, place, size);
                return false;
            }
            finally
            {
                if (!isKept)
                    sources.Release(source);
            }
        }
        return false;
    }

    private bool TryAcquire(in Cid cid, SourcePlace place, int size, [NotNullWhen(true)] out SourceFile? source)
    {
        source = null;
        try
        {
            source = sources.Acquire(place.File);
            return source is not null;
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            SourceRow? row;
            using (IndexReaders.Lease lease = readers.Take())
                row = lease.Reader.FindFile(place.File);
            if (row is not null)
                Report(row, SourceDiagnosis.Find(owned.Disk, row.Path, error), cid, place, size);
            return false;
        }
    }

    private bool TryVerify(in Cid cid, SourceFile source, in FileIdentity now, SourcePlace place, int size, out StoredBlock block)
    {
        block = default;
        SourceStretch stretch = source.Row.StretchOf(place, size);
        BlockSealer? sealer = source.Row.ShareKey == 0 ? null : keys.Find(source.Row.ShareKey);
        if (source.Row.ShareKey != 0 && (sealer is null || stretch.Bytes < 0 || stretch.SealedBytes != size))
            return false; // told when it was unwrapped
        BlockBuffer buffer = buffers.Rent(size);
        bool isRight;
        try
        {
            isRight = TryRead(source.Handle, stretch, sealer, buffer.Memory.Span) && BlockVerification.Verify(cid, buffer.Span);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
        if (isRight)
        {
            block = new StoredBlock(buffer);
            Trust(source, now, place, stretch.Bytes);
            return true;
        }
        buffer.Dispose();

        // What we are writing ourselves may be incomplete; it is asked again when it is finished.
        if (source.Row.State == SourceState.BeingWritten)
            return false;
        Report(source.Row, SourceChange.Edited, cid, place, size);
        byte[] key = cid.MultihashSpan.ToArray();
        writer.TryApply(editor => editor.DropSource(key, place));
        return false;
    }

    /// <summary>Reads a block, or reads what it is made of and seals that again: the seal follows from the bytes as they are now, never from a stored one.</summary>
    internal static bool TryRead(IDiskFile source, SourceStretch stretch, BlockSealer? sealer, Span<byte> block)
    {
        if (sealer is null)
            return source.Read(block, stretch.Offset) == stretch.Bytes;
        Span<byte> data = block.Slice(BlockSealer.DataOffset(Cid.RawCodec, stretch.Bytes), stretch.Bytes);
        if (source.Read(data, stretch.Offset) != stretch.Bytes)
            return false;
        sealer.SealInPlace(Cid.RawCodec, stretch.Bytes, block);
        return true;
    }

    /// <summary>When every block of a file that was touched turned out right, its new identity is as good as the one of the import.</summary>
    private void Trust(SourceFile source, in FileIdentity now, SourcePlace place, int size)
    {
        long nowNs = StoreClock.NowNs(time);
        if (!source.OnVerified(now, place.Offset, size, nowNs))
            return;
        FileIdentity identity = now;
        FileId file = new(place.File);
        writer.TryApply(editor =>
        {
            editor.FinishFile(file, identity, nowNs, default);
            editor.AfterCommit(() =>
            {
                watch.Set(file.Value, SourceState.Sound);
                sources.Forget(file.Value);
            });
        });
    }

    private void Report(SourceRow row, SourceChange change, in Cid cid, SourcePlace place, int size)
    {
        if (!watch.Report(row, change, cid, row.StretchOf(place, size).Offset))
            return;
        SourceState state = watch.StateOf(row.Id);
        writer.TryApply(editor => editor.SetFileState(new FileId(row.Id), state));
    }
}

/// <summary>The time as the index keeps it.</summary>
internal static class StoreClock
{
    private const long NanosecondsPerTick = 100;

    /// <summary>Nanoseconds since 1970, UTC: comparable with the times of files.</summary>
    public static long NowNs(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;
}
