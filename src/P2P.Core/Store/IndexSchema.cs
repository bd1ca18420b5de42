namespace P2P.Core.Store;

/// <summary>
/// The tables of the index.
/// <para>A block's row holds its first place, so that nearly every look-up ends in one row: most blocks have one place. More places are in `sources`.</para>
/// <para>A block belongs to a *pin set*, a number for "these pins together"; `pin_sets` says which pins they are. So a million blocks join a share by the
/// column that they have anyway, a share ends by deleting its few rows in `pin_sets`, and whether a block is kept or served is a question about its set.</para>
/// <para>Folders are rows of their own, so that the rename of a folder touches its folders and not its files.</para>
/// </summary>
internal static class IndexSchema
{
    public const int Version = 4;

    /// <summary>How many tables there are.</summary>
    private const int TableCount = 15;

    /// <summary>"p2pf": tells other programs whose database this is.</summary>
    private const int ApplicationId = 0x70327066;

    private const string Leases =
        """

        CREATE TABLE leases(                     -- what others asked to be kept here
            publisher BLOB NOT NULL, run_key BLOB NOT NULL,
            pin INTEGER NOT NULL,                -- 0: it has ended, and the row says up to which statement
            origin INTEGER NOT NULL,             -- 0: a friend's; else the stranger's network
            envelope BLOB NOT NULL,              -- the signed statement
            keep_until INTEGER NOT NULL,         -- seconds since 1970
            entries BLOB NOT NULL,               -- the blocks, in the order of the statement
            PRIMARY KEY(publisher, run_key)
        );
        CREATE INDEX leases_by_pin ON leases(pin);
        CREATE TABLE receipts(                   -- what others said they keep for this node
            root BLOB NOT NULL, run_key BLOB NOT NULL, holder BLOB NOT NULL,
            addresses TEXT NOT NULL,             -- of the holder, a line each
            envelope BLOB NOT NULL,              -- the signed statement
            PRIMARY KEY(root, run_key, holder)
        ) WITHOUT ROWID;
        """;

    private const string Provides =
        """

        CREATE TABLE provides(                   -- what is announced in the DHT, in the order of its keyspace
            place INTEGER NOT NULL,              -- the first 64 bits there, the first bit flipped: so signed numbers have that order
            key BLOB NOT NULL,                   -- the multihash
            new_for INTEGER NOT NULL,            -- networks that were never told, a bit each
            PRIMARY KEY(place, key)
        ) WITHOUT ROWID;
        CREATE INDEX provides_new ON provides(place) WHERE new_for<>0;
        CREATE TABLE provided_pins(              -- whose blocks are in provides
            pin INTEGER PRIMARY KEY
        );
        """;

    private const string Tables =
        """
        CREATE TABLE blocks(
            key BLOB NOT NULL PRIMARY KEY,       -- the multihash
            size INTEGER NOT NULL,
            places INTEGER NOT NULL,             -- BlockPlaces
            pin_set INTEGER NOT NULL,            -- 0: no pin
            file INTEGER NOT NULL,               -- first source, with places & Source
            offset INTEGER NOT NULL,
            blob INTEGER NOT NULL                -- with places & Inline
        ) WITHOUT ROWID;
        CREATE TABLE blobs(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE sources(
            key BLOB NOT NULL, file INTEGER NOT NULL, offset INTEGER NOT NULL,
            PRIMARY KEY(key, file, offset)
        ) WITHOUT ROWID;
        CREATE TABLE folders(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
        CREATE TABLE files(
            id INTEGER PRIMARY KEY,
            folder INTEGER NOT NULL,
            name TEXT NOT NULL,
            size INTEGER NOT NULL,
            modified_ns INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            device INTEGER NOT NULL,
            checked_ns INTEGER NOT NULL,         -- when the identity was taken
            state INTEGER NOT NULL,              -- SourceState
            layout INTEGER NOT NULL DEFAULT 0,   -- by which rules it was cut into blocks
            share_key INTEGER NOT NULL DEFAULT 0, -- the key that its blocks are sealed with; 0: none, they are the file's own bytes
            root BLOB                            -- the CID of the whole file, once it was imported to the end
        );
        CREATE TABLE share_keys(id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL UNIQUE);   -- never a key in clear
        CREATE INDEX files_by_name ON files(folder, name);
        CREATE INDEX files_in_doubt ON files(state) WHERE state <> 0;
        CREATE TABLE pins(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind INTEGER NOT NULL,               -- PinKind
            root BLOB NOT NULL,
            name TEXT NOT NULL,
            path TEXT,
            allowed BLOB NOT NULL,               -- peer ids, each behind its length
            bytes INTEGER NOT NULL,
            blocks INTEGER NOT NULL,
            wrapped_key BLOB NOT NULL,
            created_ms INTEGER NOT NULL,
            hints BLOB NOT NULL DEFAULT x''      -- who may have the content, for when a block is lost
        );
        CREATE TABLE pin_sets(pin_set INTEGER NOT NULL, pin INTEGER NOT NULL, PRIMARY KEY(pin_set, pin)) WITHOUT ROWID;
        CREATE TABLE resumes(key TEXT NOT NULL PRIMARY KEY, root BLOB NOT NULL, target TEXT NOT NULL, part TEXT NOT NULL, pin INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE settings(key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE usage(
            pin_set INTEGER NOT NULL, standing INTEGER NOT NULL,   -- BlockStanding
            blocks INTEGER NOT NULL, bytes INTEGER NOT NULL,
            PRIMARY KEY(pin_set, standing)
        ) WITHOUT ROWID;
        """ + Leases + Provides;

    /// <summary>What version 1 lacks.</summary>
    private const string Migration1To2 =
        """
        ALTER TABLE files ADD COLUMN layout INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE files ADD COLUMN share_key INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE share_keys(id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL UNIQUE);
        ALTER TABLE pins ADD COLUMN hints BLOB NOT NULL DEFAULT x'';
        CREATE TABLE usage(
            pin_set INTEGER NOT NULL, standing INTEGER NOT NULL, blocks INTEGER NOT NULL, bytes INTEGER NOT NULL,
            PRIMARY KEY(pin_set, standing)
        ) WITHOUT ROWID;
        INSERT INTO usage(pin_set, standing, blocks, bytes)
            SELECT pin_set, CASE WHEN places & 1 THEN 2 WHEN places & 2 THEN 3 WHEN places & 12 THEN 1 ELSE 0 END AS standing, count(*), sum(size) FROM blocks GROUP BY 1, 2;
        """;

    /// <summary>What version 2 lacks. Its held pins said nothing of their blocks; whoever asked for them finds them missing and offers them again.</summary>
    private const string Migration2To3 =
        """
        DELETE FROM pin_sets WHERE pin IN (SELECT id FROM pins WHERE kind=5);
        DELETE FROM pins WHERE kind=5;
        """ + Leases;

    /// <summary>Sets the connection up as the writer, creates what is missing, refuses what is newer.</summary>
    public static void Prepare(IndexConnection writer, string path)
    {
        long version = writer.Scalar("PRAGMA user_version");
        if (version == Version && writer.Scalar("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name IN ('blocks', 'blobs', 'sources', 'folders', 'files', 'share_keys', 'pins', 'pin_sets', 'resumes', 'settings', 'usage', 'leases', 'receipts', 'provides', 'provided_pins')") != TableCount)
            throw StoreFailure.DamagedIndex(path, "tables are missing");
        if (version > Version)
        {
            throw new P2PException(
                P2PErrorCode.Store,
                $"The index {path} was written by a newer version of this program (format {version}, this one knows {Version}). Nothing was changed. " +
                "Use the newer program, or choose another data folder.");
        }

        // Space of deleted rows goes back in slices; has to be said before the first table.
        if (version == 0)
            writer.Run("PRAGMA auto_vacuum=INCREMENTAL;");
        writer.Run("PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=4194304; PRAGMA wal_autocheckpoint=1000; PRAGMA synchronous=FULL;");
        if (version == Version)
            return;
        string changes = version switch
        {
            0 => $"PRAGMA application_id={ApplicationId}; {Tables}",
            1 => Migration1To2 + Migration2To3 + Provides,
            2 => Migration2To3 + Provides,
            _ => Provides,
        };
        writer.Run($"BEGIN IMMEDIATE; {changes} PRAGMA user_version={Version}; COMMIT;");
    }
}
