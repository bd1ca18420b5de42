using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Catalogue;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;
using P2P.Core.Discovery;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>The peers of the local network: found, connected with, asked what they share there while somebody wants to know, and told to whoever watches.</summary>
internal sealed class LanNetwork : IConnectionObserver, IDisposable
{
    /// <summary>Peers that are connected with before anybody needs them (count): enough to enter the DHT and to be found there.</summary>
    private const int MaxKeptReady = 32;

    /// <summary>Peers that are asked what they share (count), and things that are done at a time.</summary>
    private const int MaxAsked = 64, MaxAtOnce = 8;

    /// <summary>Peers of earlier times that are dialed at a time (count): dead ones must not hold up those who are there.</summary>
    private const int MaxDialedAtOnce = 4;

    /// <summary>Changes that wait for one who watches (count): as many as a network may hold at first. Who falls behind gets the latest.</summary>
    private const int MaxWaiting = MaxAsked * CatalogueProtocol.MaxItems;

    /// <summary>How long after the start others may take to answer before nobody is there; and how often they are asked what they share.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(1), AskInterval = TimeSpan.FromSeconds(5);

    /// <summary>How often peers of earlier times are written down; and dialed again, at most, when somebody wants to know who is there.</summary>
    private static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(5), DialInterval = TimeSpan.FromMinutes(1);

    private readonly ConnectionPool _pool;
    private readonly LanDiscovery _discovery;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BackgroundWork _work;
    private readonly KnownNeighbours _known;
    private readonly SemaphoreSlim _places = new(MaxAtOnce), _dialing = new(MaxDialedAtOnce);
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new(); // guards the four below
    private readonly List<ChannelWriter<LanChange>> _watchers = [];
    private readonly Dictionary<PeerId, (string NodeName, IReadOnlyList<LanItem> Items)> _shared = [];
    private bool _isOver;
    private long? _dialedAt;
    private CancellationToken _stopping = new(canceled: true);

    public LanNetwork(ConnectionPool pool, ILanSystem system, string nodeName, Func<IReadOnlyList<IPNetwork>> onLink, BlockStore store, NodeSeams seams)
    {
        (_pool, _time) = (pool, seams.Time);
        _logger = seams.Loggers.CreateLogger("P2P.Core.Node");
        _work = new BackgroundWork(error => NodeLog.LoopFailed(_logger, error));
        _known = new KnownNeighbours(store);
        Catalogue = new LanCatalogue(pool, nodeName, onLink, seams.Time);
        _discovery = new LanDiscovery(pool.Self, system, () => pool.ListenAddresses, OnFound, OnGone, seams.Time, seams.ForkRandom(), seams.Loggers.CreateLogger("P2P.Core.Discovery"));
    }

    /// <summary>What this node shares there.</summary>
    public LanCatalogue Catalogue { get; }

    /// <summary>Who is there.</summary>
    public IReadOnlyList<PeerHint> Peers => [.. _discovery.Peers.Select(static one => new PeerHint(one.Peer, one.Addresses))];

    /// <summary>Those who list a content among what they share there, as far as they were asked.</summary>
    public IReadOnlyList<PeerId> WhoLists(Cid root)
    {
        lock (_gate)
            return [.. _shared.Where(one => one.Value.Items.Any(item => item.Root == root)).Select(static one => one.Key)];
    }

    /// <summary>The interfaces that are used, and whether packets get through there.</summary>
    public IReadOnlyList<(string Name, bool Works)> Interfaces => _discovery.Interfaces;

    private bool IsWatched
    {
        get
        {
            lock (_gate)
                return _watchers.Count > 0;
        }
    }

    /// <summary>Runs until the node stops.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _stopping = cancellationToken;
        _known.Load();
        _pool.Observe(this);
        Task running = _discovery.RunAsync(cancellationToken);
        IReadOnlyList<LanInterface> dialedOn = [];
        long saved = _time.GetTimestamp();
        try
        {
            dialedOn = DialKnown(dialedOn);
            await Task.WhenAny(running, Task.Delay(AnswerPatience, _time, cancellationToken)).ConfigureAwait(false);
            _answered.TrySetResult();
            while (!running.IsCompleted && !cancellationToken.IsCancellationRequested)
            {
                await Task.WhenAny(running, Task.Delay(AskInterval, _time, cancellationToken)).ConfigureAwait(false);
                dialedOn = DialKnown(dialedOn);
                foreach (PeerHint peer in Peers.Where(peer => _pool.TryGet(peer.Peer, out _)))
                    _discovery.OnStillThere(peer.Peer);
                if (_time.GetElapsedTime(saved) >= SaveInterval)
                {
                    await _known.SaveAsync(cancellationToken).ConfigureAwait(false);
                    saved = _time.GetTimestamp();
                }

                if (IsWatched && !cancellationToken.IsCancellationRequested)
                    await AskAllAsync(cancellationToken).ConfigureAwait(false);
            }

            await running.ConfigureAwait(false);
        }
        finally
        {
            _answered.TrySetResult();
            IReadOnlyList<LanInterface> cards = _discovery.Cards;
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it says good-bye
            await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            foreach (Connection connection in _pool.Connections) // of one that came just now nobody may have told us yet
            {
                if (PlaceOf(connection) is { } place && IsNear(place, cards))
                    _known.OnReached(connection.RemotePeer, place);
            }

            await _known.SaveAsync(CancellationToken.None).ConfigureAwait(false);
            lock (_gate)
            {
                _isOver = true;
                _watchers.ForEach(static watcher => watcher.TryComplete());
            }
        }
    }

    /// <summary>Somebody wants to know who is there: dials peers of earlier times again that nothing was heard of, in case that nothing can be.</summary>
    public void LookAgain()
    {
        lock (_gate)
        {
            if (_dialedAt is { } at && _time.GetElapsedTime(at) < DialInterval)
                return;
        }

        DialKnown();
    }

    /// <summary>Waits until somebody has answered, or until it is clear that nobody does at once.</summary>
    public Task WaitForAnswersAsync(CancellationToken cancellationToken) => _answered.Task.WaitAsync(cancellationToken);

    /// <summary>Everybody who is there and what they share, then each change.</summary>
    public async IAsyncEnumerable<LanChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var changes = Channel.CreateBounded<LanChange>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            if (_isOver)
                yield break;
            foreach (PeerHint peer in Peers)
            {
                (string NodeName, IReadOnlyList<LanItem> Items) shared = _shared.GetValueOrDefault(peer.Peer, (NodeName: "", Items: []));
                changes.Writer.TryWrite(new LanChange(LanChangeKind.PeerFound, peer.Peer) { Addresses = peer.Addresses, NodeName = NameOrNull(shared.NodeName) });
                foreach (LanItem item in shared.Items)
                    changes.Writer.TryWrite(Change(LanChangeKind.ItemFound, peer.Peer, shared.NodeName, item));
            }

            _watchers.Add(changes.Writer);
        }

        LookAgain();
        _work.Run(() => QuietlyAsync(AskAllAsync));
        try
        {
            await foreach (LanChange change in changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return change;
        }
        finally
        {
            lock (_gate)
                _watchers.Remove(changes.Writer);
        }
    }

    public void OnConnected(Connection connection)
    {
        if (connection.IsOutbound)
            OnReached(connection.RemotePeer, connection.RemoteAddress);
    }

    public void OnIdentified(Connection connection)
    {
        if (!connection.IsOutbound && PlaceOf(connection) is { } place)
            OnReached(connection.RemotePeer, place);
        if (IsWatched && _discovery.Peers.Any(known => known.Peer == connection.RemotePeer))
            _work.Run(() => QuietlyAsync(token => AskAsync(connection, token)));
    }

    public void OnDisconnected(Connection connection, string reason)
    {
        // it may have been idle; who goes says so, or is silent from now on
    }

    public void Dispose()
    {
        _places.Dispose();
        _dialing.Dispose();
    }

    private static LanChange Change(LanChangeKind kind, PeerId peer, string nodeName, LanItem item) => new(kind, peer) { NodeName = NameOrNull(nodeName), Item = item };

    private static string? NameOrNull(string name) => name.Length == 0 ? null : name;

    /// <summary>Where a peer can be dialed again: one that has dialed us where it comes from, on the port that it says it listens on.</summary>
    private static Multiaddress? PlaceOf(Connection connection) => connection.IsOutbound ? connection.RemoteAddress
        : connection.RemoteAddress.TryGetIPAddress(out IPAddress? from) ? connection.Remote?.ListenAddresses.FirstOrDefault(address => address.TryGetIPAddress(out IPAddress? ip) && ip.Equals(from))
        : null;

    private void OnReached(PeerId peer, Multiaddress address)
    {
        if (_stopping.IsCancellationRequested || !IsNear(address, _discovery.Cards))
            return;
        _known.OnReached(peer, address);
        _discovery.OnReached(peer, address);
    }

    private static bool IsNear(Multiaddress address, IReadOnlyList<LanInterface> cards) =>
        address.TryGetIPAddress(out IPAddress? ip) && !ip.IsIPv6LinkLocal && cards.Any(card => card.IsOnLink(ip));

    /// <summary>Dials peers of earlier times whose address is on a network of ours, at the start and when our networks have changed.</summary>
    /// <returns>The networks that it was done for.</returns>
    private IReadOnlyList<LanInterface> DialKnown(IReadOnlyList<LanInterface> dialedOn)
    {
        IReadOnlyList<LanInterface> cards = _discovery.Cards;
        if (!ReferenceEquals(cards, dialedOn))
            DialKnown();
        return cards;
    }

    private void DialKnown()
    {
        if (_stopping.IsCancellationRequested)
            return;
        lock (_gate)
            _dialedAt = _time.GetTimestamp();
        IReadOnlyList<LanInterface> cards = _discovery.Cards;
        HashSet<PeerId> there = [.. Peers.Select(static peer => peer.Peer)];
        foreach ((PeerId peer, Multiaddress address) in _known.All.Where(known => IsNear(known.Address, cards) && !there.Contains(known.Peer)))
            _work.Run(() => QuietlyAsync(token => ConnectAsync(new PeerHint(peer, [address]), _dialing, token)));
    }

    private void OnFound(PeerId peer, IReadOnlyList<Multiaddress> addresses)
    {
        lock (_gate)
            Tell(new LanChange(LanChangeKind.PeerFound, peer) { Addresses = addresses, NodeName = NameOrNull(_shared.GetValueOrDefault(peer, (NodeName: "", Items: [])).NodeName) });
        if (!_stopping.IsCancellationRequested && Peers.Count(known => _pool.TryGet(known.Peer, out _)) < MaxKeptReady)
            _work.Run(() => QuietlyAsync(token => ConnectAsync(new PeerHint(peer, addresses), token)));
    }

    private void OnGone(PeerId peer)
    {
        lock (_gate)
        {
            if (_shared.Remove(peer, out (string NodeName, IReadOnlyList<LanItem> Items) shared))
            {
                foreach (LanItem item in shared.Items)
                    Tell(Change(LanChangeKind.ItemGone, peer, shared.NodeName, item));
            }

            Tell(new LanChange(LanChangeKind.PeerGone, peer));
        }
    }

    /// <summary>Tells all watchers; under the lock, so that all see one order.</summary>
    private void Tell(LanChange change) => _watchers.ForEach(watcher => watcher.TryWrite(change));

    private Task AskAllAsync(CancellationToken cancellationToken) => Task.WhenAll(Peers.Take(MaxAsked).Select(async peer =>
    {
        if (await ConnectAsync(peer, cancellationToken).ConfigureAwait(false) is { } connection)
            await AskAsync(connection, cancellationToken).ConfigureAwait(false);
    }));

    private async Task AskAsync(Connection connection, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            CatalogueList list = await Catalogue.AskAsync(connection, cancellationToken).ConfigureAwait(false) ?? new CatalogueList("", []);
            OnList(connection.RemotePeer, list);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            NodeLog.NeighbourNotReached(_logger, connection.RemotePeer, UntrustedText.Clean(error.Message));
        }
        finally
        {
            _places.Release();
        }
    }

    private void OnList(PeerId peer, CatalogueList list)
    {
        lock (_gate)
        {
            if (_discovery.Peers.FirstOrDefault(known => known.Peer == peer) is not { Addresses: { } addresses } || (_shared.Count >= MaxAsked && !_shared.ContainsKey(peer)))
                return;
            (string NodeName, IReadOnlyList<LanItem> Items) before = _shared.GetValueOrDefault(peer, (NodeName: "", Items: []));
            string name = UntrustedText.Clean(list.NodeName);
            Dictionary<CatalogueItem, LanItem> known = before.Items.ToDictionary(ToCatalogue);
            LanItem[] items = [.. list.Items.Where(static item => item.Name != ShareLink.PrivateLabel).Distinct().Select(item => known.GetValueOrDefault(item) ?? Read(peer, addresses, item))];
            _shared[peer] = (name, items);
            if (name != before.NodeName && name.Length > 0)
                Tell(new LanChange(LanChangeKind.PeerFound, peer) { Addresses = addresses, NodeName = name });
            foreach (LanItem gone in before.Items.Except(items))
                Tell(Change(LanChangeKind.ItemGone, peer, name, gone));
            foreach (LanItem found in items.Except(before.Items))
                Tell(Change(LanChangeKind.ItemFound, peer, name, found));
        }
    }

    private static CatalogueItem ToCatalogue(LanItem item) => new(item.Name, item.Root, item.Bytes, item.IsFolder, item.Created);

    private static LanItem Read(PeerId peer, IReadOnlyList<Multiaddress> addresses, CatalogueItem item) =>
        new(item.Name, item.Root, item.Bytes, item.IsFolder, item.Created, ShareLink.Create(item.Root, item.Name, [new PeerHint(peer, addresses)]));

    /// <summary>The connection to a peer; null: it cannot be reached now.</summary>
    private Task<Connection?> ConnectAsync(PeerHint peer, CancellationToken cancellationToken) => ConnectAsync(peer, _places, cancellationToken);

    private async Task<Connection?> ConnectAsync(PeerHint peer, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        await places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Connection connection = await _pool.ConnectAsync(peer.Peer, peer.Addresses, AddressOrigin.Peer, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
            _answered.TrySetResult();
            return connection;
        }
        catch (P2PException error)
        {
            NodeLog.NeighbourNotReached(_logger, peer.Peer, error.Message);
            return null;
        }
        finally
        {
            places.Release();
        }
    }

    private async Task QuietlyAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await work(_stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // the node stops
        }
    }
}
