using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Discovery;

/// <summary>
/// Multicast DNS on one interface and family: asks who is there, answers who asks, and hears what is told (RFC 6762). Takes nothing from beyond the link, and
/// says each thing at most once a second whoever asks for it.
/// </summary>
internal sealed class MulticastDnsLink : ILanLink
{
    /// <summary>Packets that are read (count, and count a second), and that are sent to single askers; what is more is dropped.</summary>
    private const int MaxPackets = 500, PacketsPerSecond = 100, MaxUnicast = 20, UnicastPerSecond = 10;

    /// <summary>Peers that a question names as known (count): so many find room in a packet.</summary>
    private const int MaxKnown = 24;

    /// <summary>Instances that are remembered for it (count).</summary>
    private const int MaxRemembered = 256;

    private static readonly TimeSpan OnceASecond = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromMinutes(1), GoodbyePatience = TimeSpan.FromSeconds(1);

    private readonly LanInterface _card;
    private readonly ILanChannel _channel;
    private readonly PeerService _service;
    private readonly PeerId _self;
    private readonly Func<LanInterface, IReadOnlyList<Multiaddress>> _addressesOn;
    private readonly Action<PeerId, IReadOnlyList<Multiaddress>> _onTold;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly BackgroundWork _work;
    private readonly Lock _gate = new(); // guards the fields below
    private readonly Dictionary<string, long> _saidAt = new(StringComparer.OrdinalIgnoreCase); // by the first name of an answer: one of ours
    private readonly Dictionary<string, (long At, uint TimeToLive)> _known = new(StringComparer.OrdinalIgnoreCase);
    private IReadOnlyList<Multiaddress> _announced = [];
    private volatile bool _isOver, _hearsItself;

    /// <summary>Begins.</summary>
    /// <param name="card">The interface.</param>
    /// <param name="channel">The group there, which belongs to this from now on.</param>
    /// <param name="service">Who we are there.</param>
    /// <param name="self">Our id.</param>
    /// <param name="addressesOn">Where we listen on an interface.</param>
    /// <param name="onTold">Told of each peer with its addresses on this link; without any it has said good-bye.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">For the pauses before answers.</param>
    /// <param name="logger">Where its log goes.</param>
    public MulticastDnsLink(
        LanInterface card,
        ILanChannel channel,
        PeerService service,
        PeerId self,
        Func<LanInterface, IReadOnlyList<Multiaddress>> addressesOn,
        Action<PeerId, IReadOnlyList<Multiaddress>> onTold,
        TimeProvider time,
        Random random,
        ILogger logger)
    {
        (_card, _channel, _service, _self, _addressesOn, _onTold, _time, _random, _logger) = (card, channel, service, self, addressesOn, onTold, time, random, logger);
        _work = new BackgroundWork(error => DiscoveryLog.LinkFailed(logger, card.Name, error.Message));
        _work.Run(() => RunAsync(ListenAsync));
        _work.Run(() => RunAsync(AskAsync));
    }

    public LanInterface Card => _card;

    public bool IsOver => _isOver;

    /// <summary>Whether a packet to the group has come back to this machine: if not even that, then no packet gets through.</summary>
    public bool HearsItself => _hearsItself;

    public void AnnounceChanges()
    {
        IReadOnlyList<Multiaddress> now = _addressesOn(_card);
        lock (_gate)
        {
            if (now.SequenceEqual(_announced))
                return;
            _announced = now;
            _saidAt[PeerService.Name] = _time.GetTimestamp();
        }

        if (now.Count > 0)
            _work.Run(() => RunAsync(token => SayAsync(_service.Announce(_self, now), to: null, token)));
    }

    /// <summary>Says good-bye and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        IReadOnlyList<Multiaddress> announced;
        lock (_gate)
            announced = _announced;
        if (announced.Count > 0 && !_isOver)
        {
            using var patience = new CancellationTokenSource(GoodbyePatience, _time);
            await RunAsync(token => SayAsync(_service.Announce(_self, announced, isGone: true), to: null, token), patience.Token).ConfigureAwait(false);
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
            _isOver = true; // the interface went down or has no multicast
            DiscoveryLog.LinkFailed(_logger, _card.Name, error.Message);
        }
    }

    /// <summary>Asks at once, then with pauses that grow to a minute. Says where we are twice at first, in case that the one gets lost.</summary>
    private async Task AskAsync(CancellationToken cancellationToken)
    {
        TimeSpan pause = OnceASecond;
        for (int round = 0; ; round++)
        {
            await SayAsync(PeerService.Query(Known()), to: null, cancellationToken).ConfigureAwait(false);
            if (round < 2 && _addressesOn(_card) is { Count: > 0 } addresses)
            {
                lock (_gate)
                {
                    _announced = addresses;
                    _saidAt[PeerService.Name] = _time.GetTimestamp();
                }

                await SayAsync(_service.Announce(_self, addresses), to: null, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(pause, _time, cancellationToken).ConfigureAwait(false);
            pause = pause * 3 < LongestPause ? pause * 3 : LongestPause;
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var packets = new TokenBucket(MaxPackets, PacketsPerSecond, _time.TimestampFrequency);
        var unicast = new TokenBucket(MaxUnicast, UnicastPerSecond, _time.TimestampFrequency);
        byte[] buffer = new byte[DnsMessageReader.MaxMessageBytes];
        while (true)
        {
            (int length, IPEndPoint from) = await _channel.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            _hearsItself |= _card.IsOwn(from.Address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(from.Address.GetAddressBytes()) : from.Address); // without the zone
            if (!_card.IsOnLink(from.Address) || packets.TryTake(_time.GetTimestamp()) > TimeSpan.Zero || !DnsMessageReader.TryRead(buffer.AsSpan(0, length), out DnsMessage? message))
                continue;
            if (message.IsResponse)
            {
                if (from.Port == MulticastSocket.Port)
                    Hear(message);
            }
            else if (_service.Answer(message, _self, _addressesOn(_card)) is { } answer)
            {
                if (from.Port == MulticastSocket.Port)
                    AnswerSoon(answer);
                else if (unicast.TryTake(_time.GetTimestamp()) == TimeSpan.Zero)
                    await SayAsync(answer with { Questions = message.Questions }, from, cancellationToken).ConfigureAwait(false); // one who knows only plain DNS
            }
        }
    }

    private void Hear(DnsMessage message)
    {
        long now = _time.GetTimestamp();
        lock (_gate)
        {
            foreach (DnsRecord record in message.Answers)
            {
                if (record.Type != DnsType.Ptr || !DnsNames.AreSame(record.Name, PeerService.Name))
                    continue;
                if (record.TimeToLive == 0)
                    _known.Remove(record.Target);
                else if (_known.Count < MaxRemembered || _known.ContainsKey(record.Target))
                    _known[record.Target] = (now, record.TimeToLive);
            }
        }

        foreach ((PeerId peer, List<Multiaddress> addresses) in PeerService.ReadPeers(message))
        {
            Multiaddress[] near = [.. addresses.Where(address => address.TryGetIPAddress(out IPAddress? ip) && !ip.IsIPv6LinkLocal && _card.IsOnLink(ip))];
            if (near.Length > 0 || addresses.Count == 0)
                _onTold(peer, near);
        }
    }

    /// <summary>Answers after a short pause, so that many who were asked do not answer at once; and not when it was said a moment ago.</summary>
    private void AnswerSoon(DnsMessage answer)
    {
        long now = _time.GetTimestamp();
        double pause;
        lock (_gate)
        {
            string what = answer.Answers[0].Name;
            if (_saidAt.TryGetValue(what, out long said) && _time.GetElapsedTime(said, now) < OnceASecond)
                return;
            _saidAt[what] = now;
            pause = 20 + (100 * _random.NextDouble());
        }

        _work.Run(() => RunAsync(async token =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(pause), _time, token).ConfigureAwait(false);
            await SayAsync(answer with { Id = 0 }, to: null, token).ConfigureAwait(false);
        }));
    }

    private async Task SayAsync(DnsMessage message, IPEndPoint? to, CancellationToken cancellationToken) =>
        await _channel.SendAsync(DnsMessageWriter.Write(message), to, cancellationToken).ConfigureAwait(false);

    /// <summary>Whom we know for long enough that it need not answer.</summary>
    private List<(string Instance, uint TimeToLive)> Known()
    {
        long now = _time.GetTimestamp();
        lock (_gate)
        {
            List<(string, uint)> known = [];
            foreach ((string instance, (long at, uint timeToLive)) in _known.ToList())
            {
                double left = timeToLive - _time.GetElapsedTime(at, now).TotalSeconds;
                if (left <= 0)
                    _known.Remove(instance);
                else if (left > timeToLive / 2.0 && known.Count < MaxKnown)
                    known.Add((instance, (uint)left));
            }

            return known;
        }
    }
}
