using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>One file of a DAG as a seekable stream: fetches what is read and a little ahead, every byte verified before it is returned.</summary>
/// <remarks>
/// One reader at a time, like any stream; it may be disposed at any moment, also while it reads. How far it loads ahead follows the reader, see
/// <see cref="ReadAhead"/>: at most <see cref="ReadAhead.MaxBytes"/> besides the block that is being read. Disposing it ends what is loaded ahead; the source stays open.
/// </remarks>
internal sealed class VerifiedStream : Stream
{
    /// <summary>A node of the walk may itself hold bytes of the file (bytes), so the window bounds them too: leaves of the older profile.</summary>
    private const int NodeBytes = 256 << 10;

    private readonly NodeLoader _loader;
    private readonly FileNode _root;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _turn = new(1, 1); // guards everything below but _position: a read and the end of the stream may meet
    private readonly Queue<Piece> _ahead = new();
    private readonly ReadAhead _window = new();
    private FileWalk? _walk;
    private CancellationTokenSource? _walkStop;
    private Task<bool>? _move; // the step of the walk that is under way
    private Piece? _current;
    private bool _walkHasEnded;
    private long _aheadBytes;
    private long _asked; // bytes behind the current piece that the read under way has room for
    private long _position;
    private int _isDisposed;

    /// <summary>Opens a file whose root is loaded.</summary>
    public VerifiedStream(NodeLoader loader, FileNode root)
    {
        _loader = loader;
        _root = root;
    }

    /// <summary>What lives as long as this stream, the session it reads from: disposed with it. Null: the source is somebody else's.</summary>
    public IAsyncDisposable? Owner { get; set; }

    /// <inheritdoc/>
    public override bool CanRead => !IsDisposed;

    /// <inheritdoc/>
    public override bool CanSeek => !IsDisposed;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => _root.Bytes;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <summary>How many bytes behind the current piece are to be loaded: what the reader has earned, and what it asks for anyway.</summary>
    private long Reach => Math.Max(_window.Bytes, Math.Min(_asked, ReadAhead.MaxBytes));

    private int NodesAhead => 1 + (int)(Reach / NodeBytes);

    private bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => checked(_position + offset),
        SeekOrigin.End => checked(Length + offset),
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    /// <inheritdoc/>
    /// <exception cref="P2PException">Nobody has the block, or the content is malformed.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (buffer.IsEmpty || _position >= Length)
            return 0;
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return await ReadHereAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException left) when (IsDisposed && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException("The stream was disposed while it was read.", left);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Reads and blocks the caller's thread meanwhile, as those who read synchronously ask for. Prefer <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>.</summary>
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException("Shared content cannot be changed.");

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Shared content cannot be changed.");

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            await EndAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0)
            _ = EndAsync(); // gives buffers back once their loads have ended; nothing waits for it
        base.Dispose(disposing);
    }

    private async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false); // a read that waits ends and lets go of the turn
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            await DropAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }

        _stop.Dispose();
        if (Owner is { } owner)
            await owner.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<int> ReadHereAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        long position = _position;
        _asked = Math.Min(buffer.Length, Length - position);
        Piece piece = await PieceAtAsync(position, cancellationToken).ConfigureAwait(false);
        _asked -= piece.Offset + piece.Length - position;
        ReadOnlyMemory<byte> bytes;
        try
        {
            if (!piece.IsReady)
                _loader.Source.Hurry(piece.Leaf);
            FillAhead();
            while (!piece.IsReady)
                await WaitAsync(piece, cancellationToken).ConfigureAwait(false);
            bytes = await piece.BytesAsync().ConfigureAwait(false);
        }
        catch (P2PException)
        {
            await DropAsync().ConfigureAwait(false); // the next read asks anew
            throw;
        }

        int from = (int)(position - piece.Offset);
        int count = Math.Min(bytes.Length - from, buffer.Length);
        bytes.Slice(from, count).CopyTo(buffer);
        _position = position + count;
        if (_window.OnRead(count, piece.Length))
            FillAhead();
        return count;
    }

    /// <summary>Waits for the piece; meanwhile the walk goes on, as far as the window reaches.</summary>
    private async ValueTask WaitAsync(Piece piece, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        Task any = _move is { IsCompleted: false } move ? Task.WhenAny(piece.Load, move) : piece.Load;
        await any.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        either.Token.ThrowIfCancellationRequested();
        FillAhead();
    }

    private async ValueTask<Piece> PieceAtAsync(long position, CancellationToken cancellationToken)
    {
        if (_current is { } here && here.Holds(position))
            return here;

        bool goesOn = _current is { } last && position == last.Offset + last.Length;
        if (_current is { } done)
            await done.DisposeAsync().ConfigureAwait(false);
        _current = null;
        while (_ahead.TryPeek(out Piece? next) && next.Offset < position && !next.Holds(position) && _ahead.Any(piece => piece.Holds(position)))
            await DequeueAhead().DisposeAsync().ConfigureAwait(false); // jumped forward within what is loaded

        // what failed while nobody waited for it is asked for anew
        if (_ahead.TryPeek(out Piece? first) && first.Holds(position) && !first.HasFailed)
        {
            if (goesOn)
                _window.OnNext(first.IsReady, _ahead.All(static piece => piece.IsReady));
            return _current = DequeueAhead();
        }

        if (goesOn)
            _window.OnNext(isReady: false, isAllReady: false);
        else
            _window.OnJump();
        if (_walk is null || !goesOn || _ahead.Count > 0 || _move is { IsFaulted: true })
            await BeginWalkAsync(position).ConfigureAwait(false);
        try
        {
            while (!_walkHasEnded && !TryEnqueue())
                await MoveAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException)
        {
            await DropAsync().ConfigureAwait(false);
            throw;
        }

        if (_ahead.Count == 0)
            throw new P2PException(P2PErrorCode.Integrity, $"The content is malformed: it ends before byte {position} of {Length}.");
        return _current = DequeueAhead();
    }

    private Piece DequeueAhead()
    {
        Piece piece = _ahead.Dequeue();
        _aheadBytes -= piece.Length;
        return piece;
    }

    private async ValueTask BeginWalkAsync(long position)
    {
        await DropAsync().ConfigureAwait(false);
        _walkStop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _walk = new FileWalk(_loader, _root, position, _walkStop.Token, NodesAhead);
        _walkHasEnded = false;
    }

    /// <summary>Starts loads as far as the window reaches and the walk has come; never waits.</summary>
    private void FillAhead()
    {
        if (_walk is not null)
            _walk.NodesAhead = NodesAhead;
        while (!_walkHasEnded && _aheadBytes < Reach && TryEnqueue())
        {
            // as much as the reader has earned
        }
    }

    /// <summary>Takes the walk's next piece and starts its load. False: the walk is not there yet, or has ended. One that failed says so when its piece is needed.</summary>
    private bool TryEnqueue()
    {
        if (_walk is null || _walkHasEnded)
            return false;
        _move ??= _walk.MoveNextAsync().AsTask();
        if (!_move.IsCompletedSuccessfully)
            return false;
        Task<bool> moved = _move;
        _move = null;
        _walkHasEnded = !moved.GetAwaiter().GetResult();
        if (_walkHasEnded)
            return false;
        var piece = new Piece(_walk.Current, _loader.Source, _stop.Token);
        _ahead.Enqueue(piece);
        _aheadBytes += piece.Length;
        return true;
    }

    /// <summary>Waits for the step of the walk that is under way; it outlives a cancelled read.</summary>
    private async ValueTask MoveAsync(CancellationToken cancellationToken)
    {
        if (_move is not { } move)
            return;
        await ((Task)move).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (!move.IsCompletedSuccessfully)
            await move.ConfigureAwait(false); // throws
    }

    private async Task DropAsync()
    {
        if (_current is { } current)
            await current.DisposeAsync().ConfigureAwait(false);
        _current = null;
        while (_ahead.Count > 0)
            await DequeueAhead().DisposeAsync().ConfigureAwait(false);
        if (_walk is not { } walk)
            return;
        _walk = null;
        await _walkStop!.CancelAsync().ConfigureAwait(false);
        if (_move is { } move)
            await ((Task)move).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _move = null;
        await walk.DisposeAsync().ConfigureAwait(false);
        _walkStop.Dispose();
    }

    /// <summary>A stretch of the file that is loaded or being loaded.</summary>
    private sealed class Piece : IAsyncDisposable
    {
        private readonly Task<BlockBuffer>? _load;
        private readonly FileSegment _segment;
        private readonly CancellationTokenSource? _stop;

        public Piece(FileSegment segment, IBlockSource source, CancellationToken cancellationToken)
        {
            _segment = segment;
            if (segment.Leaf.IsEmpty)
                return;
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _load = source.GetAheadAsync(segment.Leaf, segment.Length, _stop.Token).AsTask();
        }

        public long Offset => _segment.Offset;

        public int Length => _segment.Length;

        public Cid Leaf => _segment.Leaf;

        public Task Load => _load ?? Task.CompletedTask;

        public bool IsReady => Load.IsCompleted;

        public bool HasFailed => Load.IsFaulted || Load.IsCanceled;

        public bool Holds(long position) => position >= Offset && position < Offset + Length;

        /// <summary>Its bytes, once it is ready.</summary>
        public async ValueTask<ReadOnlyMemory<byte>> BytesAsync()
        {
            if (_load is null)
                return _segment.Known;
            BlockBuffer block = await _load.ConfigureAwait(false);
            if (block.Length != Length)
                throw ContentFault.Contradiction(_segment.Leaf, $"has {block.Length} bytes where its parent claims {Length}");
            return block.Memory;
        }

        public async ValueTask DisposeAsync()
        {
            if (_load is null)
                return;
            await _stop!.CancelAsync().ConfigureAwait(false);
            await ((Task)_load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // whoever wanted it has gone on
            if (_load.IsCompletedSuccessfully)
                (await _load.ConfigureAwait(false)).Dispose();
            _stop.Dispose();
        }
    }
}
