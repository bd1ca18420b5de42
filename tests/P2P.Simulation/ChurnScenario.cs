using P2P.Core.Addresses;
using P2P.Core.Dht;

namespace P2P.Simulation;

/// <summary>
/// Nodes come and go, and somebody searches all the time for what a few that stay have announced. A node that goes loses its table and what it kept for others,
/// as a process that is ended does; it comes back with the same key and enters by any node that is there. Tables, their refresh schedule, lookups and provider
/// tables are the real ones.
/// </summary>
internal sealed class ChurnScenario
{
    private const int K = RoutingTableSettings.K, Paths = 5, KeysPerPublisher = 4, ChecksAtOnce = 32;

    private readonly ChurnSettings _settings;
    private readonly SimNetwork _network;
    private readonly Dictionary<SimNode, ProviderTable> _kept = [];
    private readonly Dictionary<SimNode, int> _sessions = [];
    private readonly List<(SimNode Publisher, DhtKey Key)> _announced = [];
    private readonly List<SimNode> _passing = [];

    public ChurnScenario(ChurnSettings settings, ulong seed)
    {
        (_settings, _network) = (settings, new SimNetwork(seed));
        for (int i = 0; i < settings.Nodes; i++)
            _passing.Add(_network.AddNode());
        for (int i = 0; i < settings.Publishers; i++)
            Publish(_network.AddNode());
    }

    /// <summary>Searches made, and those that found the provider, each hour from the first announcement on.</summary>
    public List<(int Made, int Found)> Hours { get; } = [];

    public long Requests => _network.Requests;

    /// <summary>The part of the nodes that is there.</summary>
    public double OnlinePart => _passing.Count(static node => node.IsOnline) / (double)_passing.Count;

    private TimeSpan Now => TimeSpan.FromTicks(_network.Events.Now);

    /// <summary>Lets all nodes enter, waits until sessions of all lengths are under way, announces, and searches to the end.</summary>
    public void Run()
    {
        foreach (SimNode node in _network.Nodes)
            _network.Events.After(TimeSpan.FromSeconds(_settings.Nodes * 0.2 * _network.Random.NextDouble()), () => Begin(node));
        foreach (SimNode node in _passing)
            _network.Events.After(Session(), () => End(node));
        _network.Events.Run(_settings.WarmUp);
        foreach ((SimNode publisher, DhtKey key) in _announced)
            Announce(publisher, key);
        for (int hour = 0; hour < _settings.Hours; hour++)
        {
            Hours.Add((0, 0));
            int current = hour;
            for (int i = 0; i < _settings.SearchesPerHour; i++)
                _network.Events.After(TimeSpan.FromHours((i + 1.0) / (_settings.SearchesPerHour + 1)), () => Search(current));
            _network.Events.Run(_settings.WarmUp + TimeSpan.FromHours(hour + 1));
        }

        _network.Events.Run(Now + TimeSpan.FromMinutes(2)); // the last searches end
    }

    private void Publish(SimNode publisher)
    {
        for (int i = 0; i < KeysPerPublisher; i++)
            _announced.Add((publisher, DhtKey.Random(_network.Random)));
    }

    private TimeSpan Session()
    {
        double scale = _settings.MedianSession.TotalHours / Math.Pow(Math.Log(2), 2);
        return TimeSpan.FromHours(Math.Min(24_000, scale * Math.Pow(-Math.Log(1 - _network.Random.NextDouble()), 2)));
    }

    private void End(SimNode node)
    {
        node.IsOnline = false;
        _kept.Remove(node);
        TimeSpan absence = _settings.MedianAbsence * (-Math.Log(1 - _network.Random.NextDouble()) / Math.Log(2));
        _network.Events.After(absence, () =>
        {
            node.Restart();
            Begin(node);
            _network.Events.After(Session(), () => End(node));
        });
    }

    private void Begin(SimNode node)
    {
        int session = _sessions[node] = _sessions.GetValueOrDefault(node) + 1;
        _kept[node] = new ProviderTable(ProviderTableSettings.Default, _network.Random);
        var schedule = new RefreshSchedule(RefreshSettings.Default with { Interval = _settings.RefreshInterval });
        TimeSpan began = Now;
        Step();

        void Step()
        {
            while (node.IsOnline && _sessions[node] == session)
            {
                RefreshStep step = schedule.Next(node.Table, Now - began); // buckets are marked with the same clock
                switch (step.Kind)
                {
                    case RefreshStepKind.Bootstrap:
                        Meet(node);
                        continue;
                    case RefreshStepKind.Check:
                        foreach (Contact silent in node.Table.FindSilent(Now, 2 * _settings.RefreshInterval, ChecksAtOnce))
                            _network.Ping(node, silent);
                        continue;
                    case RefreshStepKind.Self:
                        Find(node, node.Key, began, Step);
                        return;
                    case RefreshStepKind.Bucket:
                        Find(node, node.Key.Flip(step.Prefix).WithTail(step.Prefix + 1, DhtKey.Random(_network.Random)), began, Step);
                        return;
                    default:
                        _network.Events.After(TimeSpan.FromTicks(Math.Max((step.Until - (Now - began)).Ticks, TimeSpan.TicksPerSecond)), Step);
                        return;
                }
            }
        }
    }

    private void Find(SimNode node, DhtKey target, TimeSpan began, Action done)
    {
        node.Table.Bucket(node.Table.BucketOf(target)).LastUsed = Now - began;
        _network.Find(node, target, _ => done());
    }

    /// <summary>Makes a node known to one that is there.</summary>
    private void Meet(SimNode node)
    {
        _network.Meet(node, Draw(node));
    }

    private SimNode Draw(SimNode? but = null)
    {
        while (true)
        {
            SimNode node = _network.Nodes[_network.Random.Next(_network.Nodes.Count)];
            if (node.IsOnline && node != but)
                return node;
        }
    }

    private void Announce(SimNode publisher, DhtKey key)
    {
        _network.Find(publisher, key, lookup =>
        {
            var caller = new DhtCaller(publisher.Contact.Peer, AddressScope.Public, default, default);
            foreach (Contact contact in lookup.Closest)
                _network.Tell(contact, node => _kept[node].Add(key, publisher.Contact, caller, Now));
        });
        _network.Events.After(_settings.ProvideInterval, () => Announce(publisher, key));
    }

    /// <summary>Somebody who is there searches, along one path and then, having found nothing, along disjoint ones.</summary>
    private void Search(int hour)
    {
        (_, DhtKey key) = _announced[_network.Random.Next(_announced.Count)];
        SimNode from = Draw();
        bool isFound = _kept[from].Get(key, 1, Now).Count > 0;
        Contact[] known = from.Table.Closest(key, K);
        _network.Run(from, new Lookup(key, known, LookupSettings.Default, from.Key), Ask, () =>
        {
            if (isFound)
                Note();
            else
                _network.Run(from, new DisjointLookup(key, from.Table.Closest(key, K), Paths, LookupSettings.Default, from.Key), Ask, Note);
        });

        void Ask(SimNode asked) => isFound |= _kept.TryGetValue(asked, out ProviderTable? kept) && kept.Get(key, 1, Now).Count > 0;

        void Note() => Hours[hour] = (Hours[hour].Made + 1, Hours[hour].Found + (isFound ? 1 : 0));
    }
}

/// <summary>A network of nodes that come and go.</summary>
internal sealed record ChurnSettings
{
    /// <summary>Nodes that come and go (count).</summary>
    public int Nodes { get; init; } = 1_000;

    /// <summary>Nodes that stay, with four keys each (count).</summary>
    public int Publishers { get; init; } = 50;

    /// <summary>Half of the sessions are shorter; Weibull with shape 0.5, so many are short and few very long.</summary>
    public TimeSpan MedianSession { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Half of the absences are shorter; exponential.</summary>
    public TimeSpan MedianAbsence { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>A bucket that no lookup went through for so long is looked through.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan ProvideInterval { get; init; } = TimeSpan.FromHours(22);

    /// <summary>Before the first announcement, so that not all sessions are young.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Searched from the first announcement on (hours).</summary>
    public int Hours { get; init; } = 48;

    public int SearchesPerHour { get; init; } = 600;
}
