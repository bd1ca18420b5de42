using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace P2P.Core.Muxer;

/// <summary>
/// The writing end of a stream. Its memory is the frame that goes out: the session writes a header in front and encrypts from there, so nothing is copied.
/// </summary>
/// <remarks>A full slab is on its way before the flush; the flush sends the rest and is the back-pressure.</remarks>
internal sealed class YamuxStreamOutput(YamuxSession session, YamuxStream stream) : PipeWriter, IValueTaskSource<FlushResult>
{
    private ManualResetValueTaskSourceCore<FlushResult> _flushed = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private CancellationToken _flushToken;
    private SendSlab? _slab;
    private bool _beganFlush;
    private bool _completed;
    private bool _isCancelled; // guarded by the session's lock, like IsWaiting

    /// <summary>Whether a flush waits for room. Guarded by the session's lock.</summary>
    public bool IsWaiting { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushedBytes;

    private long _unflushedBytes;

    /// <summary>Memory to write to, at least <paramref name="sizeHint"/> and at most a frame's payload, <see cref="SendSlab.MaxPayloadBytes"/>.</summary>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sizeHint, SendSlab.MaxPayloadBytes);
        if (_completed)
            throw new InvalidOperationException("The stream's output is completed.");
        int wanted = Math.Max(sizeHint, 1);
        if (_slab is { } full && full.Free.Length < wanted)
            Publish();
        if (_slab is null)
        {
            // The first words after a flush are often the only ones: a length, a request. What follows, or asks for much, is bulk.
            _slab = SlabPool.Shared.RentSlab(small: !_beganFlush && wanted <= SendSlab.SmallBytes / 2);
            _beganFlush = true;
        }
        return _slab.Free;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes == 0)
            return;
        if (_slab is not { } slab || bytes > slab.Free.Length)
            throw new InvalidOperationException("More was advanced than was taken.");
        slab.Length += bytes;
        _unflushedBytes += bytes;
        if (slab.Length == slab.Capacity)
            Publish();
    }

    /// <inheritdoc/>
    /// <exception cref="StreamResetException">The stream was reset.</exception>
    /// <remarks>Safe to cancel: what was written goes out all the same.</remarks>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        Publish();
        _beganFlush = false;
        _unflushedBytes = 0;
        short token;
        lock (session.Gate)
        {
            if (stream.Outgoing.Failure is { } failure)
                return ValueTask.FromException<FlushResult>(new StreamResetException(failure.Message, failure));
            if (_isCancelled)
            {
                _isCancelled = false;
                return new(new FlushResult(isCanceled: true, isCompleted: false));
            }
            if (!session.Scheduler.MustWait(stream))
                return new(new FlushResult(isCanceled: false, isCompleted: false));
            _flushed.Reset();
            token = _flushed.Version;
            IsWaiting = true;
            session.Scheduler.AddWaiter(stream);
        }
        _flushToken = cancellationToken;
        // The awaiting caller disposes it in GetResult, which cannot run before this method has returned.
        _registration = cancellationToken.UnsafeRegister(static state => ((YamuxStreamOutput)state!).OnCancelled(), this);
        return new ValueTask<FlushResult>(this, token);
    }

    public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        while (source.Length > 0)
        {
            Memory<byte> memory = GetMemory(Math.Min(source.Length, _slab is null ? SendSlab.MaxPayloadBytes : 1));
            int count = Math.Min(memory.Length, source.Length);
            source[..count].CopyTo(memory);
            Advance(count);
            source = source[count..];
            if (_unflushedBytes >= session.Options.StreamSendBufferBytes)
                await FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        return await FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public override void CancelPendingFlush()
    {
        lock (session.Gate)
        {
            if (IsWaiting)
                Wake(isCancelled: true);
            else
                _isCancelled = true;
        }
    }

    /// <summary>Ends our direction; with an exception resets the stream.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        if (exception is null)
            Publish();
        _completed = true;
        if (_slab is { } slab)
            SlabPool.Shared.Return(slab);
        _slab = null;
        _unflushedBytes = 0;
        if (exception is null)
            session.Finish(stream);
        else
            stream.Reset();
    }

    /// <summary>Lets a waiting flush return. The caller holds the session's lock; what follows runs on the pool.</summary>
    public void Wake(bool isCancelled = false)
    {
        if (!IsWaiting)
            return;
        IsWaiting = false;
        _flushed.SetResult(new FlushResult(isCancelled, isCompleted: false));
    }

    /// <summary>The same for a stream that failed.</summary>
    public void Fail(StreamResetException failure)
    {
        if (!IsWaiting)
            return;
        IsWaiting = false;
        _flushed.SetException(new StreamResetException(failure.Message, failure));
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        return _flushed.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _flushed.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _flushed.OnCompleted(continuation, state, token, flags);

    private void OnCancelled()
    {
        lock (session.Gate)
        {
            if (!IsWaiting)
                return;
            IsWaiting = false;
            _flushed.SetException(new OperationCanceledException(_flushToken));
        }
    }

    private void Publish()
    {
        if (_slab is not { } slab || slab.Length == 0)
            return;
        _slab = null;
        session.Publish(stream, slab);
    }
}
