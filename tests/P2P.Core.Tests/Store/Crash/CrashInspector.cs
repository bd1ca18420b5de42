using System.Collections.Immutable;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>Looks at an open store from outside: reads what it holds, and checks what must be true of any store at any time.</summary>
internal sealed class CrashInspector(CrashWorld world)
{
    /// <summary>Each of these counts must be 0.</summary>
    private static readonly (string What, string Sql)[] Invariants =
    [
        ("rows whose small block is gone or has another length", "SELECT count(*) FROM blocks b LEFT JOIN blobs d ON d.id=b.blob WHERE b.places&1 AND (d.id IS NULL OR length(d.data)<>b.size)"),
        ("small blocks without a row", "SELECT count(*) FROM blobs WHERE id NOT IN (SELECT blob FROM blocks WHERE places&1)"),
        ("rows in a source file that is unknown", "SELECT count(*) FROM blocks WHERE places&4 AND file NOT IN (SELECT id FROM files)"),
        ("further places in a source file that is unknown", "SELECT count(*) FROM sources WHERE file NOT IN (SELECT id FROM files)"),
        ("further places of an unknown block", "SELECT count(*) FROM sources WHERE key NOT IN (SELECT key FROM blocks WHERE places&8)"),
        ("source files in an unknown folder", "SELECT count(*) FROM files WHERE folder NOT IN (SELECT id FROM folders)"),
        ("members of a pin set that are no pin", "SELECT count(*) FROM pin_sets WHERE pin NOT IN (SELECT id FROM pins)"),
        ("bytes by which the counter of owned bytes is wrong",
            "SELECT (SELECT coalesce(sum(size), 0) FROM blocks WHERE places&3) - coalesce((SELECT CAST(value AS INTEGER) FROM settings WHERE key='store.owned_bytes'), 0)"),
        ("counts of usage that are wrong",
            """
            WITH right(pin_set, standing, blocks, bytes) AS (
                SELECT pin_set, CASE WHEN places&2 THEN 3 WHEN places&1 THEN 2 WHEN places&12 THEN 1 ELSE 0 END, count(*), sum(size) FROM blocks GROUP BY 1, 2)
            SELECT (SELECT count(*) FROM (SELECT * FROM right EXCEPT SELECT pin_set, standing, blocks, bytes FROM usage))
                + (SELECT count(*) FROM (SELECT pin_set, standing, blocks, bytes FROM usage EXCEPT SELECT * FROM right))
            """),
        ("steps by which the next pin set is behind",
            "SELECT max(0, (SELECT coalesce(max(pin_set), 0) FROM blocks) + 1 - coalesce((SELECT CAST(value AS INTEGER) FROM settings WHERE key='store.next_pin_set'), 1))"),
    ];

    /// <summary>What the store holds, in the model's terms.</summary>
    public CrashState Read()
    {
        using IndexConnection index = IndexConnection.Open($"{CrashWorld.DataPath}/index.db", world.Vfs, 1 << 20);
        using IndexReader reader = new(index);
        Dictionary<long, string> names = world.Store.GetPins().ToDictionary(pin => pin.Id.Value, pin => pin.Name);
        ILookup<long, string> sets = reader.Query("SELECT pin_set, pin FROM pin_sets", row => (Set: row.GetInt64(0), Pin: row.GetInt64(1)))
            .Where(member => names.ContainsKey(member.Pin)).ToLookup(member => member.Set, member => names[member.Pin]);
        List<(int Block, bool IsOwned, long Set)> blocks = reader.Query(
            "SELECT key, places, pin_set FROM blocks", row => (CrashCorpus.NumberOf(row.GetBlob(0)), (row.GetInt32(1) & 3) != 0, row.GetInt64(2)));
        return CrashState.Empty with
        {
            Pins = world.Store.GetPins().ToImmutableSortedDictionary(pin => pin.Name, pin => new CrashPin(pin.Kind, pin.Bytes), StringComparer.Ordinal),
            Blocks = blocks.ToImmutableSortedDictionary(
                block => block.Block, block => CrashBlock.New with { IsOwned = block.IsOwned, Pins = CrashBlock.New.Pins.Union(sets[block.Set]) }),
            Settings = reader.Query("SELECT key, value FROM settings WHERE key NOT LIKE 'store.%'", row => (row.GetText(0), row.GetText(1)))
                .ToImmutableSortedDictionary(setting => setting.Item1, setting => setting.Item2, StringComparer.Ordinal),
            Resumes = world.Store.GetResumes().ToImmutableSortedDictionary(
                resume => resume.Key, resume => (resume.PartPath, names.GetValueOrDefault(resume.Pin.Value, "?")), StringComparer.Ordinal),
        };
    }

    /// <summary>Checks what needs no model: the index is sound in itself, its counters are right, and every block file has its row.</summary>
    public void CheckInvariants(bool isSwept)
    {
        using IndexConnection index = IndexConnection.Open($"{CrashWorld.DataPath}/index.db", world.Vfs, 1 << 20);
        using IndexReader reader = new(index);
        string integrity = string.Join("; ", reader.Query("PRAGMA integrity_check", row => row.GetText(0)));
        Check(integrity == "ok", $"the index is damaged: {integrity}");
        Check(index.Scalar("PRAGMA auto_vacuum") == 2, "the index does not give space back");
        foreach ((string what, string sql) in Invariants)
        {
            long count = index.Scalar(sql);
            Check(count == 0, $"{what}: {count}");
        }
        HashSet<string> expected = [.. reader.Query("SELECT key FROM blocks WHERE places&2", row => world.Store.OwnedFiles.PathOf(row.GetBlob(0)))];
        List<string> files = [.. world.Disk.ListFiles($"{CrashWorld.DataPath}/blocks")];
        foreach (string path in expected)
            Check(files.Contains(path), $"a row points to {path}, which is not there");
        if (!isSwept)
            return;
        foreach (string path in files)
            Check(expected.Contains(path), $"{path} was not swept");
        foreach (string path in world.Disk.ListFiles($"{CrashWorld.DataPath}/tmp"))
            Check(Path.GetFileName(path).StartsWith("damaged-", StringComparison.Ordinal), $"{path} was not swept");
    }

    /// <summary>Writes the log back into the index, as SQLite does by itself when it has grown.</summary>
    public void Checkpoint()
    {
        using IndexConnection index = IndexConnection.Open($"{CrashWorld.DataPath}/index.db", world.Vfs, 1 << 20);
        index.Run("PRAGMA wal_checkpoint(PASSIVE)");
    }

    /// <summary>Where the index says that a block lies, for the message of a failure.</summary>
    public string DescribePlaces(int block)
    {
        using IndexConnection index = IndexConnection.Open($"{CrashWorld.DataPath}/index.db", world.Vfs, 1 << 20);
        using IndexReader reader = new(index);
        const string Sql =
            """
            WITH places(key, file, offset) AS (SELECT key, file, offset FROM blocks WHERE places&4 UNION ALL SELECT key, file, offset FROM sources)
            SELECT d.path || '/' || f.name || ' at ' || p.offset || ', state ' || f.state || ', ' || f.size || ' bytes'
            FROM places p JOIN files f ON f.id=p.file JOIN folders d ON d.id=f.folder WHERE p.key=?1
            """;
        return string.Join("; ", reader.Query(Sql, row => row.GetText(0), statement => statement.Bind(1, CrashCorpus.CidOf(block).MultihashSpan)));
    }

    /// <summary>Reads a block as its own user would: hashed. Null when it is not to be had.</summary>
    public byte[]? ReadBlock(int block, BlockReadPurpose purpose)
    {
        if (!world.Store.TryOpenBlock(CrashCorpus.CidOf(block), purpose, out StoredBlock opened))
            return null;
        using (opened)
        {
            byte[] data = new byte[opened.Length];
            for (int offset = 0; offset < data.Length;)
                offset += opened.Read(data.AsSpan(offset), offset);
            return data;
        }
    }

    private static void Check(bool condition, string failure)
    {
        if (!condition)
            throw new CrashFailureException(failure);
    }
}
