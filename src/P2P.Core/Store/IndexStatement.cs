using SQLitePCL;

namespace P2P.Core.Store;

/// <summary>
/// A prepared statement of one connection, used again and again. It goes to SQLite directly because a command object with parameters per call would
/// cost more than the look-up itself. Not thread-safe: its connection's owner uses it.
/// </summary>
internal sealed class IndexStatement : IDisposable
{
    private readonly IndexConnection _connection;
    private readonly sqlite3_stmt _statement;

    public IndexStatement(IndexConnection connection, string sql)
    {
        _connection = connection;
        int code = raw.sqlite3_prepare_v3(connection.Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement);
        connection.Check(code);
    }

    public IndexStatement Bind(int index, long value)
    {
        _connection.Check(raw.sqlite3_bind_int64(_statement, index, value));
        return this;
    }

    public IndexStatement Bind(int index, string? value)
    {
        _connection.Check(value is null ? raw.sqlite3_bind_null(_statement, index) : raw.sqlite3_bind_text(_statement, index, value));
        return this;
    }

    /// <summary>Binds bytes, copied by SQLite. No bytes are an empty blob, not NULL.</summary>
    public IndexStatement Bind(int index, ReadOnlySpan<byte> value)
    {
        _connection.Check(value.IsEmpty ? raw.sqlite3_bind_zeroblob(_statement, index, 0) : raw.sqlite3_bind_blob(_statement, index, value));
        return this;
    }

    /// <summary>Goes to the next row. Without one the statement is ready for its next use; after a row the caller goes on or calls <see cref="Reset"/>.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code != raw.SQLITE_DONE)
        {
            P2PException failure = _connection.Failure(code);
            _ = raw.sqlite3_reset(_statement);
            throw failure;
        }
        _ = raw.sqlite3_reset(_statement);
        return false;
    }

    /// <summary>Runs a statement that returns no rows.</summary>
    public void Run()
    {
        if (Step())
            Reset();
    }

    public void Reset() => _ = raw.sqlite3_reset(_statement);

    public long GetInt64(int column) => raw.sqlite3_column_int64(_statement, column);

    /// <summary>A number that the index keeps small; a damaged one may hold any.</summary>
    public int GetInt32(int column)
    {
        long value = GetInt64(column);
        if (value is >= int.MinValue and <= int.MaxValue)
            return (int)value;
        Reset();
        throw new P2PException(P2PErrorCode.Store, $"The index is damaged: it holds the number {value} where none such can be.");
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    /// <summary>The bytes of a column, valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> GetBlob(int column) => raw.sqlite3_column_blob(_statement, column);

    public string GetText(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? "";

    public void Dispose()
    {
        _statement.Dispose();
        _connection.Forget(this);
    }
}
