using P2P.Core.Muxer;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>
/// How much all connections of a node may send and receive together, and which of them that is about: peers on this machine and on its local networks are exempt.
/// A connection is looked at once, when it is made. Without a limit it is left as it is.
/// </summary>
internal sealed class BandwidthLimits : IDisposable
{
    /// <summary>A batch of the muxer takes the line so much of a second: what is urgent goes in the next one.</summary>
    private const int BatchesPerSecond = 64;

    /// <summary>The least of a batch and of a step by which a window is opened (bytes): the headers are then below 2 %.</summary>
    private const int MinBatchBytes = 2 * 1024, MinWindowUpdateBytes = 4 * 1024;

    /// <summary>What the peer may have under way (seconds of the limit): enough for far links, so little that answers do not wait behind it for long.</summary>
    private const int WindowSeconds = 2;

    private readonly NearNetworks _near;
    private readonly RateLimit? _up;
    private readonly RateLimit? _down;
    private readonly YamuxOptions _muxer;
    private readonly YamuxOptions _limitedMuxer;

    public BandwidthLimits(ConnectionOptions options, NearNetworks near, TimeProvider time)
    {
        _near = near;
        _muxer = _limitedMuxer = options.Muxer;
        if (options.UploadBytesPerSecond is { } up)
        {
            _up = new RateLimit(up, time);
            _limitedMuxer = SendingSlowly(_limitedMuxer, up);
        }

        if (options.DownloadBytesPerSecond is { } down)
        {
            _down = new RateLimit(down, time);
            _limitedMuxer = ReceivingSlowly(_limitedMuxer, down);
        }
    }

    /// <summary>The connection, made to keep to the limits if they are about it.</summary>
    public ITransportConnection Apply(ITransportConnection connection) =>
        AreAbout(connection.RemoteAddress) ? new LimitedConnection(connection, _up, _down) : connection;

    /// <summary>How the muxer of a connection to that address is set up.</summary>
    public YamuxOptions MuxerFor(Multiaddress remote) => AreAbout(remote) ? _limitedMuxer : _muxer;

    public void Dispose()
    {
        _up?.Dispose();
        _down?.Dispose();
    }

    private bool AreAbout(Multiaddress remote) => (_up ?? _down) is not null && !_near.Contains(remote);

    /// <summary>Small batches, and little waiting to be sent: a ping, or the end of a stream, does not stand behind seconds of data.</summary>
    private static YamuxOptions SendingSlowly(YamuxOptions muxer, long bytesPerSecond) => muxer with
    {
        MaxBatchBytes = (int)Math.Clamp(bytesPerSecond / BatchesPerSecond, MinBatchBytes, muxer.MaxBatchBytes),
        StreamSendBufferBytes = (int)Math.Clamp(bytesPerSecond, SendSlab.LargeBytes, muxer.StreamSendBufferBytes),
        SessionSendBufferBytes = (int)Math.Clamp(2 * bytesPerSecond, 2 * SendSlab.LargeBytes, muxer.SessionSendBufferBytes),
    };

    /// <summary>
    /// Small windows, opened in small steps: the peer sends what we can take rather than filling the buffers on the way, sees from each step that we are
    /// there, and has its pings answered.
    /// </summary>
    private static YamuxOptions ReceivingSlowly(YamuxOptions muxer, long bytesPerSecond) => muxer with
    {
        MaxWindowBytes = (int)Math.Clamp(WindowSeconds * bytesPerSecond, YamuxOptions.InitialWindowBytes, muxer.MaxWindowBytes),
        WindowUpdateBytes = (int)Math.Clamp(bytesPerSecond / 4, MinWindowUpdateBytes, muxer.WindowUpdateBytes),
    };
}
