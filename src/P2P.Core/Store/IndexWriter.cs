using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Store;

/// <summary>
/// Owns the writing connection. One loop takes what is queued and commits it together, so that many small commits share one flush. A group that fails is
/// tried again one by one, so that one bad change does not take its neighbours with it.
/// </summary>
internal sealed class IndexWriter : IAsyncDisposable
{
    /// <summary>A group takes no further request beyond this many changes: a transaction then stays within some tens of milliseconds.</summary>
    private const int MaxGroupWeight = 8192;

    private readonly IndexConnection _connection;
    private readonly IndexEditor _editor;
    private readonly ILogger _logger;
    private readonly Channel<Request> _queue;
    private readonly Task _loop;
    private bool _isFlushing = true;

    /// <summary>Whether commits that were not flushed may be in the log; at first those of a process that was killed.</summary>
    private bool _owesFlush = true;

    /// <summary>Whether a flush may have failed. The system may then have dropped what it should have written, and say of the next flush that it succeeded.</summary>
    private bool _mustWriteBack;

    /// <summary>Whether nothing was committed yet: a flush may have failed in a process that ended before it could tell.</summary>
    private bool _isFresh = true;

    /// <summary>Whether a transaction could not be undone to the end: memory may say what the index does not.</summary>
    private bool _mustUndo;

    public IndexWriter(IndexConnection connection, IndexEditor editor, int maxQueued, ILogger logger)
    {
        (_connection, _editor, _logger) = (connection, editor, logger);
        _queue = Channel.CreateBounded<Request>(new BoundedChannelOptions(maxQueued) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Applies changes in a transaction. Cancelling ends the wait for room in the queue; what is queued will be applied.</summary>
    /// <param name="apply">Makes the changes; may run twice when a neighbour in the group fails.</param>
    /// <param name="weight">About how many rows it changes.</param>
    /// <param name="durability">What has happened when the task completes.</param>
    /// <param name="cancellationToken">Ends the wait for room in the queue.</param>
    public async Task ApplyAsync(Action<IndexEditor> apply, int weight, Durability durability, CancellationToken cancellationToken)
    {
        Request request = new(apply, weight, durability);
        try
        {
            await _queue.Writer.WriteAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException error)
        {
            throw new ObjectDisposedException("The store is closed.", error);
        }
        await request.Done.Task.ConfigureAwait(false);
    }

    /// <summary>Queues a change that nobody waits for. False: the queue is full or closed, and the change is not made.</summary>
    public bool TryApply(Action<IndexEditor> apply) => _queue.Writer.TryWrite(new Request(apply, 1, Durability.Visible));

    /// <summary>Applies what is queued, then closes the index.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        try
        {
            _editor.FinishRecord();
            _connection.Run("PRAGMA wal_checkpoint(TRUNCATE);");
        }
        catch (P2PException error)
        {
            // The log holds everything; the next start reads it, and brings the record of pins up to date.
            StoreLog.CheckpointFailed(_logger, error);
        }
        _editor.Dispose();
        _connection.Dispose();
    }

    private async Task RunAsync()
    {
        List<Request> group = [];
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            group.Clear();
            int weight = 0;
            while (weight < MaxGroupWeight && _queue.Reader.TryRead(out Request? request))
            {
                group.Add(request);
                weight += request.Weight;
            }
            if (TryCommit(group, out Exception? error))
                continue;
            if (group.Count == 1)
            {
                Fail(group[0], error!);
                continue;
            }
            foreach (Request request in group)
            {
                if (!TryCommit([request], out error))
                    Fail(request, error!);
            }
        }
    }

    private bool TryCommit(List<Request> group, out Exception? error)
    {
        try
        {
            if (_mustUndo)
                UndoNow();
            if (_mustWriteBack || _isFresh)
                WriteBack();
            bool isFlushed = group.Exists(request => request.Durability == Durability.Flushed);
            SetFlushing(isFlushed);
            _connection.Run("BEGIN IMMEDIATE");
            long before = _connection.TotalChanges;
            foreach (Request request in group)
                request.Apply(_editor);
            _editor.BeforeCommit(isFlushed);

            // A transaction that changes nothing flushes nothing, and what it relies on may be in a commit before it that was not flushed.
            bool isEmpty = _connection.TotalChanges == before;
            if (isEmpty && isFlushed && _owesFlush)
                _editor.WriteMark();
            Commit();
            _owesFlush = !isFlushed && (_owesFlush || !isEmpty);
        }
        catch (Exception failure)
        {
            // Whatever it is, even our own mistake: undo, tell the callers, keep writing for the others.
            error = failure;
            Undo();
            return false;
        }
        error = null;
        Tell();
        foreach (Request request in group)
            request.Done.TrySetResult();
        return true;
    }

    /// <summary>Makes a commit known. It has happened whatever goes wrong here, and the loop goes on.</summary>
    private void Tell()
    {
        try
        {
            _editor.Committed();
            if (!_editor.HasFilesToRemove)
                return;
            if (_owesFlush)
                Flush();
            _editor.RemoveFiles();
        }
        catch (Exception error)
        {
            StoreLog.AfterCommitFailed(_logger, error);
            Undo();
        }
    }

    /// <summary>Flushes the commits that were not: before a file goes, the row that spoke of it has to be gone for good.</summary>
    private void Flush()
    {
        SetFlushing(true);
        _connection.Run("BEGIN IMMEDIATE");
        _editor.WriteMark();
        Commit();
        _owesFlush = false;
    }

    private void Commit()
    {
        try
        {
            _connection.Run("COMMIT");
        }
        catch (P2PException error)
        {
            // A full disk says so when it is written to, before any flush.
            _mustWriteBack |= error.Code != P2PErrorCode.NoSpace;
            throw;
        }
    }

    /// <summary>
    /// Writes the whole log, which can still be read, into the index and flushes that: nothing relies any more on what may be missing from the log on the disk.
    /// Until this succeeds nothing is committed.
    /// </summary>
    private void WriteBack()
    {
        try
        {
            bool isBusy = _connection.Scalar("PRAGMA wal_checkpoint(TRUNCATE)") != 0;
            if (isBusy && _mustWriteBack)
                throw new P2PException(P2PErrorCode.InUse, "The index could not be written back after a flush of it had failed: somebody reads it.") { IsTransient = true };
        }
        catch (P2PException error) when (error.Code == P2PErrorCode.NoSpace && !_mustWriteBack)
        {
            // As a precaution alone it must not keep anybody from making room by collecting.
        }
        (_mustWriteBack, _isFresh) = (false, false);
    }

    private void SetFlushing(bool flush)
    {
        if (flush == _isFlushing)
            return;
        _connection.Run(flush ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
        _isFlushing = flush;
    }

    private void Undo()
    {
        try
        {
            UndoNow();
        }
        catch (P2PException error)
        {
            // Tried again before the next change: to go on with memory that is wrong would write what is wrong.
            StoreLog.RollbackFailed(_logger, error);
        }
    }

    private void UndoNow()
    {
        _mustUndo = true;
        if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) == 0)
            _connection.Run("ROLLBACK");
        _editor.Reload();
        _mustUndo = false;
    }

    private void Fail(Request request, Exception error)
    {
        StoreLog.CommitFailed(_logger, error);
        request.Done.TrySetException(error);

        // Nobody may wait for it (TryApply): the line above is then where it is told.
        _ = request.Done.Task.Exception;
    }

    private sealed class Request(Action<IndexEditor> apply, int weight, Durability durability)
    {
        public Action<IndexEditor> Apply { get; } = apply;

        public int Weight { get; } = weight;

        public Durability Durability { get; } = durability;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
