using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Nat;

namespace P2P.Core.Node;

/// <summary>
/// Sees to it that others reach this node: has routers lead a port here, gathers under which addresses peers see us, has peers outside dial them, and tells
/// the network of those that work. Thread-safe.
/// </summary>
internal sealed class Reaching : IConnectionObserver, IAsyncDisposable
{
    /// <summary>Questions to peers at once (count).</summary>
    private const int MaxAtOnce = 4;

    /// <summary>How often it is looked whether an address has to be asked about again.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    private readonly ConnectionPool _pool;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<CancellationToken, Task> _onChanged;
    private readonly PortMappings? _mappings;
    private readonly AutoNatClient _client;
    private readonly AutoNatServer _server;
    private readonly BackgroundWork _work;
    private readonly SemaphoreSlim _places = new(MaxAtOnce);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // guards the fields below
    private readonly AddressVerdicts _verdicts;
    private readonly ObservedAddresses _observed = new();
    private IReadOnlyList<IPAddress> _routers = [];

    /// <param name="pool">The connections.</param>
    /// <param name="seams">The world.</param>
    /// <param name="mapsPorts">Whether routers are asked for a port.</param>
    /// <param name="onChanged">Tells others where we are now.</param>
    public Reaching(ConnectionPool pool, NodeSeams seams, bool mapsPorts, Func<CancellationToken, Task> onChanged)
    {
        (_pool, _time, _onChanged) = (pool, seams.Time, onChanged);
        _logger = seams.Loggers.CreateLogger("P2P.Core.Nat");
        _work = new BackgroundWork(error => NatLog.BackgroundFailed(_logger, error));
        _client = new AutoNatClient(pool, seams.Time, _logger);
        _server = new AutoNatServer(pool, seams.Transports, seams.Time, seams.ForkRandom(), seams.Loggers);
        _verdicts = new AddressVerdicts(seams.Time);
        _mappings = mapsPorts && seams.Gateways is { } gateways ? new PortMappings(gateways, HomePorts, OnMappingsChanged, seams.Time, seams.ForkRandom(), _logger) : null;
    }

    /// <summary>Whether peers on the internet reach us.</summary>
    public Reachability Internet
    {
        get
        {
            lock (_gate)
            {
                if (_observed.Confirmed.Count > 0)
                    return Reachability.Reachable;
                Reachability[] all = [.. _verdicts.Candidates.Select(_verdicts.Of)];
                return all.Contains(Reachability.Reachable) ? Reachability.Reachable
                    : all.Length > 0 && all.All(static one => one == Reachability.Unreachable) ? Reachability.Unreachable
                    : Reachability.Unknown;
            }
        }
    }

    /// <summary>Ports of routers that lead here.</summary>
    public IReadOnlyList<MappedPort> Mappings =>
        [.. (_mappings?.Current ?? []).Select(static mapping => new MappedPort(mapping.Protocol, mapping.Gateway.Router.ToString(), Multiaddress.FromEndPoint(mapping.External), mapping.InternalPort, mapping.Lifetime))];

    /// <summary>
    /// What goes into a link besides the addresses listened on: whoever gets it tries all, so what a router says is good enough, unless it is known to be wrong.
    /// </summary>
    public IReadOnlyList<Multiaddress> ForLinks
    {
        get
        {
            lock (_gate)
                return [.. _pool.ExternalAddresses.Union(MappedLocked().Where(address => _verdicts.Of(address) != Reachability.Unreachable))];
        }
    }

    /// <summary>Starts to answer peers.</summary>
    public void Start()
    {
        _client.Start();
        _server.Start();
        _pool.Observe(this);
    }

    /// <summary>Runs until the node stops, then gives ports back.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Task mapping = _mappings?.RunAsync(cancellationToken) ?? Task.CompletedTask;
        try
        {
            int network = NetworkChanges.Version;
            while (true)
            {
                if (network != NetworkChanges.Version)
                {
                    network = NetworkChanges.Version;
                    _mappings?.Look();
                }

                Update();
                AskMore();
                await Task.Delay(LookInterval, _time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await mapping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>We listen now, or elsewhere.</summary>
    public void OnListening() => _mappings?.Look();

    /// <summary>Waits until routers have been asked for a port, but not for long: a link that is made then has the address.</summary>
    public async Task WaitForMappingAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_mappings is null || HomePorts().Count == 0)
            return;
        using var deadline = new Deadline(patience, _time, cancellationToken);
        try
        {
            await _mappings.WaitUntilSettledAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            // without it, then
        }
    }

    /// <summary>Looks at everything anew: asks the routers again, and peers outside to dial.</summary>
    /// <param name="lan">The interfaces to local networks, and whether packets get through there; null: not looked at.</param>
    /// <param name="neighbours">Peers on them (count).</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ReachabilityReport> DiagnoseAsync(IReadOnlyList<(string Name, bool Works)>? lan, int neighbours, TimeSpan patience, CancellationToken cancellationToken)
    {
        await WaitForMappingAsync(patience, cancellationToken).ConfigureAwait(false);
        Update();
        lock (_gate)
            _verdicts.AskAnew();
        using (var deadline = new Deadline(patience, _time, cancellationToken))
        {
            try
            {
                await Task.WhenAll(TakeQuestions().Select(question => AskAsync(question, deadline.Token))).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (deadline.IsOver)
            {
                // those that answered count
            }
        }

        lock (_gate)
        {
            return Diagnosis.Of(new ReachabilityFacts
            {
                Internet = Internet,
                ListenAddresses = _pool.ListenAddresses,
                MapsPorts = _mappings is not null,
                Routers = _mappings?.Gateways ?? [],
                Mappings = Mappings,
                MappingFailures = _mappings?.Failures ?? [],
                SeenAt = _observed.Addresses,
                Tested = [.. _verdicts.Candidates.Select(address => new TestedAddress(address, _verdicts.Of(address), _verdicts.TriedBy(address)))],
                Confirmed = _observed.Confirmed,
                Lan = lan,
                Neighbours = neighbours,
            });
        }
    }

    public void OnConnected(Connection connection)
    {
    }

    public void OnIdentified(Connection connection)
    {
        if (connection.Remote?.ObservedAddress is { } observed && connection.RemoteAddress.TryGetIPAddress(out IPAddress? witness))
        {
            bool isNew;
            lock (_gate)
                isNew = _observed.Note(observed, witness, connection.IsOutbound);
            if (isNew)
                Update();
        }

        if (CanJudge(connection))
            AskMore();
    }

    public void OnDisconnected(Connection connection, string reason)
    {
        // what it said still counts
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _places.Dispose();
        _stop.Dispose();
    }

    private static bool CanJudge(Connection connection) => AutoNatClient.IsServer(connection) && connection.RemoteAddress.Scope == AddressScope.Public;

    /// <summary>Our ports in private networks of IPv4: those that a router has to lead to.</summary>
    private List<int> HomePorts() => [.. _pool.ListenAddresses
        .Select(static address => address.TryGetEndPoint(out IPEndPoint? end) && end.AddressFamily == AddressFamily.InterNetwork && AddressScopes.Of(end.Address) == AddressScope.Private ? end.Port : 0)
        .Where(static port => port > 0)
        .Distinct()];

    private void OnMappingsChanged()
    {
        Update();
        AskMore();
    }

    private IEnumerable<Multiaddress> MappedLocked() => (_mappings?.Current ?? [])
        .Where(static mapping => AddressScopes.Of(mapping.External.Address) == AddressScope.Public)
        .Select(static mapping => Multiaddress.FromEndPoint(mapping.External));

    /// <summary>Brings what is asked about and what is told of in line with what is known.</summary>
    private void Update()
    {
        IReadOnlyList<Multiaddress> listening = _pool.ListenAddresses;
        bool isChanged;
        lock (_gate)
        {
            IPAddress[] routers = [.. (_mappings?.Gateways ?? []).Select(static gateway => gateway.Router)];
            if (_routers.Count > 0 && !_routers.SequenceEqual(routers))
                _observed.Clear(); // another network: nobody has seen us there
            _routers = routers;

            // a port that somebody has set up in the router by hand has the same number on both sides
            IEnumerable<Multiaddress> guessed = from ip in _observed.Addresses
                                                from own in listening
                                                where own.TryGetEndPoint(out IPEndPoint? end) && end.AddressFamily == ip.AddressFamily && own.Scope != AddressScope.Loopback
                                                select Multiaddress.FromEndPoint(new IPEndPoint(ip, own.TryGetEndPoint(out IPEndPoint? its) ? its.Port : 0));
            _verdicts.SetCandidates([.. MappedLocked(), .. listening.Where(static address => address.Scope == AddressScope.Public), .. guessed]);
            Multiaddress[] external = [.. _verdicts.Candidates.Where(address => _verdicts.Of(address) == Reachability.Reachable).Union(_observed.Confirmed).Except(listening)];
            isChanged = !external.SequenceEqual(_pool.ExternalAddresses);
            if (isChanged)
                _pool.ExternalAddresses = external;
        }

        if (isChanged && !_stop.IsCancellationRequested)
            _work.Run(() => QuietlyAsync(_onChanged));
    }

    private void AskMore()
    {
        if (_stop.IsCancellationRequested)
            return;
        foreach ((Connection Peer, Multiaddress Address, string Network) question in TakeQuestions())
            _work.Run(() => QuietlyAsync(token => AskAsync(question, token)));
    }

    /// <summary>Pairs addresses that have to be asked about with peers that have not been asked about them.</summary>
    private List<(Connection Peer, Multiaddress Address, string Network)> TakeQuestions()
    {
        Dictionary<string, Connection> judges = [];
        foreach (Connection connection in _pool.Connections)
        {
            if (!connection.IsSuperseded && CanJudge(connection) && connection.RemoteAddress.TryGetIPAddress(out IPAddress? ip))
                judges.TryAdd(AddressVerdicts.NetworkOf(ip), connection);
        }

        List<(Connection, Multiaddress, string)> questions = [];
        lock (_gate)
        {
            while (_verdicts.Next(judges.Keys, out string network) is { } address)
            {
                _verdicts.Note(address, network, isReached: null); // being asked
                questions.Add((judges[network], address, network));
            }
        }

        return questions;
    }

    private async Task AskAsync((Connection Peer, Multiaddress Address, string Network) question, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        bool? isReached;
        try
        {
            isReached = await _client.AskAsync(question.Peer, question.Address, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }

        bool isChanged;
        Reachability verdict;
        lock (_gate)
        {
            isChanged = _verdicts.Note(question.Address, question.Network, isReached);
            verdict = _verdicts.Of(question.Address);
        }

        if (!isChanged)
            return;
        if (verdict == Reachability.Reachable)
            NatLog.Reachable(_logger, question.Address);
        else
            NatLog.Unreachable(_logger, question.Address);
        Update();
    }

    private async Task QuietlyAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await work(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // the node stops
        }
    }
}
