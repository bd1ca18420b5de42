using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Store;

/// <summary>
/// Makes a new index when the old one is damaged or gone: from the record of pins, from the rows of the old one that can still be read, and from the block
/// files on the disk, each hashed before it counts. The old index is moved aside and kept. What the user's files hold is not read here: references that were
/// saved are hashed before anything is sent from them, and shares are imported again by who calls this. A crash in between begins anew.
/// </summary>
internal sealed class IndexSalvage(DataFolder folder, StoreOptions options, IDisk disk, TimeProvider time, ILogger logger)
{
    /// <summary>Set in an index that was rebuilt until its pins are put together again.</summary>
    public const string RebuiltSetting = IndexEditor.InternalPrefix + "rebuilt";

    /// <summary>The pin that keeps what was found until it is known what it belongs to.</summary>
    public const string RecoveredName = "recovered by store repair";

    private const int RowsPerCommit = 4096;

    private string RebuildPath => folder.IndexPath + ".rebuild";

    /// <summary>Rebuilds. The folder is locked and no store is open in it.</summary>
    public void Rebuild(CancellationToken cancellationToken)
    {
        string? old = MoveAside();
        DeleteIndex(RebuildPath);
        try
        {
            Build(old, cancellationToken);
            disk.Rename(RebuildPath, folder.IndexPath);
            disk.FlushFolder(folder.Path);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"rebuild the index {folder.IndexPath}", error);
        }
        StoreLog.Rebuilt(logger, folder.IndexPath, old ?? "nothing");
    }

    private void Build(string? old, CancellationToken cancellationToken)
    {
        using (disk.Create(RebuildPath))
        {
            // owner-only, like the index
        }
        using IndexConnection connection = IndexConnection.Open(RebuildPath, options.Vfs, options.WriterCacheBytes);
        IndexSchema.Prepare(connection, RebuildPath);
        var owned = new OwnedFiles(disk, folder, $"rebuild-{StoreClock.NowNs(time):x}");
        var pins = new PinTable();
        using IndexEditor editor = new(connection, pins, owned, static _ => { }, recordPins: null);
        using SalvageReader? reader = old is null ? null : SalvageReader.TryOpen(old, options.Vfs, options.ReaderCacheBytes);
        var target = new SalvageTarget(connection, editor, RowsPerCommit, cancellationToken);

        PinRecord record = PinRecord.TryRead(disk, folder.PinsPath) ?? reader?.ReadPins() ?? new PinRecord([], []);
        record = record with { Pins = [.. record.Pins.Where(static pin => pin.Kind != PinKind.Held)] }; // their leases are gone with the index
        long last = record.Pins.Select(pin => pin.Id.Value).DefaultIfEmpty().Max();
        var recovered = new Pin { Id = new PinId(last + 1), Kind = PinKind.Kept, Name = RecoveredName, CreatedAt = time.GetUtcNow() };
        foreach (Pin pin in record.Pins.Append(recovered))
            target.Apply(into => into.InsertPin(pin));
        foreach (ResumeState resume in record.Resumes)
            target.Apply(into => into.SetResume(resume));
        target.Commit();
        AddBlockFiles(owned, target, recovered.Id, cancellationToken);
        if (reader is not null)
        {
            reader.CopySettings(target);
            reader.CopyFiles(target);
            target.Commit();
            reader.CopyPlaces(target, record, recovered.Id);
            reader.CopyBlobs(target, recovered.Id);
        }
        target.Apply(static into => into.SetSetting(RebuiltSetting, "1"));
        target.Commit();
        connection.Run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE;");
    }

    private void AddBlockFiles(OwnedFiles owned, SalvageTarget target, PinId recovered, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BlockVerification.MaxBlockBytes];
        foreach ((string path, byte[] key) in owned.ListBlocks())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!Multihash.TryParse(key, out _, out _, out int length) || length != key.Length || owned.PathOf(key) != path)
                continue; // swept at the next start
            int read;
            try
            {
                if (owned.SizeOf(path) is not (> 0 and <= BlockVerification.MaxBlockBytes))
                    continue;
                using IDiskFile file = disk.OpenRead(path);
                read = file.Read(buffer, 0);
            }
            catch (Exception error) when (StoreFailure.IsFromDisk(error))
            {
                // The disk may read it another time: out of the way of the sweep, which removes what has no row.
                StoreLog.BlockNotSalvaged(logger, error, path);
                disk.Rename(path, Path.Combine(folder.Path, "unreadable-" + Path.GetFileName(path)));
                continue;
            }
            Cid cid = new KeyedRow(new MultihashKey(key), default).Cid;
            if (BlockVerification.Verify(cid, buffer.AsSpan(0, read)))
                target.Apply(into => into.AddOwnedFile(key, read, new TemporaryBlock(path) { IsFlushed = true, IsNamed = true }, recovered));
        }
    }

    /// <summary>Moves the damaged index aside with its log. Returns where it is; null when there is none.</summary>
    private string? MoveAside()
    {
        string? latest = null;
        int number = 1;
        for (; disk.TryGetIdentity(DamagedPath(number), out _); number++)
            latest = DamagedPath(number);
        if (!disk.TryGetIdentity(folder.IndexPath, out FileIdentity identity))
            return latest; // an earlier rebuild was interrupted, or the index was lost
        if (identity.Size == 0)
        {
            DeleteIndex(folder.IndexPath);
            return latest;
        }
        try
        {
            // The log first: without its index it is nothing, with a new index of the same name it would be poison.
            if (disk.TryGetIdentity(folder.IndexPath + "-wal", out _))
                disk.Rename(folder.IndexPath + "-wal", DamagedPath(number) + "-wal");
            disk.Rename(folder.IndexPath, DamagedPath(number));
            disk.Delete(folder.IndexPath + "-shm");
            disk.FlushFolder(folder.Path);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw StoreFailure.FromDisk($"move the damaged index {folder.IndexPath} aside", error);
        }
        return DamagedPath(number);
    }

    private string DamagedPath(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Path.Combine(folder.Path, "index.damaged-")}{number}");

    private void DeleteIndex(string path)
    {
        foreach (string file in new[] { path, path + "-wal", path + "-shm", path + "-journal" })
            disk.Delete(file);
    }
}

/// <summary>Writes what was saved into the new index, a few thousand rows a transaction.</summary>
internal sealed class SalvageTarget(IndexConnection connection, IndexEditor editor, int rowsPerCommit, CancellationToken cancellationToken)
{
    private int _rows;

    /// <summary>Makes one change.</summary>
    public void Apply(Action<IndexEditor> change)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_rows++ == 0)
            connection.Run("BEGIN IMMEDIATE");
        change(editor);
        if (_rows >= rowsPerCommit)
            Commit();
    }

    /// <summary>Runs a statement of the caller's inside the transaction.</summary>
    public void Run(string sql, Action<IndexStatement> bind) => Apply(_ =>
    {
        using IndexStatement statement = connection.Prepare(sql);
        bind(statement);
        statement.Run();
    });

    /// <summary>Commits what waits.</summary>
    public void Commit()
    {
        if (_rows == 0)
            return;
        editor.BeforeCommit(isFlushed: false);
        connection.Run("COMMIT");
        editor.Committed();
        _rows = 0;
    }
}
