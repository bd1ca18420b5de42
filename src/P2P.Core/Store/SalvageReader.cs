using System.Buffers.Binary;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Store;

/// <summary>
/// Reads what can be read of a damaged index, table by table. Where a page is damaged the rows behind it are looked for with growing steps, so that one bad
/// page costs its own rows and few others. Nothing that it reads is trusted: blocks are hashed, references are marked as doubtful.
/// </summary>
internal sealed class SalvageReader : IDisposable
{
    /// <summary>Steps over a damaged stretch of a table (count): doubling, so that 63 pass over any.</summary>
    private const int MaxSteps = 63;

    /// <summary>Damaged stretches of one table (count) before the rest of it is given up.</summary>
    private const int MaxStretches = 10_000;

    private readonly IndexConnection _connection;
    private readonly Dictionary<long, long> _fileNumbers = [];

    private SalvageReader(IndexConnection connection) => _connection = connection;

    /// <summary>Opens a damaged index. Null: nothing of it can be read.</summary>
    public static SalvageReader? TryOpen(string path, string? vfs, int cacheBytes)
    {
        IndexConnection? connection = null;
        try
        {
            connection = IndexConnection.Open(path, vfs, cacheBytes);
            connection.Run("PRAGMA query_only=1;");
            _ = connection.Scalar("SELECT count(*) FROM sqlite_schema");
            return new SalvageReader(connection);
        }
        catch (P2PException)
        {
            connection?.Dispose();
            return null;
        }
    }

    /// <summary>The pins and resume states of the old index, for when their record is gone too.</summary>
    public PinRecord ReadPins()
    {
        List<Pin> pins = [];
        List<ResumeState> resumes = [];
        ForEachNumbered("pins", "id, kind, root, name, path, allowed, bytes, blocks, wrapped_key, created_ms, hints", row =>
        {
            try
            {
                pins.Add(PinRow.Read(row));
            }
            catch (Exception error) when (error is P2PException or OverflowException or ArgumentException)
            {
                // A pin that cannot be read as it was is left out: a share whose list of peers is damaged must not become one for everybody.
            }
        });
        ForEachRow("SELECT key, root, target, part, pin FROM resumes", row => resumes.Add(
            new ResumeState(row.GetText(0), PinRow.ReadCid(row.GetBlob(1)), row.GetText(2), row.GetText(3), new PinId(row.GetInt64(4)))));
        return PinRecord.Of(pins, resumes);
    }

    /// <summary>Copies small things that were remembered, but for the store's own counters; and the wrapped keys of private shares.</summary>
    public void CopySettings(SalvageTarget target)
    {
        ForEachRow("SELECT key, value FROM settings", row =>
        {
            (string key, string value) = (row.GetText(0), row.GetText(1));
            if (!key.StartsWith(IndexEditor.InternalPrefix, StringComparison.Ordinal))
                target.Apply(into => into.SetSetting(key, value));
        });
        ForEachNumbered("share_keys", "id, wrapped", row =>
        {
            (long id, byte[] wrapped) = (row.GetInt64(0), row.GetBlob(1).ToArray());
            target.Run("INSERT OR IGNORE INTO share_keys(id, wrapped) VALUES(?1, ?2)", insert => insert.Bind(1, id).Bind(2, wrapped.AsSpan()));
        });
    }

    /// <summary>Copies the user's files that are referred to, as never checked: their blocks are hashed before they are sent.</summary>
    public void CopyFiles(SalvageTarget target)
    {
        ForEachNumbered("folders", "id, path", row =>
        {
            (long id, string path) = (row.GetInt64(0), row.GetText(1));
            if (Path.IsPathFullyQualified(path))
                target.Run("INSERT OR IGNORE INTO folders(id, path) VALUES(?1, ?2)", insert => insert.Bind(1, id).Bind(2, path));
        });
        ForEachNumbered("files", "id, folder, name, size, modified_ns, inode, device, state, layout, share_key, root", row =>
        {
            long[] numbers = [row.GetInt64(0), row.GetInt64(1), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetInt64(9)];
            string name = row.GetText(2);
            byte[]? root = row.IsNull(10) ? null : row.GetBlob(10).ToArray();
            if (name.Length == 0 || Path.GetFileName(name) != name || numbers[6] is < 0 or > (long)SourceState.Superseded)
                return;
            _fileNumbers[numbers[0]] = numbers[2];
            target.Run(
                "INSERT OR IGNORE INTO files(id, folder, name, size, modified_ns, inode, device, checked_ns, state, layout, share_key, root) " +
                "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?11 WHERE EXISTS(SELECT 1 FROM folders WHERE id=?2)",
                insert =>
                {
                    insert.Bind(1, numbers[0]).Bind(2, numbers[1]).Bind(3, name).Bind(4, numbers[2]).Bind(5, numbers[3]).Bind(6, numbers[4])
                        .Bind(7, numbers[5]).Bind(8, numbers[6]).Bind(9, numbers[7]).Bind(10, numbers[8]);
                    if (root is null)
                        insert.Bind(11, (string?)null);
                    else
                        insert.Bind(11, root.AsSpan());
                });
        });
    }

    /// <summary>Copies where blocks lie in the user's files, and inline blocks whose bytes are right; each with the pins that it had.</summary>
    public void CopyPlaces(SalvageTarget target, PinRecord record, PinId recovered)
    {
        Dictionary<long, List<PinId>> sets = ReadSets(record);
        ForEachKeyed("blocks", "key, size, places, pin_set, file, offset, blob", row =>
        {
            byte[] key = row.GetBlob(0).ToArray();
            long size = row.GetInt64(1), places = row.GetInt64(2);
            (long set, long file, long offset, long blob) = (row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6));
            if (!IsKey(key) || size is < 0 or > BlockVerification.MaxBlockBytes)
                return;
            List<PinId> keepers = sets.GetValueOrDefault(set, [recovered]);
            if ((places & (long)BlockPlaces.Inline) != 0 && ReadBlob(blob) is { } data && BlockVerification.Verify(new KeyedRow(new MultihashKey(key), default).Cid, data))
                Join(target, keepers, (into, pin) => into.AddInline(key, data, pin));
            if ((places & (long)BlockPlaces.Source) != 0 && _fileNumbers.ContainsKey(file) && offset >= 0)
                Join(target, keepers, (into, pin) => into.AddSource(key, (int)size, new SourcePlace(file, offset), pin, static _ => false));
            if ((places & (long)BlockPlaces.OwnedFile) != 0)
                Join(target, keepers, (into, pin) => into.AddExisting(key, pin)); // its file was found and hashed before, or it is lost
        });
        ForEachKeyed("sources", "key, file, offset", row =>
        {
            byte[] key = row.GetBlob(0).ToArray();
            (long file, long offset) = (row.GetInt64(1), row.GetInt64(2));
            if (IsKey(key) && _fileNumbers.ContainsKey(file) && offset >= 0)
                target.Apply(into => into.AddSourceToKnown(key, new SourcePlace(file, offset)));
        });
    }

    /// <summary>Copies inline blocks whose rows could not be read: their bytes say what they are called.</summary>
    public void CopyBlobs(SalvageTarget target, PinId recovered) => ForEachNumbered("blobs", "id, data", row =>
    {
        byte[] data = row.GetBlob(1).ToArray();
        if (data.Length > StoreOptions.MaxInlineBytes)
            return;
        byte[] key = Cid.OfRaw(data).MultihashSpan.ToArray();
        target.Apply(into => into.AddInlineIfUnknown(key, data, recovered));
    });

    public void Dispose() => _connection.Dispose();

    private static bool IsKey(byte[] key) => Multihash.TryParse(key, out _, out _, out int length) && length == key.Length;

    private static void Join(SalvageTarget target, List<PinId> pins, Action<IndexEditor, PinId> add)
    {
        foreach (PinId pin in pins)
            target.Apply(into => add(into, pin));
    }

    private Dictionary<long, List<PinId>> ReadSets(PinRecord record)
    {
        HashSet<long> known = [.. record.Pins.Select(pin => pin.Id.Value)];
        Dictionary<long, List<PinId>> sets = [];
        ForEachRow("SELECT pin_set, pin FROM pin_sets", row =>
        {
            if (!known.Contains(row.GetInt64(1)))
                return;
            if (!sets.TryGetValue(row.GetInt64(0), out List<PinId>? pins))
                sets[row.GetInt64(0)] = pins = [];
            pins.Add(new PinId(row.GetInt64(1)));
        });
        return sets;
    }

    private byte[]? ReadBlob(long id)
    {
        byte[]? data = null;
        try
        {
            using IndexStatement read = _connection.Prepare("SELECT data FROM blobs WHERE id=?1");
            if (read.Bind(1, id).Step())
                data = read.GetBlob(0).ToArray();
        }
        catch (P2PException)
        {
            data = null; // on a damaged page
        }
        return data;
    }

    /// <summary>A small table: what comes before the damage.</summary>
    private void ForEachRow(string sql, Action<IndexStatement> onRow) => TryForEach(sql, null, onRow);

    /// <summary>A table with row numbers: damaged stretches are stepped over.</summary>
    private void ForEachNumbered(string table, string columns, Action<IndexStatement> onRow)
    {
        long last = long.MinValue;
        int stretches = 0;
        ulong step = 0;
        for (int steps = 0; steps < MaxSteps && stretches < MaxStretches;)
        {
            long from = last > long.MaxValue - (long)Math.Min(step, long.MaxValue) ? long.MaxValue : last == long.MinValue ? (long)step : last + (long)step;
            bool any = false;
            bool isWhole = TryForEach(
                $"SELECT {columns} FROM {table} WHERE id>?1 ORDER BY id",
                statement => statement.Bind(1, last == long.MinValue && step == 0 ? long.MinValue : from),
                row =>
                {
                    any = true;
                    last = row.GetInt64(0);
                    onRow(row);
                });
            if (isWhole)
                return;
            stretches++;
            (steps, step) = any ? (0, 1) : (steps + 1, step == 0 ? 1 : step * 2);
        }
    }

    /// <summary>A table by multihash: the digits behind its head are stepped over.</summary>
    private void ForEachKeyed(string table, string columns, Action<IndexStatement> onRow)
    {
        byte[] last = [];
        int stretches = 0;
        ulong step = 0;
        for (int steps = 0; steps < MaxSteps && stretches < MaxStretches;)
        {
            byte[] from = Advance(last, step);
            bool any = false;
            bool isWhole = TryForEach(
                $"SELECT {columns} FROM {table} WHERE key>?1 ORDER BY key",
                statement => statement.Bind(1, from.AsSpan()),
                row =>
                {
                    any = true;
                    last = row.GetBlob(0).ToArray();
                    onRow(row);
                });
            if (isWhole)
                return;
            stretches++;
            (steps, step) = any ? (0, 1UL << 32) : (steps + 1, step == 0 ? 1UL << 32 : step * 2);
            if (step == 0)
                return;
        }
    }

    private static byte[] Advance(byte[] key, ulong step)
    {
        const int Head = 2, Digits = 8; // the head of a multihash, and what of its digest is counted
        if (step == 0)
            return key;
        byte[] next = new byte[Head + Digits];
        key.AsSpan(0, Math.Min(key.Length, next.Length)).CopyTo(next);
        if (key.Length == 0)
            (next[0], next[1]) = ((byte)Multihash.Sha2_256, 32);
        ulong digits = BinaryPrimitives.ReadUInt64BigEndian(next.AsSpan(Head));
        BinaryPrimitives.WriteUInt64BigEndian(next.AsSpan(Head), digits > ulong.MaxValue - step ? ulong.MaxValue : digits + step);
        return next;
    }

    /// <summary>Runs a query. False: it met damage; rows before that were given.</summary>
    private bool TryForEach(string sql, Action<IndexStatement>? bind, Action<IndexStatement> onRow)
    {
        IndexStatement? statement = null;
        try
        {
            try
            {
                statement = _connection.Prepare(sql);
                bind?.Invoke(statement);
            }
            catch (P2PException)
            {
                return true; // there is no such table: nothing behind it either
            }
            while (true)
            {
                try
                {
                    if (!statement.Step())
                        return true;
                }
                catch (P2PException)
                {
                    return false;
                }
                onRow(statement);
            }
        }
        finally
        {
            statement?.Dispose();
        }
    }
}
