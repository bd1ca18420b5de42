using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Discovery;

/// <summary>
/// Beacons on one interface, for networks that let no multicast DNS through: says where we are, answers who asks, and hears others. Takes nothing from beyond
/// the link, believes of a peer only the address that its packet came from, and answers at most once a second whoever asks.
/// </summary>
internal sealed class BeaconLink : ILanLink
{
    /// <summary>Packets that are read (count, and count a second); what is more is dropped.</summary>
    private const int MaxPackets = 500, PacketsPerSecond = 100;

    /// <summary>Beacons that ask (count): those of the first minute. After that who comes makes itself known.</summary>
    private const int AskingRounds = 5;

    private static readonly TimeSpan OnceASecond = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromMinutes(1), GoodbyePatience = TimeSpan.FromSeconds(1);

    private readonly ILanChannel _channel;
    private readonly PeerId _self;
    private readonly Func<LanInterface, IReadOnlyList<Multiaddress>> _addressesOn;
    private readonly Action<PeerId, IReadOnlyList<Multiaddress>> _onTold;
    private readonly Action<PeerId, IPAddress> _onLeft;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly BackgroundWork _work;
    private readonly Lock _gate = new(); // guards the two below
    private IReadOnlyList<ushort> _announced = [];
    private long? _saidAt;
    private volatile bool _isOver;

    /// <summary>Begins.</summary>
    /// <param name="card">The interface.</param>
    /// <param name="channel">Where beacons are broadcast, which belongs to this from now on.</param>
    /// <param name="self">Our id.</param>
    /// <param name="addressesOn">Where we listen on an interface.</param>
    /// <param name="onTold">Told of each peer with its addresses.</param>
    /// <param name="onLeft">Told of each peer that says good-bye, and from where.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">For the pauses before answers.</param>
    /// <param name="logger">Where its log goes.</param>
    public BeaconLink(
        LanInterface card,
        ILanChannel channel,
        PeerId self,
        Func<LanInterface, IReadOnlyList<Multiaddress>> addressesOn,
        Action<PeerId, IReadOnlyList<Multiaddress>> onTold,
        Action<PeerId, IPAddress> onLeft,
        TimeProvider time,
        Random random,
        ILogger logger)
    {
        (Card, _channel, _self, _addressesOn, _onTold, _onLeft, _time, _random, _logger) = (card, channel, self, addressesOn, onTold, onLeft, time, random, logger);
        _work = new BackgroundWork(error => DiscoveryLog.BeaconFailed(logger, card.Name, error.Message));
        _work.Run(() => RunAsync(ListenAsync));
        _work.Run(() => RunAsync(SpeakAsync));
    }

    public LanInterface Card { get; }

    public bool IsOver => _isOver;

    public void AnnounceChanges()
    {
        IReadOnlyList<ushort> now = Ports();
        lock (_gate)
        {
            if (now.SequenceEqual(_announced))
                return;
            _announced = now;
        }

        if (now.Count > 0)
            _work.Run(() => RunAsync(token => SayAsync(asks: false, token)));
    }

    /// <summary>Says good-bye and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        bool isKnown;
        lock (_gate)
            isKnown = _announced.Count > 0;
        if (isKnown && !_isOver)
        {
            using var patience = new CancellationTokenSource(GoodbyePatience, _time);
            byte[] goodbye = new Beacon(_self, []) { IsGoodbye = true }.Write();
            await RunAsync(token => _channel.SendAsync(goodbye, to: null, token).AsTask(), patience.Token).ConfigureAwait(false);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _channel.Dispose();
        _stop.Dispose();
    }

    private Task RunAsync(Func<CancellationToken, Task> work) => RunAsync(work, _stop.Token);

    private async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // ended, or the good-bye took too long
        }
        catch (SocketException error)
        {
            _isOver = true; // the interface went down, or nobody may broadcast there
            DiscoveryLog.BeaconFailed(_logger, Card.Name, error.Message);
        }
    }

    /// <summary>Asks and says where we are at once, then with pauses that grow to a minute. Who does not listen has nothing to say once it has asked.</summary>
    private async Task SpeakAsync(CancellationToken cancellationToken)
    {
        TimeSpan pause = OnceASecond;
        for (int round = 0; ; round++)
        {
            if (round < AskingRounds || MaySay())
                await SayAsync(asks: round < AskingRounds, cancellationToken).ConfigureAwait(false);
            await Task.Delay(pause, _time, cancellationToken).ConfigureAwait(false);
            pause = pause * 3 < LongestPause ? pause * 3 : LongestPause;
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var packets = new TokenBucket(MaxPackets, PacketsPerSecond, _time.TimestampFrequency);
        byte[] buffer = new byte[Beacon.MaxBytes + 1]; // one more, so that a longer packet is seen to be
        while (true)
        {
            (int length, IPEndPoint from) = await _channel.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (!Card.IsOnLink(from.Address) || packets.TryTake(_time.GetTimestamp()) > TimeSpan.Zero || !Beacon.TryRead(buffer.AsSpan(0, length), out Beacon? beacon) || beacon.Peer == _self)
                continue;
            if (beacon.Asks && MaySay())
                AnswerSoon();
            if (beacon.IsGoodbye)
                _onLeft(beacon.Peer, from.Address);
            else if (beacon.Ports.Count > 0)
                _onTold(beacon.Peer, [.. beacon.Ports.Select(port => Multiaddress.FromEndPoint(new IPEndPoint(from.Address, port)))]);
        }
    }

    /// <summary>Whether there is something to say that was not said a moment ago; who is told so says it.</summary>
    private bool MaySay()
    {
        long now = _time.GetTimestamp();
        lock (_gate)
        {
            if (Ports().Count == 0 || (_saidAt is { } said && _time.GetElapsedTime(said, now) < OnceASecond))
                return false;
            _saidAt = now;
            return true;
        }
    }

    /// <summary>Answers all at once who ask, after a short pause, so that many who were asked do not answer at the same time.</summary>
    private void AnswerSoon()
    {
        double pause;
        lock (_gate)
            pause = 20 + (100 * _random.NextDouble());
        _work.Run(() => RunAsync(async token =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(pause), _time, token).ConfigureAwait(false);
            await SayAsync(asks: false, token).ConfigureAwait(false);
        }));
    }

    private async Task SayAsync(bool asks, CancellationToken cancellationToken)
    {
        IReadOnlyList<ushort> ports = Ports();
        lock (_gate)
        {
            _announced = ports;
            if (ports.Count > 0)
                _saidAt = _time.GetTimestamp();
        }

        PeerId self = ports.Count > 0 ? _self : default; // who is not to be found is not to be known either
        await _channel.SendAsync(new Beacon(self, ports) { Asks = asks }.Write(), to: null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The TCP ports that we listen on there by IPv4: the address, others take from the packet.</summary>
    private List<ushort> Ports() =>
    [
        .. _addressesOn(Card).Select(static address => address.TryGetEndPoint(out IPEndPoint? endPoint) && endPoint.AddressFamily == AddressFamily.InterNetwork ? (ushort)endPoint.Port : (ushort)0)
            .Where(static port => port != 0).Distinct().Take(Beacon.MaxPorts),
    ];
}
