using System.Buffers;
using P2P.Core.Transport;

namespace P2P.Core.Muxer;

/// <summary>The reading loop: takes the channel's plaintext apart into frames and gives each stream its share.</summary>
internal sealed partial class YamuxSession
{
    /// <summary>
    /// Data for streams that are gone and that is dropped without complaint, besides what they had been granted (bytes). It may still come in good
    /// faith while a reset is on its way; more is a flood.
    /// </summary>
    private const long DrainSlackBytes = 1024 * 1024;

    private readonly byte[] _alreadyReceived;
    private readonly byte[] _header = new byte[YamuxHeader.Bytes];
    private int _headerFilled;
    private YamuxStream? _payloadStream;
    private uint _payloadLeft;
    private bool _payloadEndsStream;
    private long _drainAllowance = DrainSlackBytes;
    private long _lastReceived;
    private long _unread;

    /// <summary>What waits in all streams for their readers (bytes).</summary>
    internal long UnreadBytes => Volatile.Read(ref _unread);

    /// <summary>Counts bytes that a stream is about to hold; false when they are too many. Only the reading loop calls it.</summary>
    internal bool TryHoldUnread(int bytes)
    {
        if (Volatile.Read(ref _unread) + bytes > Options.MaxUnreadBytes)
            return false;
        Interlocked.Add(ref _unread, bytes);
        return true;
    }

    internal void ReleaseUnread(long bytes) => Interlocked.Add(ref _unread, -bytes);

    private async Task ReadLoopAsync()
    {
        try
        {
            Process(_alreadyReceived);
            while (!HasPeerLeft)
            {
                ReadOnlyMemory<byte> chunk = await _channel.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                if (chunk.IsEmpty)
                {
                    End("the peer closed the connection", farewell: null);
                    return;
                }
                Volatile.Write(ref _lastReceived, _time.GetTimestamp());
                Volatile.Write(ref _bytesReceived, _bytesReceived + chunk.Length);
                Process(chunk.Span);
            }
        }
        catch (PeerProtocolException exception)
        {
            End(exception.Message, YamuxGoAway.ProtocolError);
        }
        catch (IOException exception)
        {
            End(exception.Message, farewell: null);
        }
        catch (Exception exception)
        {
            MuxerLog.Failed(_logger, _channel.RemotePeer, exception);
            End("an internal error", YamuxGoAway.InternalError);
        }
    }

    private bool HasPeerLeft { get; set; }

    private bool HasEnded => Volatile.Read(ref _endReason) is not null;

    /// <summary>Once the session has ended its last frames are read only to let the peer take its leave, and mean nothing else.</summary>
    private void Process(ReadOnlySpan<byte> chunk)
    {
        while (!chunk.IsEmpty && !HasPeerLeft)
        {
            if (_payloadLeft > 0)
            {
                int count = (int)Math.Min(_payloadLeft, (uint)chunk.Length);
                TakePayload(chunk[..count]);
                chunk = chunk[count..];
                continue;
            }
            if (_headerFilled == 0 && YamuxHeader.TryRead(chunk, out YamuxHeader header) is var status && status != OperationStatus.NeedMoreData)
            {
                chunk = status == OperationStatus.Done ? chunk[YamuxHeader.Bytes..] : throw BadHeader();
                OnFrame(header);
                continue;
            }
            // A header cut in two.
            int part = Math.Min(YamuxHeader.Bytes - _headerFilled, chunk.Length);
            chunk[..part].CopyTo(_header.AsSpan(_headerFilled));
            _headerFilled += part;
            chunk = chunk[part..];
            status = YamuxHeader.TryRead(_header.AsSpan(0, _headerFilled), out header);
            if (status == OperationStatus.InvalidData)
                throw BadHeader();
            if (status == OperationStatus.Done)
            {
                _headerFilled = 0;
                OnFrame(header);
            }
        }
    }

    private static PeerProtocolException BadHeader() => new("a frame of an unknown version or type");

    private void OnFrame(YamuxHeader header)
    {
        switch (header.Type)
        {
            case YamuxFrameType.Ping when !HasEnded:
                OnPing(header);
                break;
            case YamuxFrameType.GoAway:
                HasPeerLeft = true;
                End($"the peer ended the session ({(YamuxGoAway)header.Length})", farewell: null); // or both did at the same time, and neither waits for the other
                break;
            case var type when HasEnded:
                (_payloadStream, _payloadLeft) = (null, type == YamuxFrameType.Data ? header.Length : 0);
                break;
            default:
                OnStreamFrame(header);
                break;
        }
    }

    private void OnPing(YamuxHeader header)
    {
        if ((header.Flags & YamuxFlags.Ack) != 0)
        {
            OnPong(header.Length);
        }
        else if ((header.Flags & YamuxFlags.Syn) != 0)
        {
            lock (Gate)
                Scheduler.AddPong(header.Length);
            _writeSignal.Set();
        }
    }

    private void OnStreamFrame(YamuxHeader header)
    {
        if (header.StreamId == 0)
            throw new PeerProtocolException("a frame of a stream without a number");
        bool isData = header.Type == YamuxFrameType.Data;
        bool isReset = (header.Flags & YamuxFlags.Rst) != 0;
        bool isSyn = (header.Flags & YamuxFlags.Syn) != 0;
        YamuxStream? stream;
        int inboundStreams;
        lock (Gate)
        {
            _streams.TryGetValue(header.StreamId, out stream);
            if (isSyn)
                stream = Admit(header.StreamId, stream, isReset);
            inboundStreams = _inboundStreams;
            if (stream is not null && !isReset)
            {
                if ((header.Flags & YamuxFlags.Ack) != 0)
                    Acknowledge(stream);
                // The length of a reset is an error code, not credit.
                if (!isData && !stream.Outgoing.Window.TryGrow(header.Length))
                    throw new PeerProtocolException("a stream's window was raised beyond all bounds");
                if (!isData && header.Length > 0)
                    Scheduler.ScheduleData(stream);
            }
        }
        if (isSyn && !isReset && stream is null)
            MuxerLog.Refused(_logger, _channel.RemotePeer, header.StreamId, inboundStreams);
        if (isSyn || (!isData && header.Length > 0))
            _writeSignal.Set();

        bool isFin = (header.Flags & YamuxFlags.Fin) != 0;
        if (isData && header.Length > 0)
            BeginPayload(stream, header.Length, isFin && !isReset);
        if (stream is null)
            return;
        if (isReset)
        {
            _payloadStream = null;
            Reset(stream, new StreamResetException("the peer reset the stream"), tellPeer: false);
        }
        else if (isFin && _payloadLeft == 0)
        {
            OnFin(stream);
        }
    }

    /// <summary>Gate is held. Null when the stream is refused.</summary>
    private YamuxStream? Admit(uint id, YamuxStream? known, bool isReset)
    {
        if (known is not null)
            throw new PeerProtocolException("a stream was opened twice");
        if ((id & 1) == 1 == _isDialer)
            throw new PeerProtocolException("a stream was opened with a number of ours");
        if (isReset)
            return null;
        if (!_isClosing && _endReason is null && _inboundStreams < Options.MaxInboundStreams)
        {
            YamuxStream stream = NewStream(id, isOutbound: false);
            stream.Outgoing.IsCounted = true;
            _inboundStreams++;
            if (_accepted.Writer.TryWrite(stream))
            {
                Touch();
                return stream;
            }
            stream.Outgoing.DisposedAt = 1; // nobody will
            Unlist(stream);
        }
        if (!Scheduler.TryAddRefusal(id))
            throw new PeerProtocolException("streams are opened faster than they can be refused");
        AllowDrain(YamuxOptions.InitialWindowBytes);
        return null;
    }

    private void BeginPayload(YamuxStream? stream, uint length, bool endsStream)
    {
        if (stream is null)
        {
            if (Interlocked.Add(ref _drainAllowance, -length) < 0)
                throw new PeerProtocolException("too much data for streams that are closed");
        }
        else if (!stream.TryReceive(length))
        {
            throw new PeerProtocolException("data beyond the window");
        }
        _payloadStream = stream;
        _payloadLeft = length;
        _payloadEndsStream = endsStream;
        Touch();
    }

    private void TakePayload(ReadOnlySpan<byte> payload)
    {
        _payloadLeft -= (uint)payload.Length;
        if (HasEnded || _payloadStream is not { } stream)
            return;
        switch (stream.Deliver(payload))
        {
            case YamuxStream.Delivery.Unwanted:
                OnUnwanted(stream);
                break;
            case YamuxStream.Delivery.TooMuch:
                Reset(stream, new StreamResetException("the peer sent more than is being read"), tellPeer: true);
                break;
        }
        if (_payloadLeft > 0)
            return;
        _payloadStream = null;
        if (_payloadEndsStream)
            OnFin(stream);
    }

    private void OnFin(YamuxStream stream)
    {
        lock (Gate)
        {
            stream.Outgoing.IsFinReceived = true;
            RetireIfDone(stream);
        }
        stream.EndReceiving(null);
    }

    /// <summary>The peer goes on sending to a stream that our application has left, and our own last bytes are out: it should stop.</summary>
    private void OnUnwanted(YamuxStream stream)
    {
        bool isOver;
        lock (Gate)
            isOver = stream.Outgoing is { DisposedAt: not 0, IsFinSent: true, IsFinReceived: false };
        if (isOver)
            Reset(stream, new StreamResetException("the stream was left"), tellPeer: true);
    }

    private void AllowDrain(long bytes) => Interlocked.Add(ref _drainAllowance, bytes);
}
