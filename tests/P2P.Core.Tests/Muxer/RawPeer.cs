using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Muxer;

namespace P2P.Core.Tests.Muxer;

/// <summary>The other end of a session, frame by frame: for what a well-behaved session never does.</summary>
internal sealed class RawPeer(PlainChannel channel)
{
    private readonly List<byte> _received = [];

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Starts a session as the listener, and plays its dialer.</summary>
    public static (RawPeer Peer, YamuxSession Session) NewPair(YamuxOptions? options = null, TimeProvider? time = null, bool sessionDials = false)
    {
        (PlainChannel own, PlainChannel theirs) = PlainChannel.NewPair();
        var session = new YamuxSession(theirs, isDialer: sessionDials, options ?? new YamuxOptions(), time ?? TimeProvider.System, NullLogger.Instance);
        session.Start();
        return (new RawPeer(own), session);
    }

    public static byte[] Frame(YamuxFrameType type, YamuxFlags flags, uint id, uint length, byte[]? payload = null)
    {
        Span<byte> header = stackalloc byte[YamuxHeader.Bytes];
        new YamuxHeader(type, flags, id, length).Write(header);
        return [.. header, .. payload ?? []];
    }

    public Task SendAsync(YamuxFrameType type, YamuxFlags flags, uint id, uint length, byte[]? payload = null) =>
        SendRawAsync(Frame(type, flags, id, length, payload));

    public Task SendDataAsync(uint id, byte[] payload, YamuxFlags flags = YamuxFlags.None) => SendAsync(YamuxFrameType.Data, flags, id, (uint)payload.Length, payload);

    public async Task SendRawAsync(byte[] bytes)
    {
        for (int at = 0; at < bytes.Length; at += channel.MaxAppendBytes)
        {
            channel.Append(bytes.AsSpan(at, Math.Min(channel.MaxAppendBytes, bytes.Length - at)));
            await channel.FlushAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
        }
    }

    /// <summary>The next frame, or null at the end.</summary>
    public async Task<(YamuxHeader Header, byte[] Payload)?> ReadAsync()
    {
        if (!await FillAsync(YamuxHeader.Bytes))
            return null;
        YamuxHeader.TryRead([.. _received[..YamuxHeader.Bytes]], out YamuxHeader header);
        int payloadLength = header.Type == YamuxFrameType.Data ? (int)header.Length : 0;
        if (!await FillAsync(YamuxHeader.Bytes + payloadLength))
            return null;
        byte[] payload = [.. _received[YamuxHeader.Bytes..(YamuxHeader.Bytes + payloadLength)]];
        _received.RemoveRange(0, YamuxHeader.Bytes + payloadLength);
        return (header, payload);
    }

    /// <summary>The next frame that is not a ping of the session's own.</summary>
    public async Task<(YamuxHeader Header, byte[] Payload)> ExpectAsync()
    {
        while (true)
        {
            (YamuxHeader Header, byte[] Payload) frame = await ReadAsync() ?? throw new IOException("the session closed");
            if (frame.Header is not { Type: YamuxFrameType.Ping, Flags: YamuxFlags.Syn })
                return frame;
        }
    }

    public async Task<YamuxHeader> ExpectAsync(Func<YamuxHeader, bool> wanted)
    {
        while (true)
        {
            YamuxHeader header = (await ExpectAsync()).Header;
            if (wanted(header))
                return header;
        }
    }

    public Task<YamuxHeader> ExpectGoAwayAsync() => ExpectAsync(header => header.Type == YamuxFrameType.GoAway);

    private async Task<bool> FillAsync(int count)
    {
        while (_received.Count < count)
        {
            ReadOnlyMemory<byte> chunk = await channel.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
            if (chunk.IsEmpty)
                return false;
            _received.AddRange(chunk.Span);
        }
        return true;
    }
}
