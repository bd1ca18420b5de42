namespace P2P.Core.Muxer;

/// <summary>The writing loop: gathers frames by the scheduler's order into one batch, encrypting as it goes, and sends the batch at once.</summary>
internal sealed partial class YamuxSession
{
    /// <summary>
    /// A batch that took longer than this to leave is halved, so that on a slow link a window update or a ping does not wait behind a megabyte; one that
    /// left within a quarter of it is doubled.
    /// </summary>
    private static readonly TimeSpan LongBatch = TimeSpan.FromMilliseconds(80);

    private const int FirstBatchBytes = 128 * 1024;

    private readonly byte[] _controlFrames = new byte[128 * YamuxHeader.Bytes];
    private readonly List<YamuxStream> _finished = [];
    private int _batchBytes;
    private long _lastWriteProgress;
    private volatile bool _isFlushing;

    private async Task WriteLoopAsync()
    {
        try
        {
            while (true)
            {
                Gather();
                if (_channel.UnflushedBytes > 0)
                {
                    await FlushBatchAsync().ConfigureAwait(false);
                    continue;
                }
                if (await TryLeaveAsync().ConfigureAwait(false))
                    return;
                await _writeSignal.WaitAsync().ConfigureAwait(false);
            }
        }
        catch (IOException exception)
        {
            End(exception.Message, farewell: null);
        }
        catch (Exception exception)
        {
            MuxerLog.Failed(_logger, _channel.RemotePeer, exception);
            End("an internal error", farewell: null);
        }
    }

    private void Gather()
    {
        // One frame fits beyond the limit, so that a batch never ends short of a full frame.
        int limit = Math.Min(_batchBytes, _channel.SendBufferBytes - (2 * SendSlab.LargeBytes));
        YamuxStream? sent = null;
        while (_channel.UnflushedBytes <= limit)
        {
            int controlBytes;
            bool hasData = false;
            YamuxStream? stream = null;
            int count = 0;
            YamuxFlags flags = YamuxFlags.None;
            lock (Gate)
            {
                CompleteSent(sent);
                sent = null;
                controlBytes = Scheduler.WriteControl(_controlFrames, out bool pingWritten, _finished);
                if (pingWritten && _pingSentAt < 0)
                    _pingSentAt = _time.GetTimestamp();
                foreach (YamuxStream finished in _finished)
                    RetireIfDone(finished);
                _finished.Clear();
                if (controlBytes == 0 && _endReason is null)
                    hasData = Scheduler.TryTakeData(Math.Min(_channel.MaxAppendBytes, Options.MaxBatchBytes), out stream, out count, out flags);
            }
            if (controlBytes > 0)
            {
                Append(_controlFrames.AsSpan(0, controlBytes));
            }
            else if (hasData)
            {
                Append(stream!.Outgoing.Head!.TakeFrame(stream.Id, flags, count));
                sent = stream;
            }
            else
            {
                return;
            }
        }
        lock (Gate)
            CompleteSent(sent);
    }

    /// <summary>Gate is held.</summary>
    private void CompleteSent(YamuxStream? stream)
    {
        if (stream is null)
            return;
        Scheduler.CompleteData(stream);
        if (stream.Outgoing.DisposedAt != 0)
            stream.Outgoing.DisposedAt = Math.Max(1, _time.GetTimestamp()); // still making progress: the linger begins anew
    }

    private void Append(ReadOnlySpan<byte> frames)
    {
        _channel.Append(frames);
        Volatile.Write(ref _bytesSent, _bytesSent + frames.Length);
    }

    private async ValueTask FlushBatchAsync()
    {
        long start = _time.GetTimestamp();
        if (!_channel.IsSending)
            Volatile.Write(ref _lastWriteProgress, start);
        _isFlushing = true;
        await _channel.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        long end = _time.GetTimestamp();
        Volatile.Write(ref _lastWriteProgress, end);
        _isFlushing = false;
        TimeSpan took = _time.GetElapsedTime(start, end);
        if (took > LongBatch)
            _batchBytes = Math.Min(Math.Max(_batchBytes / 2, SendSlab.LargeBytes), Options.MaxBatchBytes);
        else if (took < LongBatch / 4)
            _batchBytes = Math.Min(_batchBytes * 2, Math.Min(_channel.SendBufferBytes, Options.MaxBatchBytes));
    }

    /// <summary>With nothing left to send: whether the session is over. Says goodbye first if that is wanted.</summary>
    private async ValueTask<bool> TryLeaveAsync()
    {
        bool isOver, isClosing;
        YamuxGoAway? farewell;
        lock (Gate)
        {
            isOver = _endReason is not null;
            isClosing = _isClosing;
            farewell = _farewell;
        }
        if (!isOver && isClosing)
        {
            End("closed by this side", YamuxGoAway.Normal);
            return await TryLeaveAsync().ConfigureAwait(false);
        }
        if (!isOver)
            return false;
        if (farewell is { } code)
        {
            new YamuxHeader(YamuxFrameType.GoAway, YamuxFlags.None, 0, (uint)code).Write(_controlFrames);
            Append(_controlFrames.AsSpan(0, YamuxHeader.Bytes));
            await FlushBatchAsync().ConfigureAwait(false);
            // The second flush has nothing to send: it waits for the first.
            await FlushBatchAsync().ConfigureAwait(false);
        }
        return true;
    }
}
