using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>One file of a DAG as a seekable stream: fetches what is read and a little ahead, every byte verified before it is returned.</summary>
/// <remarks>Not thread-safe, like any stream. It reads ahead one block at first and twice as many after each block that was read to its end, so a
/// player that jumps wastes little and one that goes on is not kept waiting. Disposing it ends what is loaded ahead; the source stays open.</remarks>
internal sealed class VerifiedStream : Stream
{
    // 16 blocks of 1 MiB: 1 Gbit/s at 130 ms a round trip, and no more memory than a small fetch
    private const int MaxAhead = 16;

    private readonly NodeLoader _loader;
    private readonly FileNode _root;
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<Piece> _ahead = new();
    private FileWalk? _walk;
    private CancellationTokenSource? _walkStop;
    private Task<bool>? _move; // a step of the walk that outlived a cancelled read
    private Piece? _current;
    private int _aheadTarget = 1;
    private long _position;
    private bool _disposed;

    /// <summary>Opens a file whose root is loaded.</summary>
    public VerifiedStream(NodeLoader loader, FileNode root)
    {
        _loader = loader;
        _root = root;
    }

    /// <summary>What lives as long as this stream, the session it reads from: disposed with it. Null: the source is somebody else's.</summary>
    public IAsyncDisposable? Owner { get; set; }

    /// <inheritdoc/>
    public override bool CanRead => !_disposed;

    /// <inheritdoc/>
    public override bool CanSeek => !_disposed;

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
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (buffer.IsEmpty || _position >= Length)
            return 0;
        Piece piece = await PieceAtPositionAsync(cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<byte> bytes;
        try
        {
            bytes = await piece.BytesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException)
        {
            await DropAsync().ConfigureAwait(false); // the next read asks anew
            throw;
        }

        int from = (int)(_position - piece.Offset);
        int count = Math.Min(bytes.Length - from, buffer.Length);
        bytes.Slice(from, count).CopyTo(buffer);
        _position += count;
        return count;
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
        if (!_disposed)
        {
            _disposed = true;
            await _stop.CancelAsync().ConfigureAwait(false);
            await DropAsync().ConfigureAwait(false);
            _stop.Dispose();
            if (Owner is { } owner)
                await owner.DisposeAsync().ConfigureAwait(false);
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _stop.Cancel();
            _ = EndAsync(); // only gives buffers back once their loads have ended; nothing waits for it
        }

        base.Dispose(disposing);
    }

    private async Task EndAsync()
    {
        await DropAsync().ConfigureAwait(false);
        if (Owner is { } owner)
            await owner.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<Piece> PieceAtPositionAsync(CancellationToken cancellationToken)
    {
        if (_current is { } here && here.Holds(_position))
            return here;

        bool goesOn = _current is { } last && _position == last.Offset + last.Length;
        if (_current is { } done)
            await done.DisposeAsync().ConfigureAwait(false);
        _current = null;
        if (goesOn)
            _aheadTarget = Math.Min(_aheadTarget * 2, MaxAhead);
        while (_ahead.TryPeek(out Piece? next) && !next.Holds(_position) && next.Offset < _position && _ahead.Any(piece => piece.Holds(_position)))
            await _ahead.Dequeue().DisposeAsync().ConfigureAwait(false); // jumped forward within what is loaded

        if (_walk is null || !_ahead.TryPeek(out Piece? first) || !first.Holds(_position))
        {
            await DropAsync().ConfigureAwait(false);
            if (!goesOn)
                _aheadTarget = 1;
            _walkStop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            _walk = new FileWalk(_loader, _root, _position, _walkStop.Token);
            await LoadOneAsync(cancellationToken).ConfigureAwait(false);
        }

        _current = _ahead.Dequeue();
        while (_ahead.Count < _aheadTarget && await LoadOneAsync(cancellationToken).ConfigureAwait(false))
        {
            // as many as the reader has earned
        }

        return _current;
    }

    private async ValueTask<bool> LoadOneAsync(CancellationToken cancellationToken)
    {
        _move ??= _walk!.MoveNextAsync().AsTask();
        await ((Task)_move).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        Task<bool> moved = _move;
        _move = null;
        if (!await moved.ConfigureAwait(false))
            return false;
        _ahead.Enqueue(new Piece(_walk!.Current, _loader.Source, _stop.Token));
        return true;
    }

    private async Task DropAsync()
    {
        if (_current is { } current)
            await current.DisposeAsync().ConfigureAwait(false);
        _current = null;
        while (_ahead.TryDequeue(out Piece? piece))
            await piece.DisposeAsync().ConfigureAwait(false);
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
        private readonly ReadOnlyMemory<byte> _known;
        private readonly Task<BlockBuffer>? _load;
        private readonly FileSegment _segment;
        private readonly CancellationTokenSource? _stop;

        public Piece(FileSegment segment, IBlockSource source, CancellationToken cancellationToken)
        {
            _segment = segment;
            _known = segment.Known;
            if (segment.Leaf.IsEmpty)
                return;
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _load = source.GetAsync(segment.Leaf, _stop.Token).AsTask();
        }

        public long Offset => _segment.Offset;

        public int Length => _segment.Length;

        public bool Holds(long position) => position >= Offset && position < Offset + Length;

        public async ValueTask<ReadOnlyMemory<byte>> BytesAsync(CancellationToken cancellationToken)
        {
            if (_load is null)
                return _known;
            BlockBuffer block = await _load.WaitAsync(cancellationToken).ConfigureAwait(false);
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
