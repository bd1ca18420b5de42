using System.Threading.Channels;
using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>
/// Puts the blocks of a fetch to their places: asks the source for them, writes what arrives, checks what is on disk from an earlier try,
/// and copies blocks that occur twice. Knows when all is done; the first failure ends everything.
/// </summary>
internal sealed class BlockPlacer : IBlockSink, IAsyncDisposable
{
    private const int MaxChecksAhead = 256;
    private const int MaxRemembered = 128 * 1024; // about 16 MiB; beyond it a block that occurs twice crosses the network twice
    private const long WriteBackBytes = 16 << 20;

    private readonly BlockBufferPool _buffers;
    private readonly Task[] _checkers;
    private readonly Channel<Spot> _checks = Channel.CreateBounded<Spot>(MaxChecksAhead);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new(); // guards _spots, _free, _unfinished and _remembered
    private readonly List<Spot?> _spots = [];
    private readonly Stack<int> _free = new();
    private readonly Dictionary<MultihashKey, Spot> _remembered = [];
    private readonly HashSet<PlacedFile> _unfinished = []; // bounded by what the source lets wait
    private readonly CreationLane<Spot> _lane;
    private readonly BlockForm _form;
    private readonly FetchRecorder? _recorder;
    private readonly IBlockSource _source;
    private readonly SpaceBudget _space;
    private readonly CancellationTokenSource _stop;
    private readonly Channel<PlacedFile> _writeBacks = Channel.CreateBounded<PlacedFile>(new BoundedChannelOptions(4) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task _writeBack;
    private int _callers = 1; // callbacks at work, and one until closing
    private Exception? _failure;
    private int _files;
    private long _pending = 1; // spots not filled, and one until planning ends
    private long _reusedBytes;
    private long _verifiedBytes;

    /// <summary>Begins; ends with the token. The source gives leaves as they lie in files.</summary>
    public BlockPlacer(IBlockSource source, BlockForm form, BlockBufferPool buffers, FetchRecorder? recorder, SpaceBudget space, int workers, CancellationToken cancellationToken)
    {
        _source = source;
        _form = form;
        _space = space;
        _buffers = buffers;
        _recorder = recorder;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _lane = new CreationLane<Spot>(Create, Fail);
        _checkers = new Task[workers];
        for (int i = 0; i < workers; i++)
            _checkers[i] = Task.Run(CheckAsync, CancellationToken.None);
        _writeBack = Task.Run(WriteBackAsync, CancellationToken.None);
    }

    /// <summary>Ends when the fetch is cancelled or has failed: whoever plans stops then.</summary>
    public CancellationToken Stopped => _stop.Token;

    /// <summary>Bytes verified and in place.</summary>
    public long VerifiedBytes => Interlocked.Read(ref _verifiedBytes);

    /// <summary>Of them, bytes that were in place already.</summary>
    public long ReusedBytes => Interlocked.Read(ref _reusedBytes);

    /// <summary>Files complete.</summary>
    public int Files => Volatile.Read(ref _files);

    /// <summary>A file will be wanted; <see cref="Planned"/> must follow its last block.</summary>
    public void Begin(PlacedFile file)
    {
        lock (_gate)
            _unfinished.Add(file);
    }

    /// <summary>Wants a block at a place. Waits while too much is on its way.</summary>
    /// <param name="file">The file.</param>
    /// <param name="leaf">The block.</param>
    /// <param name="offset">Where it belongs.</param>
    /// <param name="length">Its bytes; -1 when only the block tells.</param>
    /// <param name="expectedBytes">A hint of its bytes.</param>
    /// <param name="mayBeThere">Something is at that place already, to be checked first.</param>
    public async ValueTask WantAsync(PlacedFile file, Cid leaf, long offset, int length, int expectedBytes, bool mayBeThere)
    {
        var spot = new Spot(file, leaf, offset, length, expectedBytes) { MayBeThere = mayBeThere };
        file.Hold();
        Interlocked.Increment(ref _pending);
        if (!mayBeThere)
        {
            lock (_gate)
                spot.Twin = _remembered.GetValueOrDefault(leaf.Key);
        }

        if (mayBeThere || spot.Twin is not null)
            await _checks.Writer.WriteAsync(spot, _stop.Token).ConfigureAwait(false);
        else
            await RequestAsync(spot).ConfigureAwait(false);
    }

    /// <summary>Writes bytes that are known already.</summary>
    public void Put(PlacedFile file, ReadOnlySpan<byte> data, long offset)
    {
        try
        {
            file.Write(data, offset);
            Interlocked.Add(ref _verifiedBytes, data.Length);
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, file.Path);
        }
    }

    /// <summary>All blocks of a file are asked for.</summary>
    public void Planned(PlacedFile file)
    {
        try
        {
            ReleaseFile(file);
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, file.Path);
        }
    }

    /// <summary>Counts a file that is where it belongs and was verified there.</summary>
    public void CountReused(long bytes)
    {
        Interlocked.Add(ref _verifiedBytes, bytes);
        Interlocked.Add(ref _reusedBytes, bytes);
        Interlocked.Increment(ref _files);
    }

    /// <summary>Planning has ended; waits until everything is in place.</summary>
    /// <exception cref="P2PException">The first thing that failed.</exception>
    public async Task FinishAsync()
    {
        Finished();
        CancellationTokenRegistration stopped = _stop.Token.Register(() => _finished.TrySetCanceled(_stop.Token));
        await using (stopped.ConfigureAwait(false))
            await ((Task)_finished.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ThrowIfFailed();
        _stop.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Throws what made the fetch stop, if something failed.</summary>
    public void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    /// <inheritdoc/>
    public void OnBlock(in Cid cid, long tag, ReadOnlySpan<byte> data)
    {
        if (!Enter())
            return;
        try
        {
            Spot spot = Take(tag);
            if (spot.Length >= 0 && data.Length != spot.Length)
                throw ContentFault.Contradiction(in cid, $"has {data.Length} bytes where its parent claims {spot.Length}");
            if (spot.Length < 0)
                CountWhole(in cid, spot, data.Length);
            if (spot.Offset == 0 && data.Length <= CreationLane<Spot>.MaxFileBytes)
                _lane.Add(spot, data);
            else
                Fill(spot, data, isReused: false);
        }
        catch (Exception error)
        {
            Fail(error);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public void OnFailed(in Cid cid, long tag, Exception error)
    {
        if (!Enter())
            return;
        Take(tag);
        Fail(error);
        Leave();
    }

    /// <summary>Stops and waits for callbacks at work; none writes afterwards. Files left open are closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Leave();
        await _drained.Task.ConfigureAwait(false);
        _checks.Writer.TryComplete();
        _writeBacks.Writer.TryComplete();
        foreach (Task checker in _checkers)
            await checker.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a failure of theirs was noted
        await _writeBack.ConfigureAwait(false);
        foreach (PlacedFile file in _unfinished)
            file.Close();
        _stop.Dispose();
    }

    private async ValueTask RequestAsync(Spot spot)
    {
        int tag;
        lock (_gate)
        {
            if (!_free.TryPop(out tag))
            {
                tag = _spots.Count;
                _spots.Add(null);
            }

            _spots[tag] = spot;
        }

        await _source.RequestAsync(spot.Leaf, spot.ExpectedBytes, this, tag, _stop.Token).ConfigureAwait(false);
    }

    private Spot Take(long tag)
    {
        lock (_gate)
        {
            Spot spot = _spots[(int)tag] ?? throw new InvalidOperationException("A block was delivered twice for one request.");
            _spots[(int)tag] = null;
            _free.Push((int)tag);
            return spot;
        }
    }

    // a file of one block has no length but what its folder claims, which was counted; more than that is a lie, and no claim at all costs its bytes now
    private void CountWhole(in Cid cid, Spot spot, int bytes)
    {
        if (spot.ExpectedBytes > 0 && bytes > spot.ExpectedBytes)
            throw ContentFault.Contradiction(in cid, $"has {bytes} bytes where its folder claims {spot.ExpectedBytes}");
        if (spot.ExpectedBytes == 0)
            _space.Take(bytes);
    }

    private void Create(Spot spot, ReadOnlySpan<byte> data)
    {
        if (!_stop.IsCancellationRequested)
            Fill(spot, data, isReused: false);
    }

    private void Fill(Spot spot, ReadOnlySpan<byte> data, bool isReused)
    {
        try
        {
            if (isReused)
            {
                if (spot.Length < 0)
                    spot.File.FoundWhole(data.Length);
                Interlocked.Add(ref _reusedBytes, data.Length);
            }
            else if (spot.File.Write(data, spot.Offset) >= WriteBackBytes)
            {
                _writeBacks.Writer.TryWrite(spot.File);
            }

            Interlocked.Add(ref _verifiedBytes, data.Length);
            lock (_gate)
            {
                if (_remembered.Count < MaxRemembered)
                    _remembered.TryAdd(spot.Leaf.Key, spot with { Twin = null, Length = data.Length });
            }

            _recorder?.Placed(spot.File, spot.Leaf, spot.Offset, data.Length);
            ReleaseFile(spot.File);
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, spot.File.Path);
        }

        Finished();
    }

    private void ReleaseFile(PlacedFile file)
    {
        if (!file.Release())
            return;
        lock (_gate)
            _unfinished.Remove(file);
        _recorder?.Completed(file);
        Interlocked.Increment(ref _files);
    }

    private void Finished()
    {
        if (Interlocked.Decrement(ref _pending) == 0)
            _finished.TrySetResult();
    }

    private void Fail(Exception error)
    {
        if (Interlocked.CompareExchange(ref _failure, error, null) is null)
            _stop.Cancel();
    }

    private bool Enter()
    {
        for (int callers = Volatile.Read(ref _callers); callers > 0;)
        {
            int seen = Interlocked.CompareExchange(ref _callers, callers + 1, callers);
            if (seen == callers)
            {
                if (!_stop.IsCancellationRequested)
                    return true;
                Leave();
                return false;
            }

            callers = seen;
        }

        return false;
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _callers) == 0)
            _drained.TrySetResult();
    }

    // what is on disk counts only after it was hashed again, be it from an earlier try or from another place of this fetch
    private async Task CheckAsync()
    {
        using BlockBuffer buffer = _buffers.Rent(BlockVerification.MaxBlockBytes);
        try
        {
            await foreach (Spot spot in _checks.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                if (!TryFillFromDisk(spot, buffer.Memory.Span))
                    await RequestAsync(spot).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is not OperationCanceledException || !_stop.IsCancellationRequested)
        {
            Fail(error);
        }
    }

    private bool TryFillFromDisk(Spot spot, Span<byte> buffer)
    {
        try
        {
            if (spot.Twin is { } twin)
            {
                Span<byte> copy = buffer[..twin.Length];
                if (!TryRead(twin, copy) || !_form.Verify(spot.Leaf, copy))
                    return false;
                if (spot.Length >= 0 && spot.Length != copy.Length)
                    throw ContentFault.Contradiction(spot.Leaf, $"has {copy.Length} bytes where its parent claims {spot.Length}");
                Fill(spot, copy, isReused: false);
                return true;
            }

            int count = spot.File.Read(spot.Length < 0 ? buffer : buffer[..spot.Length], spot.Offset);
            if ((spot.Length >= 0 && count != spot.Length) || !_form.Verify(spot.Leaf, buffer[..count]))
                return false;
            Fill(spot, buffer[..count], isReused: true);
            return true;
        }
        catch (Exception error) when (DiskFault.IsDiskError(error))
        {
            throw DiskFault.Translate(error, spot.File.Path);
        }
    }

    private static bool TryRead(Spot twin, Span<byte> buffer)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle? handle = twin.File.TryOpenToRead();
        if (handle is null)
            return false;
        int count = 0;
        for (int read = -1; read != 0 && count < buffer.Length; count += read)
            read = RandomAccess.Read(handle, buffer[count..], twin.Offset + count);
        return count == buffer.Length;
    }

    private async Task WriteBackAsync()
    {
        await foreach (PlacedFile file in _writeBacks.Reader.ReadAllAsync().ConfigureAwait(false))
            file.StartWriteBack();
    }

    /// <summary>A block and where it belongs.</summary>
    private sealed record Spot(PlacedFile File, Cid Leaf, long Offset, int Length, int ExpectedBytes)
    {
        public bool MayBeThere { get; init; }

        /// <summary>Where the same block is on disk already.</summary>
        public Spot? Twin { get; set; }
    }
}
