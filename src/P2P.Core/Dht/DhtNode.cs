using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;

namespace P2P.Core.Dht;

/// <summary>A node of one DHT: answers others when it is a server, looks up, announces, and looks after its table. Thread-safe.</summary>
internal sealed class DhtNode : IAsyncDisposable
{
    /// <summary>Contacts to which something is told (count).</summary>
    private const int K = RoutingTableSettings.K;

    /// <summary>So many of the 20 have taken an announcement, and its sender need not wait for the rest.</summary>
    private const int EnoughTold = 15;

    private readonly ConnectionPool _pool;
    private readonly DhtNodeSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DhtMembers _members;
    private readonly DhtService _service;
    private readonly DhtClient _client;
    private readonly DhtRefresh _refresh;
    private readonly BackgroundWork _work;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Prepares it; nothing happens before <see cref="Start"/>.</summary>
    public DhtNode(ConnectionPool pool, DhtNodeSettings settings, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        (_pool, _settings, _time) = (pool, settings, time);
        _logger = loggers.CreateLogger("P2P.Core.Dht");
        _members = new DhtMembers(pool, settings, time, _logger);
        _service = new DhtService(pool, _members, settings, time, random);
        _client = new DhtClient(pool, settings.Protocol, settings.RequestTimeout, time);
        _work = new BackgroundWork(error => DhtLog.BackgroundFailed(_logger, error));
        _refresh = new DhtRefresh(this, _members, settings, time, random, _logger);
    }

    /// <summary>Our own name.</summary>
    public PeerId Self => _pool.Self;

    /// <summary>The protocol.</summary>
    public string Protocol => _settings.Protocol;

    /// <summary>Whether it answers others.</summary>
    public bool IsServer => _settings.IsServer;

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
        if (_settings.IsServer)
            _service.Start();
        _work.Run(RunAsync);
        DhtLog.Started(_logger, Protocol, IsServer ? "server" : "client");
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
        Lookup lookup = await LookUpAsync(request, [], purpose, static (_, _) => false, cancellationToken).ConfigureAwait(false);
        return lookup.Closest;
    }

    /// <summary>Where a peer is; null when nobody asked knows.</summary>
    public async Task<Contact?> FindPeerAsync(PeerId peer, CancellationToken cancellationToken)
    {
        Contact? found = null;
        var request = new DhtMessage { Type = DhtMessageType.FindNode, Key = peer.ToArray() };
        await LookUpAsync(
            request,
            [],
            DialPurpose.Awaited,
            (_, answer) =>
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
                await LookUpAsync(request, [], DialPurpose.Awaited, Take, stop.Token).ConfigureAwait(false);
                found.Writer.TryComplete();
            }
            catch (Exception error)
            {
                found.Writer.TryComplete(error is OperationCanceledException ? null : error);
            }
        }

        bool Take(Contact from, DhtMessage answer)
        {
            foreach (Contact provider in answer.ProviderPeers)
            {
                if (seen.Count < count && provider.Peer != _pool.Self && seen.Add(provider.Peer))
                    found.Writer.TryWrite(provider);
            }

            return seen.Count >= count;
        }
    }

    /// <summary>Tells the closest peers that this node has the content of a key.</summary>
    /// <param name="key">The multihash.</param>
    /// <param name="purpose">Which dial budget pays.</param>
    /// <param name="cancellationToken">Ends the lookup and the telling; who was told stays told.</param>
    /// <returns>How many took it. Those that are slow to take it are not waited for once most have.</returns>
    public async Task<ProvideResult> ProvideAsync(ReadOnlyMemory<byte> key, DialPurpose purpose, CancellationToken cancellationToken)
    {
        IReadOnlyList<Contact> closest = await FindClosestAsync(key, purpose, cancellationToken).ConfigureAwait(false);
        var self = new Contact(_pool.Self, OwnAddresses());
        if (closest.Count == 0 || self.Addresses.Count == 0)
            return new ProvideResult(0, closest.Count);
        var statement = new DhtMessage { Type = DhtMessageType.AddProvider, Key = key, ProviderPeers = [self] };
        int told = 0, wanted = Math.Min(EnoughTold, closest.Count);
        List<Task<bool>> telling = [.. closest.Select(contact => TryTellAsync(contact, statement, purpose))];
        foreach (Task<bool> each in telling)
            _work.Add(each);
        await foreach (Task<bool> each in Task.WhenEach(telling).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            told += await each.ConfigureAwait(false) ? 1 : 0;
            if (told >= wanted && telling.Count(static one => !one.IsCompleted) <= K - EnoughTold)
                break;
        }

        told = telling.Count(static one => one.IsCompletedSuccessfully && one.Result);
        DhtLog.Provided(_logger, DhtKey.Of(key.Span), told, closest.Count);
        return new ProvideResult(told, closest.Count);
    }

    /// <summary>Whether a lookup that begins elsewhere finds this node among the providers of a key.</summary>
    /// <param name="key">The multihash.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<bool> IsFoundAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        bool isFound = false;

        // begins with the contacts that are farthest from the key, as a stranger would: their answers, not our table, have to lead there
        DhtKey target = DhtKey.Of(key.Span);
        List<Contact> far = _members.All();
        far.Sort((a, b) => target.CompareDistance(b.Key, a.Key));
        var request = new DhtMessage { Type = DhtMessageType.GetProviders, Key = key };
        await LookUpAsync(
            request,
            far.Take(K).ToArray(),
            DialPurpose.Awaited,
            (_, answer) => isFound |= answer.ProviderPeers.Any(provider => provider.Peer == _pool.Self),
            cancellationToken).ConfigureAwait(false);
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
        Lookup lookup = await LookUpAsync(
            request,
            [],
            DialPurpose.Awaited,
            (from, answer) =>
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
        if (_settings.IsServer)
            _pool.Unhandle(Protocol);
        await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        await _client.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>Asks whether a contact is there, and takes it in when it is.</summary>
    internal async Task<bool> CheckAsync(Contact contact, CancellationToken cancellationToken)
    {
        var request = new DhtMessage { Type = DhtMessageType.FindNode, Key = _pool.Self.ToArray() };
        return await TryAskAsync(contact, request, DialPurpose.Background, cancellationToken).ConfigureAwait(false) is not null;
    }

    private async Task<Lookup> LookUpAsync(
        DhtMessage request, Contact[] seeds, DialPurpose purpose, Func<Contact, DhtMessage, bool> onAnswer, CancellationToken cancellationToken)
    {
        DhtKey target = DhtKey.Of(request.Key.Span);
        if (seeds.Length == 0)
            seeds = _members.Closest(target, _settings.Lookup.K);
        var lookup = new Lookup(target, seeds, _settings.Lookup, _members.Own);
        using Deadline deadline = new(_settings.LookupTimeout, _time, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _stop.Token);
        long began = _time.GetTimestamp();
        try
        {
            await new LookupRun(lookup, (contact, token) => TryAskAsync(contact, request, purpose, token), _time).RunAsync(onAnswer, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            // what was found until now is the result
        }

        DhtLog.LookupFinished(_logger, target, lookup.Requests, lookup.Closest.Count, _time.GetElapsedTime(began).TotalMilliseconds);
        return lookup;
    }

    private async Task<DhtMessage?> TryAskAsync(Contact contact, DhtMessage request, DialPurpose purpose, CancellationToken cancellationToken)
    {
        try
        {
            DhtMessage answer = await _client.AskAsync(contact, request, purpose, cancellationToken).ConfigureAwait(false);
            _members.OnAnswer(contact);
            return answer;
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            OnFailure(contact, error);
            return null;
        }
    }

    private async Task<bool> TryTellAsync(Contact contact, DhtMessage statement, DialPurpose purpose)
    {
        try
        {
            await _client.TellAsync(contact, statement, purpose, _stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException or OperationCanceledException)
        {
            if (error is not OperationCanceledException)
                OnFailure(contact, error);
            return false;
        }
    }

    private async Task<bool> TryPutAsync(Contact contact, DhtRecord record, CancellationToken cancellationToken)
    {
        var request = new DhtMessage { Type = DhtMessageType.PutValue, Key = record.Key, Record = record };
        DhtMessage? answer = await TryAskAsync(contact, request, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false);
        return answer?.Record?.Value.Span.SequenceEqual(record.Value.Span) == true;
    }

    private void OnFailure(Contact contact, Exception error)
    {
        DhtLog.RequestFailed(_logger, contact.Peer, UntrustedText.Clean(error.Message));
        if (_members.OnFailure(contact.Key, contact.Peer, "it failed") is { } candidate && !_stop.IsCancellationRequested)
            _work.Run(() => CheckQuietlyAsync(candidate));
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

    private List<Multiaddress> OwnAddresses() => [.. _pool.ListenAddresses.Take(DhtMessageCodec.MaxAddresses)];
}
