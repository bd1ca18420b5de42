using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using P2P.Core.Diagnostics;
using P2P.Core.Identity;
using P2P.Core.Muxer;
using P2P.Core.SecureChannel;

namespace P2P.Core.Connections;

/// <summary>An authenticated, multiplexed connection to one peer. Opens streams and serves those that the peer opens. Thread-safe.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The serving loop disposes what it owns when the session ends; CloseAsync ends it.")]
internal sealed class Connection
{
    private readonly YamuxSession _session;
    private readonly StreamRegistry _handlers;
    private readonly ConnectionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly BackgroundWork _work;
    private Task? _serving;
    private readonly Lock _gate = new(); // guards the fields below
    private readonly Dictionary<Use, string> _holds = [];
    private Task? _closing;
    private string? _closeReason;
    private Connection? _successor;
    private int _streams;
    private long _quietSince;

    public Connection(
        ISecureChannel channel, YamuxSession session, bool isOutbound, StreamRegistry handlers, ConnectionOptions options, TimeProvider time, ILogger logger)
    {
        RemotePeer = channel.RemotePeer;
        RemoteKey = channel.RemoteKey;
        RemoteAddress = channel.RemoteAddress;
        LocalAddress = channel.LocalAddress;
        IsOutbound = isOutbound;
        OpenedAt = _quietSince = time.GetTimestamp();
        _session = session;
        _handlers = handlers;
        _options = options;
        _time = time;
        _logger = logger;
        _work = new BackgroundWork(error => ConnectionsLog.BackgroundFailed(_logger, error));
    }

    /// <summary>Who is at the other end, proven.</summary>
    public PeerId RemotePeer { get; }

    /// <summary>Its identity key.</summary>
    public PublicKey RemoteKey { get; }

    /// <summary>The other end, without a peer id.</summary>
    public Multiaddress RemoteAddress { get; }

    /// <summary>Our end.</summary>
    public Multiaddress LocalAddress { get; }

    /// <summary>Whether we dialed.</summary>
    public bool IsOutbound { get; }

    /// <summary>When it came up (timestamp of the time provider).</summary>
    public long OpenedAt { get; }

    /// <summary>What the peer said about itself; null until it has.</summary>
    public RemoteInfo? Remote { get; private set; }

    /// <summary>The last measured round trip, if any.</summary>
    public TimeSpan? RoundTripTime => _session.RoundTripTime;

    /// <summary>Whether what the peer sends waits for our own limit right now.</summary>
    public bool IsReceiveHeldBack => _session.IsReceiveHeldBack;

    /// <summary>Bytes that came in, encryption excluded.</summary>
    public long BytesReceived => _session.BytesReceived;

    /// <summary>Bytes that went out, encryption excluded.</summary>
    public long BytesSent => _session.BytesSent;

    /// <summary>Ends with the reason when the connection is gone.</summary>
    public Task<string> Closed => _closed.Task;

    /// <summary>Ends when no handler of this connection runs any more.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Whether new streams can be opened.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return _closeReason is null && !_closed.Task.IsCompleted;
            }
        }
    }

    /// <summary>Whether another connection to the same peer has taken its place, so that it ends with its last stream.</summary>
    public bool IsSuperseded
    {
        get
        {
            lock (_gate)
            {
                return _successor is not null;
            }
        }
    }

    /// <summary>Streams in use, both directions.</summary>
    public int StreamCount
    {
        get
        {
            lock (_gate)
            {
                return _streams;
            }
        }
    }

    /// <summary>Why it must not be closed for being idle, one entry for each hold.</summary>
    public IReadOnlyList<string> Holds
    {
        get
        {
            lock (_gate)
            {
                return [.. _holds.Values];
            }
        }
    }

    /// <summary>How long nobody has used it; null while a stream or a hold does.</summary>
    public TimeSpan? IdleFor
    {
        get
        {
            lock (_gate)
            {
                return _streams == 0 && _holds.Count == 0 ? _time.GetElapsedTime(_quietSince) : null;
            }
        }
    }

    /// <summary>How long it has had no stream, holds or not; null while it has one.</summary>
    public TimeSpan? WithoutStreamsFor
    {
        get
        {
            lock (_gate)
            {
                return _streams == 0 ? _time.GetElapsedTime(_quietSince) : null;
            }
        }
    }

    /// <summary>Keeps the connection from being closed for being idle until the result is disposed.</summary>
    public IDisposable Hold(string reason)
    {
        Use hold = new(this, isStream: false);
        lock (_gate)
        {
            _holds.Add(hold, reason);
        }

        return hold;
    }

    /// <summary>Opens a stream for one protocol. The proposal travels with the first bytes written, see <see cref="PeerStream"/>.</summary>
    /// <exception cref="IOException">The connection is closed.</exception>
    public ValueTask<PeerStream> OpenStreamAsync(string protocol, CancellationToken cancellationToken) =>
        Successor is { } other ? other.OpenStreamAsync(protocol, cancellationToken) : OpenLazyAsync(protocol, cancellationToken);

    /// <summary>Opens a stream for the first of several protocols that the peer speaks; lazy when identify has told which that is.</summary>
    /// <exception cref="ProtocolNotSupportedException">It speaks none of them.</exception>
    /// <exception cref="IOException">The connection is closed, or the peer answered nothing in time.</exception>
    public async ValueTask<PeerStream> OpenStreamAsync(IReadOnlyList<string> protocols, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(protocols.Count);
        if (Successor is { } other)
        {
            return await other.OpenStreamAsync(protocols, cancellationToken).ConfigureAwait(false);
        }

        string? known = protocols.Count == 1 ? protocols[0] : protocols.FirstOrDefault(protocol => Remote?.Protocols.Contains(protocol) == true);
        if (known is not null)
        {
            return await OpenLazyAsync(known, cancellationToken).ConfigureAwait(false);
        }

        Use use = BeginStream();
        YamuxStream? stream = null;
        try
        {
            stream = await _session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
            MultistreamNegotiation negotiation = MultistreamNegotiation.Dial(protocols);
            await MultistreamSelect.RunAsync(negotiation, stream.Input, stream.Output, _options.NegotiationTimeout, _time, cancellationToken).ConfigureAwait(false);
            return new PeerStream(this, stream, negotiation.Selected!, null, isOutbound: true, use);
        }
        catch
        {
            await AbandonAsync(stream, use).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Measures the round trip on the muxer: no stream, no protocol.</summary>
    public Task<TimeSpan> PingAsync(CancellationToken cancellationToken) => _session.PingAsync(cancellationToken);

    /// <summary>Says goodbye, flushes and closes, bounded by <see cref="ConnectionOptions.CloseTimeout"/>. Idempotent; never throws.</summary>
    public Task CloseAsync(string reason)
    {
        lock (_gate)
        {
            _closeReason ??= reason;
            return _closing ??= Task.Run(EndSessionAsync);
        }
    }

    /// <summary>Starts to send, to receive and to serve the streams that the peer opens. Until then the peer gets no answer, so it does not count on us.</summary>
    internal void Start()
    {
        _session.Start();
        _serving = Task.Run(ServeAsync);
        _started.TrySetResult();
    }

    /// <summary>Closes a connection that was never started.</summary>
    internal async ValueTask DiscardAsync(string reason)
    {
        _session.Abort(reason);
        await _session.DisposeAsync().ConfigureAwait(false);
        _closed.TrySetResult(reason);
        _stopped.TrySetResult();
    }

    /// <summary>Sets what identify learned. The pool tells the observers.</summary>
    internal void SetRemote(RemoteInfo remote) => Remote = remote;

    /// <summary>From now on streams are opened on the other connection; this one ends with its last stream.</summary>
    internal void SupersedeBy(Connection other)
    {
        lock (_gate)
        {
            _successor = other;
        }

        if (other.Remote is null && Remote is { } remote)
        {
            other.SetRemote(remote);
        }
    }

    /// <summary>Runs the end of a stream in the background, bounded and awaited when the connection stops.</summary>
    internal void Linger(Func<int, CancellationToken, Task> linger) => _work.Run(async () =>
    {
        using Deadline deadline = new(_options.NegotiationTimeout, _time, _stop.Token);
        await linger(_options.MaxLingerBytes, deadline.Token).ConfigureAwait(false);
    });

    private Connection? Successor
    {
        get
        {
            lock (_gate)
            {
                return _successor is { IsOpen: true } ? _successor : null;
            }
        }
    }

    private async ValueTask<PeerStream> OpenLazyAsync(string protocol, CancellationToken cancellationToken)
    {
        Use use = BeginStream();
        try
        {
            YamuxStream stream = await _session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
            MultistreamNegotiation negotiation = MultistreamNegotiation.Dial([protocol]);
            stream.Output.Write(negotiation.TakeOutput().Span);
            NegotiatingReader input = new(stream.Input, negotiation, _options.NegotiationTimeout, _time);
            return new PeerStream(this, stream, protocol, input, isOutbound: true, use);
        }
        catch
        {
            use.Dispose();
            throw;
        }
    }

    private async Task ServeAsync()
    {
        string reason;
        try
        {
            while (await _session.AcceptStreamAsync(_stop.Token).ConfigureAwait(false) is { } stream)
            {
                Use use = BeginStream();
                _work.Run(() => ServeStreamAsync(stream, use));
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // closing: the session tells its reason below
        }

        reason = await _session.Completion.ConfigureAwait(false);
        lock (_gate)
        {
            _closeReason ??= reason;
            reason = _closeReason;
        }

        _closed.TrySetResult(reason);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
        await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _stopped.TrySetResult();
    }

    private async Task ServeStreamAsync(YamuxStream stream, Use use)
    {
        StreamRegistry.Place? place = null;
        string protocol = "";
        PeerStream? peerStream = null;
        MultistreamNegotiation negotiation = MultistreamNegotiation.Listen(_handlers.IsServed);
        try
        {
            await MultistreamSelect.RunAsync(negotiation, stream.Input, stream.Output, _options.NegotiationTimeout, _time, _stop.Token).ConfigureAwait(false);
            protocol = negotiation.Selected!;
            place = _handlers.TryEnter(protocol, RemotePeer);
            if (place is null)
            {
                ConnectionsLog.StreamRefused(_logger, RemotePeer, protocol);
                await AbandonAsync(stream, use).ConfigureAwait(false);
                return;
            }

            peerStream = new PeerStream(this, stream, protocol, null, isOutbound: false, use);
            await place.Handler(peerStream, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (error is IOException or OperationCanceledException)
            {
                ConnectionsLog.StreamFailed(_logger, RemotePeer, protocol, UntrustedText.Clean(error.Message));
            }
            else
            {
                ConnectionsLog.HandlerFailed(_logger, error, protocol);
            }

            peerStream?.Reset();
            if (peerStream is null && negotiation.HasDeclined)
            {
                // a reset could overtake our "na", and the dialer would not learn why
                peerStream = new PeerStream(this, stream, protocol, null, isOutbound: false, use);
            }
            else if (peerStream is null)
            {
                await AbandonAsync(stream, use).ConfigureAwait(false);
            }
        }
        finally
        {
            if (peerStream is not null)
            {
                await peerStream.DisposeAsync().ConfigureAwait(false);
            }

            place?.Dispose();
        }
    }

    private async Task EndSessionAsync()
    {
        await _started.Task.ConfigureAwait(false);
        using CancellationTokenSource deadline = new(_options.CloseTimeout, _time);
        try
        {
            await _session.CloseAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            ConnectionsLog.CloseHurried(_logger, RemotePeer, error.Message);
        }

        _session.Abort(_closeReason!);
        await _closed.Task.ConfigureAwait(false);
    }

    private static async ValueTask AbandonAsync(YamuxStream? stream, Use use)
    {
        if (stream is not null)
        {
            stream.Reset();
            await stream.DisposeAsync().ConfigureAwait(false);
        }

        use.Dispose();
    }

    private Use BeginStream()
    {
        lock (_gate)
        {
            _streams++;
        }

        return new Use(this, isStream: true);
    }

    private void EndUse(Use use, bool isStream)
    {
        lock (_gate)
        {
            if (isStream)
            {
                _streams--;
            }
            else
            {
                _holds.Remove(use);
            }

            if (_streams == 0)
            {
                _quietSince = _time.GetTimestamp();
            }
        }
    }

    /// <summary>One stream or hold; disposing ends it, once.</summary>
    private sealed class Use(Connection owner, bool isStream) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                owner.EndUse(this, isStream);
            }
        }
    }
}
