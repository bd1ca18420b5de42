using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>A connection that reads the index, with its statements prepared. Used by one thread at a time.</summary>
internal sealed class IndexReader : IDisposable
{
    private readonly IndexConnection _connection;
    private readonly IndexStatement _block;
    private readonly IndexStatement _blob;
    private readonly IndexStatement _sources;
    private readonly IndexStatement _file;
    private readonly IndexStatement _fileByName;

    public IndexReader(IndexConnection connection)
    {
        _connection = connection;
        connection.Run("PRAGMA query_only=1;");
        _block = connection.Prepare(BlockSql);
        _blob = connection.Prepare("SELECT data FROM blobs WHERE id=?1");
        _sources = connection.Prepare("SELECT file, offset FROM sources WHERE key=?1");
        _file = connection.Prepare(
            "SELECT d.path, f.name, f.size, f.modified_ns, f.inode, f.device, f.checked_ns, f.state, f.root, f.share_key FROM files f JOIN folders d ON d.id=f.folder WHERE f.id=?1");
        _fileByName = connection.Prepare(
            "SELECT f.id, f.size, f.modified_ns, f.inode, f.device, f.root, f.checked_ns FROM folders d JOIN files f ON f.folder=d.id " +
            "WHERE d.path=?1 AND f.name=?2 AND f.state=0 AND f.share_key=?3 AND f.layout=?4");
    }

    /// <summary>Opens the index for reading.</summary>
    public static IndexReader Open(string path, StoreOptions options)
    {
        IndexConnection connection = IndexConnection.Open(path, options.Vfs, options.ReaderCacheBytes);
        try
        {
            return new IndexReader(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Finds a block; the writer uses the same.</summary>
    public const string BlockSql = "SELECT size, places, pin_set, file, offset, blob FROM blocks WHERE key=?1";

    /// <summary>Reads a row of blocks. A damaged database may hold any number there, and the size becomes an allocation.</summary>
    public static BlockRow ReadBlock(IndexStatement statement)
    {
        (long size, long offset) = (statement.GetInt64(0), statement.GetInt64(4));
        if (size is < 0 or > BlockVerification.MaxBlockBytes || offset < 0)
        {
            statement.Reset();
            throw new P2PException(P2PErrorCode.Store, $"The index is damaged: it speaks of a block of {size} bytes at {offset}.");
        }
        return new BlockRow((int)size, (BlockPlaces)unchecked((int)statement.GetInt64(1)), statement.GetInt64(2), statement.GetInt64(3), offset, statement.GetInt64(5));
    }

    public bool TryFind(ReadOnlySpan<byte> key, out BlockRow row)
    {
        if (!_block.Bind(1, key).Step())
        {
            row = default;
            return false;
        }
        row = ReadBlock(_block);
        _block.Reset();
        return true;
    }

    /// <summary>Copies an inline block. False: it is gone, or not as long as it should be.</summary>
    public bool TryReadBlob(long id, Span<byte> destination)
    {
        if (!_blob.Bind(1, id).Step())
            return false;
        ReadOnlySpan<byte> data = _blob.GetBlob(0);
        bool fits = data.Length == destination.Length;
        if (fits)
            data.CopyTo(destination);
        _blob.Reset();
        return fits;
    }

    public List<SourcePlace> FindSources(ReadOnlySpan<byte> key)
    {
        List<SourcePlace> places = [];
        _sources.Bind(1, key);
        while (_sources.Step())
        {
            // A negative offset is damage, and no place.
            if (_sources.GetInt64(1) is >= 0 and var offset)
                places.Add(new SourcePlace(_sources.GetInt64(0), offset));
        }
        return places;
    }

    public SourceRow? FindFile(long id)
    {
        if (!_file.Bind(1, id).Step())
            return null;
        SourceRow row = new(
            id,
            Path.Combine(_file.GetText(0), _file.GetText(1)),
            new FileIdentity(_file.GetInt64(2), _file.GetInt64(3), (ulong)_file.GetInt64(4), (ulong)_file.GetInt64(5)),
            _file.GetInt64(6),
            (SourceState)_file.GetInt32(7),
            _file.IsNull(8) ? null : _file.GetBlob(8).ToArray())
        {
            ShareKey = _file.GetInt64(9),
        };
        _file.Reset();
        return row;
    }

    /// <summary>Finds the sound file of that path and identity, imported with that key or none and cut by that layout.</summary>
    public bool TryFindFile(string folder, string name, in FileIdentity identity, long shareKey, int layout, out long id, out byte[]? root, out long checkedNs)
    {
        (id, root, checkedNs) = (0, null, 0);
        _fileByName.Bind(1, folder).Bind(2, name).Bind(3, shareKey).Bind(4, layout);
        while (_fileByName.Step())
        {
            FileIdentity found = new(_fileByName.GetInt64(1), _fileByName.GetInt64(2), (ulong)_fileByName.GetInt64(3), (ulong)_fileByName.GetInt64(4));
            if (found != identity)
                continue;
            id = _fileByName.GetInt64(0);
            root = _fileByName.IsNull(5) ? null : _fileByName.GetBlob(5).ToArray();
            checkedNs = _fileByName.GetInt64(6);
            _fileByName.Reset();
            return true;
        }
        return false;
    }

    /// <summary>Runs a query that is asked too seldom to stay prepared.</summary>
    public List<T> Query<T>(string sql, Func<IndexStatement, T> read, Action<IndexStatement>? bind = null)
    {
        List<T> rows = [];
        ForEach(sql, bind, row => rows.Add(read(row)));
        return rows;
    }

    /// <summary>Runs a query that is asked too seldom to stay prepared, row by row.</summary>
    public void ForEach(string sql, Action<IndexStatement>? bind, Action<IndexStatement> onRow)
    {
        using IndexStatement statement = _connection.Prepare(sql);
        bind?.Invoke(statement);
        while (statement.Step())
            onRow(statement);
    }

    public void Dispose()
    {
        _block.Dispose();
        _blob.Dispose();
        _sources.Dispose();
        _file.Dispose();
        _fileByName.Dispose();
        _connection.Dispose();
    }
}
