using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace P2P.Core.Store;

/// <summary>One connection to the index with its settings. Used by one thread at a time.</summary>
internal sealed class IndexConnection : IDisposable
{
    /// <summary>How long SQLite waits for a lock (milliseconds). Only a recovery or a foreign program can hold one: we have a single writer.</summary>
    private const int BusyTimeoutMs = 5000;

    private readonly SqliteConnection _connection;
    private readonly string _path;

    /// <summary>Statements that are not disposed: a connection stays open as long as one is, and who made them may have failed half-way.</summary>
    private readonly HashSet<IndexStatement> _statements = [];

    private IndexConnection(SqliteConnection connection, string path)
    {
        _connection = connection;
        _path = path;
        Handle = connection.Handle ?? throw new InvalidOperationException("The connection is closed.");
    }

    public sqlite3 Handle { get; }

    /// <summary>The row id of the last insert.</summary>
    public long LastInsertId => raw.sqlite3_last_insert_rowid(Handle);

    /// <summary>How many rows were changed since the connection was opened.</summary>
    public long TotalChanges => raw.sqlite3_total_changes(Handle);

    /// <summary>Opens the index.</summary>
    /// <param name="path">The database file; it exists.</param>
    /// <param name="vfs">The file layer of SQLite to use; null for the system's.</param>
    /// <param name="cacheBytes">How much of the index this connection caches.</param>
    public static IndexConnection Open(string path, string? vfs, int cacheBytes)
    {
        SqliteConnectionStringBuilder settings = new()
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Cache = SqliteCacheMode.Private,
            Pooling = false,
        };
        if (vfs is not null)
            settings.Vfs = vfs;
        SqliteConnection connection = new(settings.ConnectionString);
        try
        {
            connection.Open();
            _ = raw.sqlite3_extended_result_codes(connection.Handle, 1);
            IndexConnection opened = new(connection, path);
            opened.Run(string.Create(
                CultureInfo.InvariantCulture, $"PRAGMA busy_timeout={BusyTimeoutMs}; PRAGMA cache_size=-{cacheBytes / 1024}; PRAGMA temp_store=MEMORY;"));
            return opened;
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw StoreFailure.FromIndex(error.SqliteExtendedErrorCode, error.Message, path, error);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public IndexStatement Prepare(string sql)
    {
        IndexStatement statement = new(this, sql);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>A statement is disposed.</summary>
    public void Forget(IndexStatement statement) => _statements.Remove(statement);

    /// <summary>Runs statements whose rows do not matter.</summary>
    public void Run(string sql)
    {
        int code = raw.sqlite3_exec(Handle, sql);
        if (code != raw.SQLITE_OK)
            throw Failure(code);
    }

    /// <summary>Runs a query for a single number.</summary>
    public long Scalar(string sql)
    {
        using IndexStatement statement = Prepare(sql);
        if (!statement.Step())
            return 0;
        long value = statement.GetInt64(0);
        statement.Reset();
        return value;
    }

    public void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw Failure(code);
    }

    public P2PException Failure(int code) =>
        StoreFailure.FromIndex(raw.sqlite3_extended_errcode(Handle) is var extended and not raw.SQLITE_OK ? extended : code, raw.sqlite3_errmsg(Handle).utf8_to_string(), _path);

    public void Dispose()
    {
        foreach (IndexStatement statement in _statements.ToArray())
            statement.Dispose();
        _connection.Dispose();
    }
}
