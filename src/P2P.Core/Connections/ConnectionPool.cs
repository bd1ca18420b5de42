using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Diagnostics;
using P2P.Core.Identity;
using P2P.Core.Muxer;
using P2P.Core.SecureChannel;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>All connections of a node: listens, dials, keeps one connection for each peer, and closes what is not used. Thread-safe.</summary>
internal sealed class ConnectionPool : IAsyncDisposable
{
    private readonly IdentityKey _identity;
    private readonly IReadOnlyList<ITransport> _transports;
    private readonly ConnectionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ILogger _muxerLogger;
    private readonly NoiseUpgrade _noise;
    private readonly BandwidthLimits _bandwidth;
    private readonly Dialer _dialer;
    private readonly StreamRegistry _handlers;
    private readonly ConnectionTable _table;
    private readonly ConnectionNotifier _notifier;
    private readonly InboundListeners _listeners;
    private readonly BackgroundWork _work;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // guards the fields below
    private readonly Dictionary<PeerId, DialJob> _jobs = [];
    private Task? _closing;

    public ConnectionPool(
        IdentityKey identity, IReadOnlyList<ITransport> transports, ConnectionOptions options, TimeProvider time, Random random, ILoggerFactory loggers, P2PMetrics? metrics = null)
    {
        _identity = identity;
        _transports = transports;
        _options = options;
        _time = time;
        _logger = loggers.CreateLogger("P2P.Core.Connections");
        _work = new BackgroundWork(error => ConnectionsLog.BackgroundFailed(_logger, error));
        _muxerLogger = loggers.CreateLogger("P2P.Core.Muxer");
        Addresses = new AddressBook(time);
        _noise = new NoiseUpgrade(identity, options.Noise, time);
        ConnectionUpgrader upgrader = new(_noise, options, time);
        NearNetworks near = new(options.OnLink, time);
        _bandwidth = new BandwidthLimits(options, near, time);
        _dialer = new Dialer(upgrader, transports, Addresses, near, _bandwidth, options, time, random, _logger, metrics);
        _handlers = new StreamRegistry(options.MaxInboundStreams);
        _table = new ConnectionTable(identity.PeerId, options);
        _notifier = new ConnectionNotifier(_logger);
        _listeners = new InboundListeners(upgrader, _bandwidth, options, time, _logger, AddInbound, _work, _stop.Token);
        _work.Run(SweepAsync);
    }

    /// <summary>Our own peer id.</summary>
    public PeerId Self => _identity.PeerId;

    /// <summary>The protocols served, sorted.</summary>
    public IReadOnlyCollection<string> Protocols => _handlers.Protocols;

    /// <summary>Where we listen, with real ports; 0.0.0.0 and :: stand for each address of the machine.</summary>
    public IReadOnlyList<Multiaddress> ListenAddresses => _listeners.Addresses;

    /// <summary>Addresses besides those, on the other side of routers, at which others reach us.</summary>
    public IReadOnlyList<Multiaddress> ExternalAddresses { get; set; } = [];

    /// <summary>Everywhere we tell others to be, those first that reach furthest.</summary>
    public IReadOnlyList<Multiaddress> OwnAddresses => ExternalAddresses is { Count: > 0 } external ? [.. external.Union(ListenAddresses)] : ListenAddresses;

    /// <summary>Inbound handshakes under way.</summary>
    public int UnfinishedHandshakes => _listeners.UnfinishedHandshakes;

    /// <summary>Open connections, also those that end with their last stream.</summary>
    public IReadOnlyList<Connection> Connections => _table.All;

    /// <summary>What is known about where peers are.</summary>
    public AddressBook Addresses { get; }

    /// <summary>Asked for addresses when none is known; set once, before the first dial.</summary>
    public IAddressSource? AddressSource { get; set; }

    /// <summary>Serves a protocol from now on.</summary>
    /// <param name="protocol">Its name, matched exactly.</param>
    /// <param name="handler">Serves one stream; called on the thread pool.</param>
    /// <param name="maxInboundPerPeer">Streams that one peer may have open; more are reset.</param>
    public void Handle(string protocol, StreamHandler handler, int maxInboundPerPeer = 8) => _handlers.Add(protocol, handler, maxInboundPerPeer);

    /// <summary>Serves a protocol no longer; open streams go on.</summary>
    public bool Unhandle(string protocol) => _handlers.Remove(protocol);

    /// <summary>Tells the observer of connections from now on.</summary>
    public void Observe(IConnectionObserver observer) => _notifier.Observe(observer);

    /// <summary>Listens on the addresses, all or none.</summary>
    /// <returns>The addresses with real ports.</returns>
    /// <exception cref="P2PException">An address cannot be listened on.</exception>
    public Task<IReadOnlyList<Multiaddress>> ListenAsync(IReadOnlyList<Multiaddress> addresses, CancellationToken cancellationToken) =>
        _listeners.AddAsync(_transports, addresses, cancellationToken);

    /// <summary>The open connection to a peer, if any.</summary>
    public bool TryGet(PeerId peer, [NotNullWhen(true)] out Connection? connection) => _table.TryGet(peer, out connection);

    /// <summary>Connects to the peer that the address names.</summary>
    /// <exception cref="P2PException">Unreachable, with all attempts.</exception>
    public Task<Connection> ConnectAsync(Multiaddress addressWithPeer, AddressOrigin origin, CancellationToken cancellationToken) =>
        ConnectAsync(
            addressWithPeer.PeerId ?? throw new ArgumentException("The address must end in /p2p/ and a peer id.", nameof(addressWithPeer)),
            [addressWithPeer],
            origin,
            cancellationToken);

    /// <summary>Gives the open connection to a peer, or dials it at the addresses given and known. All who ask for one peer at once share one dial.</summary>
    /// <exception cref="P2PException">Unreachable, with all attempts.</exception>
    /// <remarks>Safe to cancel: the dial ends when nobody waits for it.</remarks>
    public Task<Connection> ConnectAsync(PeerId peer, IReadOnlyList<Multiaddress> addresses, AddressOrigin origin, CancellationToken cancellationToken) =>
        ConnectAsync(peer, addresses, origin, DialPurpose.Awaited, cancellationToken);

    /// <inheritdoc cref="ConnectAsync(PeerId, IReadOnlyList{Multiaddress}, AddressOrigin, CancellationToken)"/>
    public async Task<Connection> ConnectAsync(
        PeerId peer, IReadOnlyList<Multiaddress> addresses, AddressOrigin origin, DialPurpose purpose, CancellationToken cancellationToken)
    {
        if (peer == Self)
        {
            throw new P2PException(P2PErrorCode.Unreachable, $"Peer {peer} is this node itself.");
        }

        foreach (Multiaddress address in addresses)
        {
            if (address.PeerId is { } named && named != peer)
            {
                throw new ArgumentException($"The address {address} names another peer than {peer}.", nameof(addresses));
            }
        }

        if (_table.TryGet(peer, out Connection? open))
        {
            return open;
        }

        if (purpose == DialPurpose.Background && _dialer.Backoff.RemainingFor(peer) is { Ticks: > 0 } wait)
        {
            throw new P2PException(P2PErrorCode.Unreachable, $"Peer {peer} could not be reached lately; it is left alone for another {wait.TotalSeconds:0} s.")
            {
                IsTransient = true,
            };
        }

        List<KnownAddress> known = [.. addresses.Select(address => new KnownAddress(address, origin)), .. Addresses.Get(peer)];
        if (known.Count == 0 && AddressSource is { } source)
        {
            known.AddRange((await source.FindAsync(peer, cancellationToken).ConfigureAwait(false)).Select(address => new KnownAddress(address, AddressOrigin.Peer)));
        }

        return await JoinDial(peer, known, purpose).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Says goodbye to all peers, stops listening and waits for all handlers, bounded. Idempotent.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        Task closing;
        lock (_gate)
        {
            closing = _closing ??= Task.Run(CloseAllAsync, CancellationToken.None);
        }

        await closing.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await CloseAsync(CancellationToken.None).ConfigureAwait(false);

    /// <summary>Sets what a peer said about itself and tells the observers.</summary>
    internal void SetRemote(Connection connection, RemoteInfo remote)
    {
        connection.SetRemote(remote);
        _notifier.Identified(connection);
    }

    private DialJob JoinDial(PeerId peer, IReadOnlyList<KnownAddress> known, DialPurpose purpose)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing is not null, this);
            if (_jobs.TryGetValue(peer, out DialJob? job) && job.TryJoin(known, purpose))
            {
                return job;
            }

            job = new DialJob(peer, purpose);
            job.TryJoin(known, purpose);
            _jobs[peer] = job;
            if (_table.TryGet(peer, out Connection? arrived))
            {
                job.Complete(arrived); // came in since the caller looked
            }

            _work.Run(() => RunDialAsync(job));
            return job;
        }
    }

    private async Task RunDialAsync(DialJob job)
    {
        try
        {
            await using ConfiguredAsyncDisposable stop = _stop.Token.Register(job.Abandon).ConfigureAwait(false);
            if (await _dialer.DialAsync(job).ConfigureAwait(false) is { } upgraded)
            {
                job.Complete(await AddAsync(upgraded, isOutbound: true).ConfigureAwait(false));
            }
        }
        catch (Exception error)
        {
            job.Fail(error);
            if (error is not (P2PException or OperationCanceledException or IOException))
            {
                throw;
            }
        }
        finally
        {
            lock (_gate)
            {
                if (_jobs.GetValueOrDefault(job.Peer) == job)
                {
                    _jobs.Remove(job.Peer);
                }
            }
        }
    }

    private async Task AddInbound(UpgradedConnection upgraded)
    {
        try
        {
            await AddAsync(upgraded, isOutbound: false).ConfigureAwait(false);
        }
        catch (P2PException refused)
        {
            ConnectionsLog.Refused(_logger, upgraded.Channel.RemoteAddress, refused.Message);
        }
    }

    private async Task<Connection> AddAsync(UpgradedConnection upgraded, bool isOutbound)
    {
        YamuxSession session = new(upgraded.Channel, isOutbound, _bandwidth.MuxerFor(upgraded.Channel.RemoteAddress), _time, _muxerLogger, upgraded.Received);
        Connection connection = new(upgraded.Channel, session, isOutbound, _handlers, _options, _time, _logger);
        string? refusal = null;
        Connection? rival = null, evicted = null;
        if (connection.RemotePeer == Self)
        {
            refusal = "it is this node itself";
        }
        else if (_stop.IsCancellationRequested || !_table.TryAdd(connection, out rival, out evicted, out refusal))
        {
            refusal ??= "the node is stopping";
        }

        if (refusal is not null)
        {
            await connection.DiscardAsync(refusal).ConfigureAwait(false);
            throw new P2PException(P2PErrorCode.Unreachable, $"The connection with peer {connection.RemotePeer} was not kept: {refusal}.") { IsTransient = true };
        }

        ConnectionsLog.Connected(_logger, connection.RemotePeer, connection.RemoteAddress, isOutbound);
        _notifier.Connected(connection);
        _work.Run(() => WatchAsync(connection));
        connection.Start();
        if (_stop.IsCancellationRequested)
        {
            _work.Run(() => connection.CloseAsync("the node stops")); // it came in after the stop had looked for connections to close
        }

        if (evicted is not null)
        {
            _work.Run(() => evicted.CloseAsync("its place was needed"));
        }

        if (rival is not null)
        {
            _work.Run(() => SettleAsync(rival, connection));
        }

        DialJob? job;
        lock (_gate)
        {
            _jobs.TryGetValue(connection.RemotePeer, out job);
        }

        job?.Complete(connection);
        return connection;
    }

    private async Task WatchAsync(Connection connection)
    {
        string reason = await connection.Closed.ConfigureAwait(false);
        _table.Remove(connection);
        ConnectionsLog.Disconnected(_logger, connection.RemotePeer, connection.RemoteAddress, UntrustedText.Clean(reason));
        _notifier.Disconnected(connection, reason);
        await connection.Stopped.ConfigureAwait(false);
    }

    /// <summary>
    /// Two connections to one peer: keeps the one that both sides choose. The other one goes only after a round trip has proved that the survivor
    /// works at both ends, and after its streams have ended; until then either serves, so there is never none.
    /// </summary>
    private async Task SettleAsync(Connection older, Connection newer)
    {
        Connection survivor = _table.Survivor(older, newer);
        Connection loser = survivor == older ? newer : older;
        using Deadline deadline = new(_options.HandshakeTimeout, _time, _stop.Token);
        try
        {
            await survivor.PingAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            if (!_stop.IsCancellationRequested && survivor.IsOpen)
            {
                await survivor.CloseAsync("it did not answer while another connection to the same peer is there").ConfigureAwait(false);
            }

            return;
        }

        loser.SupersedeBy(survivor);
        ConnectionsLog.Superseded(_logger, survivor.RemotePeer, survivor.RemoteAddress, survivor.IsOutbound);
        await DrainAsync(loser).ConfigureAwait(false);
        await loser.CloseAsync("another connection to the same peer is kept").ConfigureAwait(false);
    }

    private async Task DrainAsync(Connection loser)
    {
        // its dialer closes it; the other side only if the dialer does not, so that the two goodbyes do not cross
        TimeSpan grace = loser.IsOutbound ? _options.SupersededGrace : 4 * _options.SupersededGrace;
        long bytes = -1, movedAt = _time.GetTimestamp();
        while (loser.IsOpen && !_stop.IsCancellationRequested)
        {
            if (loser.WithoutStreamsFor is { } quiet && quiet >= grace)
            {
                return;
            }

            long now = loser.BytesReceived + loser.BytesSent;
            if (now != bytes)
            {
                bytes = now;
                movedAt = _time.GetTimestamp();
            }
            else if (_time.GetElapsedTime(movedAt) >= _options.SupersededQuiet)
            {
                return; // streams that nobody uses are reopened on the survivor when they are needed
            }

            await Task.Delay(_options.SupersededGrace / 4, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SweepAsync()
    {
        using PeriodicTimer timer = new(_options.IdleTimeout / 8, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                foreach (Connection connection in _table.All)
                {
                    if (connection.IdleFor is { } idle && idle >= _options.IdleTimeout)
                    {
                        _work.Run(() => connection.CloseAsync("idle"));
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // stopping
        }
    }

    private async Task CloseAllAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _listeners.CloseAsync().ConfigureAwait(false);
        await Task.WhenAll(_table.All.Select(connection => connection.CloseAsync("the node stops"))).ConfigureAwait(false);
        bool isDone = await TryAwaitWorkAsync().ConfigureAwait(false);
        await _notifier.StopAsync().ConfigureAwait(false);
        if (isDone)
        {
            _dialer.Dispose();
            _bandwidth.Dispose();
            _noise.Dispose();
            _stop.Dispose();
        }
    }

    /// <summary>Handlers that ignore their cancellation are left behind after a while, with what they use: a node must be able to stop.</summary>
    private async Task<bool> TryAwaitWorkAsync()
    {
        using CancellationTokenSource deadline = new(_options.CloseTimeout, _time);
        try
        {
            await _work.WaitAsync(deadline.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            ConnectionsLog.LeftBehind(_logger, _options.CloseTimeout);
            return false;
        }
    }
}
