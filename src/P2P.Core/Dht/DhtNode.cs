using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Dht;

/// <summary>A node of one DHT: answers others when it is a server, looks up, announces, and looks after its table. Thread-safe.</summary>
internal sealed class DhtNode : IAsyncDisposable
{
    /// <summary>Contacts to which something is told (count).</summary>
    private const int K = RoutingTableSettings.K;

    /// <summary>Paths of a lookup that is made when the plain one found nothing (count), and newcomers asked at once whether they are there.</summary>
    private const int Paths = 5, MaxChecks = 16;

    private readonly ConnectionPool _pool;
    private readonly DhtNodeSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DhtMembers _members;
    private readonly DhtService _service;
    private readonly DhtClient _client;
    private readonly DhtLookups _lookups;
    private readonly DhtProviding _providing;
    private readonly DhtRefresh _refresh;
    private readonly SemaphoreSlim _checks = new(MaxChecks); // no handle is ever made of it
    private readonly BackgroundWork _work;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _serving = new(); // guards _isServer
    private bool _isServer;
    private bool _isStarted;

    /// <summary>Prepares it; nothing happens before <see cref="Start"/>.</summary>
    public DhtNode(ConnectionPool pool, DhtNodeSettings settings, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        (_pool, _settings, _time) = (pool, settings, time);
        _logger = loggers.CreateLogger("P2P.Core.Dht");
        _members = new DhtMembers(pool, settings, time, _logger);
        _service = new DhtService(pool, _members, settings, time, random);
        _client = new DhtClient(pool, settings.Protocol, settings.RequestTimeout, time);
        _work = new BackgroundWork(error => DhtLog.BackgroundFailed(_logger, error));
        _lookups = new DhtLookups(_client, _members, settings, time, CheckSoon, _logger, _stop.Token);
        _providing = new DhtProviding(_lookups, _work, _logger);
        _members.OnNewcomer = CheckSoon;
        _isServer = settings.IsServer;
        _refresh = new DhtRefresh(this, _members, settings, time, random, _logger);
    }

    /// <summary>Our own name.</summary>
    public PeerId Self => _pool.Self;

    /// <summary>The protocol.</summary>
    public string Protocol => _settings.Protocol;

    /// <summary>Whether it answers others.</summary>
    public bool IsServer
    {
        get
        {
            lock (_serving)
                return _isServer;
        }
    }

    /// <summary>How many nodes there are, as far as lookups tell; null: not known yet.</summary>
    public double? NetworkSize => _lookups.NetworkSize;

    /// <summary>Contacts in its table.</summary>
    public int ContactCount => _members.Count;

    /// <summary>Provider statements kept for others.</summary>
    public int ProviderCount => _service.ProviderCount;

    /// <summary>Ends when there is a contact for the first time.</summary>
    public Task HasContact => _members.First;

    /// <summary>Starts to answer and to take peers in.</summary>
    public void Start()
    {
        _pool.Observe(_members);
        lock (_serving)
        {
            _isStarted = true;
            if (_isServer)
                _service.Start();
        }

        _work.Run(RunAsync);
        DhtLog.Started(_logger, Protocol, IsServer ? "server" : "client");
    }

    /// <summary>Begins to answer others, or ends it. Peers learn of it from identify.</summary>
    public void SetServer(bool isServer)
    {
        lock (_serving)
        {
            if (_isServer == isServer)
                return;
            _isServer = isServer;
            if (!_isStarted)
                return;
            if (isServer)
                _service.Start();
            else
                _pool.Unhandle(Protocol);
        }

        DhtLog.Started(_logger, Protocol, isServer ? "server" : "client");
    }

    /// <summary>The contacts of the table closest to a point, the closest first; asks nobody.</summary>
    public Contact[] Closest(DhtKey point, int count) => _members.Closest(point, count);

    /// <summary>Contacts to begin with after a restart, with their addresses.</summary>
    public IReadOnlyList<Contact> GetContacts() => _members.All();

    /// <summary>The closest peers to a key that answer, the closest first.</summary>
    /// <param name="key">The preimage.</param>
    /// <param name="purpose">Which dial budget pays.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<Contact>> FindClosestAsync(ReadOnlyMemory<byte> key, DialPurpose purpose, CancellationToken cancellationToken)
    {
        var request = new DhtMessage { Type = DhtMessageType.FindNode, Key = key };
        return (await _lookups.RunAsync(new DhtLookupPlan(request, purpose), static (_, _, _) => false, cancellationToken).ConfigureAwait(false)).Closest;
    }

    /// <summary>Where a peer is; null when nobody asked knows.</summary>
    public async Task<Contact?> FindPeerAsync(PeerId peer, CancellationToken cancellationToken)
    {
        Contact? found = null;
        var request = new DhtMessage { Type = DhtMessageType.FindNode, Key = peer.ToArray() };
        await _lookups.RunAsync(
            new DhtLookupPlan(request, DialPurpose.Awaited),
            (_, _, answer) =>
            {
                found ??= answer.CloserPeers.FirstOrDefault(contact => contact.Peer == peer && contact.Addresses.Count > 0);
                return found is not null;
            },
            cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <summary>Peers that are said to have the content of a key, each once, as soon as it is told of. One without addresses has to be looked up.</summary>
    /// <param name="key">The multihash.</param>
    /// <param name="count">How many are enough.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<Contact> FindProvidersAsync(ReadOnlyMemory<byte> key, int count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = Channel.CreateUnbounded<Contact>(new UnboundedChannelOptions { SingleReader = true }); // no more than count
        HashSet<PeerId> seen = [];
        foreach (Contact known in _service.GetProviders(DhtKey.Of(key.Span), count))
        {
            if (seen.Add(known.Peer))
                found.Writer.TryWrite(known);
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task lookup = SearchAsync();
        try
        {
            await foreach (Contact provider in found.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return provider;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await lookup.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // cancelled above, or it has said its failure to the reader
        }

        async Task SearchAsync()
        {
            try
            {
                var request = new DhtMessage { Type = DhtMessageType.GetProviders, Key = key };
                var plan = new DhtLookupPlan(request, DialPurpose.Awaited) { IsWholeRegion = true };
                await _lookups.RunAsync(plan, Take, stop.Token).ConfigureAwait(false);
                if (seen.Count == 0 && _members.Count >= K) // led astray perhaps: on paths of their own not all are
                    await _lookups.RunAsync(plan with { Paths = Paths }, Take, stop.Token).ConfigureAwait(false);
                found.Writer.TryComplete();
            }
            catch (Exception error)
            {
                found.Writer.TryComplete(error is OperationCanceledException ? null : error);
            }
        }

        bool Take(ILookup lookup, Contact from, DhtMessage answer)
        {
            foreach (Contact provider in answer.ProviderPeers)
            {
                if (seen.Count < count && provider.Peer != _pool.Self && seen.Add(provider.Peer))
                    found.Writer.TryWrite(provider);
            }

            return seen.Count >= count;
        }
    }

    /// <summary>Where others are told that this node is, a line each; empty: nowhere, and it can announce nothing.</summary>
    public string AnnouncedAddresses => string.Join('\n', OwnAddresses());

    /// <summary>Tells one peer that this node has the content of many keys.</summary>
    /// <returns>False: it could not be told all of them.</returns>
    public Task<bool> TellProvidedAsync(Contact contact, IReadOnlyList<ProvideKey> keys, CancellationToken cancellationToken)
    {
        var self = new Contact(_pool.Self, OwnAddresses());
        return _lookups.TryTellAllAsync(
            contact,
            keys.Select(key => new DhtMessage { Type = DhtMessageType.AddProvider, Key = key.Name, ProviderPeers = [self] }),
            DialPurpose.Background,
            cancellationToken);
    }

    /// <summary>Tells the closest peers that this node has the content of a key.</summary>
    /// <param name="key">The multihash.</param>
    /// <param name="purpose">Which dial budget pays.</param>
    /// <param name="cancellationToken">Ends the lookup and the telling; who was told stays told.</param>
    /// <returns>How many took it. Those that are slow to take it are not waited for once most have.</returns>
    public async Task<ProvideResult> ProvideAsync(ReadOnlyMemory<byte> key, DialPurpose purpose, CancellationToken cancellationToken)
    {
        var self = new Contact(_pool.Self, OwnAddresses());
        if (_members.Count == 0 || self.Addresses.Count == 0)
            return new ProvideResult(0, Math.Min(K, _members.Count));
        return await _providing.ProvideAsync(key, self, purpose, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a lookup that begins elsewhere finds this node among the providers of a key.</summary>
    /// <param name="key">The multihash.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<bool> IsFoundAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        bool isFound = false;

        DhtKey target = DhtKey.Of(key.Span);
        Contact[] far = ReadBack.Seeds(_members.All(), target, _members.Closest(target, K), K);
        var plan = new DhtLookupPlan(new DhtMessage { Type = DhtMessageType.GetProviders, Key = key }, DialPurpose.Awaited) { Seeds = far, IsWholeRegion = true };
        await _lookups.RunAsync(plan, (_, _, answer) => isFound |= answer.ProviderPeers.Any(provider => provider.Peer == _pool.Self), cancellationToken).ConfigureAwait(false);
        return isFound;
    }

    /// <summary>Stores a record at the closest peers, and here.</summary>
    /// <returns>How many took it.</returns>
    /// <exception cref="ArgumentException">It is not valid in its namespace.</exception>
    public async Task<ProvideResult> PutValueAsync(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        var record = new DhtRecord(key, value);
        if (_service.PutRecord(record) == RecordOutcome.Invalid)
            throw new ArgumentException("The record is not valid in its namespace.", nameof(value));
        IReadOnlyList<Contact> closest = await FindClosestAsync(key, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false);
        bool[] taken = await Task.WhenAll(closest.Select(contact => TryPutAsync(contact, record, cancellationToken))).ConfigureAwait(false);
        return new ProvideResult(taken.Count(static one => one), closest.Count);
    }

    /// <summary>The best valid record under a key; null when nobody asked has one. Peers among the closest that lack it, or have a worse one, are given it.</summary>
    /// <param name="key">The key, with its namespace.</param>
    /// <param name="quorum">So many answers are enough; 0: all of the closest are asked.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ReadOnlyMemory<byte>?> GetValueAsync(ReadOnlyMemory<byte> key, int quorum, CancellationToken cancellationToken)
    {
        DhtRecord? best = _service.GetRecord(key.Span);
        int answers = best is null ? 0 : 1;
        Dictionary<PeerId, DhtRecord?> told = [];
        var request = new DhtMessage { Type = DhtMessageType.GetValue, Key = key };
        DhtLookupResult lookup = await _lookups.RunAsync(
            new DhtLookupPlan(request, DialPurpose.Awaited),
            (run, from, answer) =>
            {
                DhtRecord? record = answer.Record is { } given && given.Key.Span.SequenceEqual(key.Span) && RecordTable.IsValid(key.Span, given.Value.Span, _time.GetUtcNow()) ? given : null;
                told[from.Peer] = record;
                if (record is null)
                    return false;
                if (best is null || RecordTable.FindValidator(key.Span, out _)!.Compare(record.Value.Span, best.Value.Span) > 0)
                    best = record;
                return quorum > 0 && ++answers > quorum;
            },
            cancellationToken).ConfigureAwait(false);
        if (best is null)
            return null;
        foreach (Contact contact in lookup.Closest)
        {
            if (!told.TryGetValue(contact.Peer, out DhtRecord? record) || record?.Value.Span.SequenceEqual(best.Value.Span) == true)
                continue;
            DhtRecord right = best;
            _work.Run(() => TryPutAsync(contact, new DhtRecord(key, right.Value), _stop.Token));
        }

        return best.Value;
    }

    /// <summary>Stops everything that is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (IsServer)
            _pool.Unhandle(Protocol);
        await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        await _client.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>Asks whether a contact is there, and takes it in when it is.</summary>
    internal async Task<bool> CheckAsync(Contact contact, CancellationToken cancellationToken)
    {
        var request = new DhtMessage { Type = DhtMessageType.FindNode, Key = _pool.Self.ToArray() };
        DhtMessage? answer = await _lookups.TryAskAsync(contact, request, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
        if (answer is not null)
            _refresh.OnNeighboursNamed(answer.CloserPeers);
        return answer is not null;
    }

    /// <summary>Looks up our own place.</summary>
    /// <param name="others">Contacts to begin with besides those of the table.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task FindNeighboursAsync(IReadOnlyList<Contact> others, CancellationToken cancellationToken)
    {
        var request = new DhtMessage { Type = DhtMessageType.FindNode, Key = _pool.Self.ToArray() };
        var plan = new DhtLookupPlan(request, DialPurpose.Background) { Seeds = [.. _members.Closest(_members.Own, _settings.Lookup.K), .. others] };
        await _lookups.RunAsync(plan, static (_, _, _) => false, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> TryPutAsync(Contact contact, DhtRecord record, CancellationToken cancellationToken)
    {
        var request = new DhtMessage { Type = DhtMessageType.PutValue, Key = record.Key, Record = record };
        DhtMessage? answer = await _lookups.TryAskAsync(contact, request, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false);
        return answer?.Record?.Value.Span.SequenceEqual(record.Value.Span) == true;
    }

    /// <summary>Asks a newcomer in the background whether it is there; when too many are being asked, it has to come again.</summary>
    private void CheckSoon(Contact newcomer)
    {
        if (!_stop.IsCancellationRequested && _checks.Wait(0))
            _work.Run(() => CheckQuietlyAsync(newcomer));
    }

    private async Task CheckQuietlyAsync(Contact candidate)
    {
        try
        {
            await CheckAsync(candidate, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // stopping
        }
        finally
        {
            _checks.Release();
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await _refresh.RunAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // stopping
        }
    }

    internal async Task LookAfterAsync()
    {
        _service.Expire();
        await _client.CloseIdleAsync().ConfigureAwait(false);
    }

    private List<Multiaddress> OwnAddresses() => [.. _pool.OwnAddresses.Take(DhtMessageCodec.MaxAddresses)];
}
