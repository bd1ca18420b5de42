using System.Diagnostics.CodeAnalysis;

namespace P2P.Core.Muxer;

/// <summary>
/// Decides what a session sends next: answers to pings, refusals and the streams' control frames first, then the data of the streams in turn, a frame each.
/// Everything is bounded: a stream is in a queue at most once, and its pending control is a few flags.
/// </summary>
/// <remarks>No lock of its own: the session's guards it.</remarks>
internal sealed class SendScheduler(YamuxOptions options)
{
    /// <summary>Pings waiting for our answer (count); more than a peer has reason to send. Further ones get none.</summary>
    private const int MaxPongs = 32;

    /// <summary>Refused streams waiting for their reset (count).</summary>
    private const int MaxRefusals = 1024;

    private readonly Queue<uint> _pongs = new();
    private readonly Queue<uint> _refusals = new();
    private readonly Queue<YamuxStream> _control = new();
    private readonly Queue<YamuxStream> _data = new();
    private readonly List<YamuxStream> _waiters = [];
    private uint? _ping;

    /// <summary>Memory of all slabs that wait or are being sent (bytes).</summary>
    public int BufferedBytes { get; private set; }

    public void AddPing(uint value) => _ping = value;

    public void AddPong(uint value)
    {
        if (_pongs.Count < MaxPongs)
            _pongs.Enqueue(value);
    }

    /// <summary>False when the peer opens streams faster than it takes our refusals.</summary>
    public bool TryAddRefusal(uint streamId)
    {
        if (_refusals.Count >= MaxRefusals)
            return false;
        _refusals.Enqueue(streamId);
        return true;
    }

    public void AddSlab(YamuxStream stream, SendSlab slab)
    {
        OutgoingState outgoing = stream.Outgoing;
        outgoing.Slabs.Enqueue(slab);
        outgoing.BufferedBytes += slab.Charge;
        BufferedBytes += slab.Charge;
        ScheduleData(stream);
    }

    public void ScheduleControl(YamuxStream stream)
    {
        if (stream.Outgoing.IsInControlQueue)
            return;
        stream.Outgoing.IsInControlQueue = true;
        _control.Enqueue(stream);
    }

    public void ScheduleData(YamuxStream stream)
    {
        OutgoingState outgoing = stream.Outgoing;
        if (outgoing.IsInDataQueue || !outgoing.CanSendData)
            return;
        outgoing.IsInDataQueue = true;
        _data.Enqueue(stream);
    }

    /// <summary>Whether the stream's writer must wait before it adds more.</summary>
    public bool MustWait(YamuxStream stream)
    {
        int own = stream.Outgoing.BufferedBytes;
        return own > 0 && (own >= options.StreamSendBufferBytes || BufferedBytes >= options.SessionSendBufferBytes);
    }

    /// <summary>A writer waits. One that waits for its own bytes is woken as they go; only those that wait for other streams' are listed.</summary>
    public void AddWaiter(YamuxStream stream)
    {
        if (stream.Outgoing.BufferedBytes >= options.StreamSendBufferBytes || stream.Outgoing.IsListedWaiter)
            return;
        stream.Outgoing.IsListedWaiter = true;
        _waiters.Add(stream);
    }

    /// <summary>Writes as many control frames as there are and fit.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="pingWritten">Whether our own ping is among them: its clock starts.</param>
    /// <param name="finished">Is given the streams whose last frame this was.</param>
    /// <returns>The bytes written.</returns>
    public int WriteControl(Span<byte> destination, out bool pingWritten, List<YamuxStream> finished)
    {
        int written = 0;
        pingWritten = false;
        while (_pongs.Count > 0 && destination.Length - written >= YamuxHeader.Bytes)
            Write(destination, ref written, new YamuxHeader(YamuxFrameType.Ping, YamuxFlags.Ack, 0, _pongs.Dequeue()));
        if (_ping is { } ping && destination.Length - written >= YamuxHeader.Bytes)
        {
            Write(destination, ref written, new YamuxHeader(YamuxFrameType.Ping, YamuxFlags.Syn, 0, ping));
            _ping = null;
            pingWritten = true;
        }
        while (_refusals.Count > 0 && destination.Length - written >= YamuxHeader.Bytes)
            Write(destination, ref written, new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, _refusals.Dequeue(), 0));
        while (_control.Count > 0 && destination.Length - written >= 2 * YamuxHeader.Bytes)
        {
            YamuxStream stream = _control.Dequeue();
            stream.Outgoing.IsInControlQueue = false;
            if (WriteControlOf(stream, destination, ref written))
                finished.Add(stream);
        }
        return written;
    }

    /// <summary>Takes the next frame of data, of at most <paramref name="room"/> bytes with its header. <see cref="CompleteData"/> follows when it was sent.</summary>
    public bool TryTakeData(int room, [NotNullWhen(true)] out YamuxStream? stream, out int count, out YamuxFlags flags)
    {
        while (_data.TryDequeue(out stream))
        {
            OutgoingState outgoing = stream.Outgoing;
            outgoing.IsInDataQueue = false;
            if (!outgoing.CanSendData)
                continue;
            outgoing.Head ??= outgoing.Slabs.Dequeue();
            outgoing.IsHeadTaken = true;
            count = (int)Math.Min(Math.Min(outgoing.Head.Length - outgoing.Head.Sent, room - YamuxHeader.Bytes), outgoing.Window.Credit);
            outgoing.Window.Spend(count);
            outgoing.SentBytes += count;
            flags = outgoing.OpeningFlags;
            outgoing.OpeningFlags = YamuxFlags.None;
            return true;
        }
        count = 0;
        flags = YamuxFlags.None;
        return false;
    }

    /// <summary>The frame taken last has been encrypted.</summary>
    public void CompleteData(YamuxStream stream)
    {
        OutgoingState outgoing = stream.Outgoing;
        SendSlab head = outgoing.Head!;
        outgoing.IsHeadTaken = false;
        if (head.Sent == head.Length || outgoing.Failure is not null)
        {
            outgoing.Head = null;
            Release(outgoing, head);
        }
        ScheduleData(stream);
        if (outgoing.IsFinRequested && !outgoing.HasData)
            ScheduleControl(stream);
    }

    /// <summary>Drops what a stream that failed has not sent, and fails its waiting writer.</summary>
    public void Discard(YamuxStream stream, StreamResetException failure)
    {
        OutgoingState outgoing = stream.Outgoing;
        if (outgoing.Head is { } head && !outgoing.IsHeadTaken)
        {
            outgoing.Head = null;
            Release(outgoing, head);
        }
        while (outgoing.Slabs.TryDequeue(out SendSlab? slab))
            Release(outgoing, slab);
        outgoing.Output.Fail(failure);
        if (outgoing.IsListedWaiter)
            _waiters.Remove(stream);
        outgoing.IsListedWaiter = false;
    }

    private static void Write(Span<byte> destination, ref int written, YamuxHeader header)
    {
        header.Write(destination[written..]);
        written += YamuxHeader.Bytes;
    }

    /// <summary>True when the stream has nothing more to say, ever.</summary>
    private static bool WriteControlOf(YamuxStream stream, Span<byte> destination, ref int written)
    {
        OutgoingState outgoing = stream.Outgoing;
        if (outgoing.IsResetRequested)
        {
            outgoing.IsResetRequested = false;
            // A stream whose SYN never left is unknown to the peer.
            if ((outgoing.OpeningFlags & YamuxFlags.Syn) == 0)
                Write(destination, ref written, new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, stream.Id, 0));
            return true;
        }
        if (outgoing.Failure is not null)
            return false;
        // SYN and ACK ride on data that is about to go, unless there is credit to announce as well.
        if (outgoing.UpdateDelta > 0 || (outgoing.OpeningFlags != YamuxFlags.None && !outgoing.CanSendData))
        {
            Write(destination, ref written, new YamuxHeader(YamuxFrameType.WindowUpdate, outgoing.OpeningFlags, stream.Id, outgoing.UpdateDelta));
            outgoing.UpdateDelta = 0;
            outgoing.OpeningFlags = YamuxFlags.None;
        }
        if (!outgoing.IsFinRequested || outgoing.IsFinSent || outgoing.HasData)
            return false;
        // On a frame of its own, as go and js send it.
        Write(destination, ref written, new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Fin, stream.Id, 0));
        outgoing.IsFinSent = true;
        return true;
    }

    private void Release(OutgoingState outgoing, SendSlab slab)
    {
        int before = BufferedBytes;
        outgoing.BufferedBytes -= slab.Charge;
        BufferedBytes -= slab.Charge;
        SlabPool.Shared.Return(slab);
        if (outgoing.Output.IsWaiting && MayResume(outgoing))
            outgoing.Output.Wake();
        // Writers that wait for the session rather than for themselves: looked at once each time it has become half empty.
        int half = options.SessionSendBufferBytes / 2;
        if (before <= half || BufferedBytes > half)
            return;
        for (int i = _waiters.Count - 1; i >= 0; i--)
        {
            OutgoingState waiter = _waiters[i].Outgoing;
            if (waiter.Output.IsWaiting && !MayResume(waiter))
                continue;
            waiter.Output.Wake();
            waiter.IsListedWaiter = false;
            _waiters.RemoveAt(i);
        }
    }

    /// <summary>Half empty rather than just not full: fewer wake-ups, each with more to do.</summary>
    private bool MayResume(OutgoingState outgoing) => outgoing.BufferedBytes == 0
        || (outgoing.BufferedBytes <= options.StreamSendBufferBytes / 2 && BufferedBytes < options.SessionSendBufferBytes);
}
