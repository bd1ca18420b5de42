using P2P.Core.Dht;

namespace P2P.Simulation;

/// <summary>
/// A network at rest, some of whose nodes are hostile: they take no announcement and tell of hostile nodes only. Lookups are the real state machines, answered
/// at once; what is told to a node is kept by it if it is honest.
/// </summary>
internal sealed class AttackScenario
{
    private const int K = RoutingTableSettings.K, Paths = 5, SizeSamples = 24;

    private readonly SimNetwork _network;
    private readonly List<SimNode> _honest;
    private readonly List<SimNode> _hostile = [];
    private readonly HashSet<DhtKey> _hostileKeys = [];
    private readonly HashSet<DhtKey> _told = [];
    private readonly Dictionary<DhtKey, NetworkSize> _sizes = [];

    /// <summary>Fills a network from the view of all nodes.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="hostilePart">The part of them that is hostile, anywhere.</param>
    /// <param name="seed">Chance.</param>
    public AttackScenario(int nodes, double hostilePart, ulong seed)
    {
        _network = new SimNetwork(seed);
        for (int i = 0; i < nodes; i++)
            _network.AddNode();
        var truth = new KeyIndex(_network.Nodes);
        foreach (SimNode node in _network.Nodes)
            _network.Fill(node, truth);
        foreach (SimNode node in _network.Nodes.Where(_ => _network.Random.NextDouble() < hostilePart))
            MakeHostile(node);
        _honest = [.. _network.Nodes.Where(node => !_hostileKeys.Contains(node.Key))];
    }

    /// <summary>Whether the whole region is told and asked when the closest look as if somebody had made them.</summary>
    public bool DefendsRegions { get; init; } = true;

    /// <summary>Whether a search that found nothing is made again along disjoint paths.</summary>
    public bool HasDisjointPaths { get; init; } = true;

    /// <summary>Requests of the last search.</summary>
    public int Requests { get; private set; }

    /// <summary>Surrounds a key with identities that are closer to it than any honest node, and makes them known to everybody who has room.</summary>
    /// <param name="key">The key.</param>
    /// <param name="count">How many.</param>
    /// <param name="group">Their network; none: one each, so that no limit applies.</param>
    public void Surround(DhtKey key, int count, NetworkGroup group)
    {
        SimNode closest = _honest.MinBy(node => node.Key ^ key)!;
        double reach = KeyDistance.Of(key, closest.Key);
        List<SimNode> made = [];
        while (made.Count < count)
            made.Add(_network.AddNode(place => KeyDistance.Of(key, place) < reach)); // each costs ten thousand hashes in a network of so many
        made.ForEach(MakeHostile);

        foreach (SimNode node in _honest)
        {
            foreach (SimNode hostile in made)
                node.Table.Admit(hostile.Contact, group, TimeSpan.Zero);
        }
    }

    /// <summary>Announces a key.</summary>
    /// <returns>Honest nodes that keep it.</returns>
    public int Provide(DhtKey key)
    {
        _told.Clear();
        SimNode from = Draw();
        var defence = new LookupDefence(RegionOf(from, key), isWholeRegion: true);
        var lookup = new Lookup(key, from.Table.Closest(key, K), LookupSettings.Default, from.Key);
        Drive(lookup, defence, static _ => false);
        foreach (Contact contact in defence.ResponsibleOf(lookup))
        {
            if (!_hostileKeys.Contains(contact.Key))
                _told.Add(contact.Key);
        }

        return _told.Count;
    }

    /// <summary>Searches for who has a key, from an honest node drawn at random.</summary>
    public bool Find(DhtKey key)
    {
        SimNode from = Draw();
        bool isFound = false;
        Contact[] known = from.Table.Closest(key, K);
        var plain = new Lookup(key, known, LookupSettings.Default, from.Key);
        Drive(plain, new LookupDefence(RegionOf(from, key), isWholeRegion: true), Ask);
        Requests = plain.Requests;
        if (isFound || !HasDisjointPaths)
            return isFound;
        var disjoint = new DisjointLookup(key, known, Paths, LookupSettings.Default, from.Key);
        Drive(disjoint, new LookupDefence(RegionOf(from, key), isWholeRegion: true), Ask);
        Requests += disjoint.Requests;
        return isFound;

        bool Ask(DhtKey asked) => isFound |= _told.Contains(asked);
    }

    /// <summary>The part of keys that are held for surrounded although nobody surrounds them.</summary>
    public double FalseAlarms(int keys)
    {
        int alarms = 0;
        for (int i = 0; i < keys; i++)
        {
            SimNode from = Draw();
            DhtKey key = DhtKey.Random(_network.Random);
            var lookup = new Lookup(key, from.Table.Closest(key, K), LookupSettings.Default, from.Key);
            Drive(lookup, Undefended(), static _ => false);
            alarms += RegionOf(from, key)!.Value.IsSuspicious(lookup.Closest) ? 1 : 0;
        }

        return alarms / (double)keys;
    }

    private SimNode Draw() => _honest[_network.Random.Next(_honest.Count)];

    private void MakeHostile(SimNode node)
    {
        _hostile.Add(node);
        _hostileKeys.Add(node.Key);
    }

    /// <summary>What a node takes for the region of a key, by what its own lookups have shown it.</summary>
    private ProviderRegion? RegionOf(SimNode from, DhtKey key)
    {
        if (!DefendsRegions)
            return null;
        if (!_sizes.TryGetValue(from.Key, out NetworkSize? size))
        {
            _sizes[from.Key] = size = new NetworkSize();
            for (int i = 0; i < SizeSamples; i++)
            {
                DhtKey target = DhtKey.Random(_network.Random);
                var lookup = new Lookup(target, from.Table.Closest(target, K), LookupSettings.Default, from.Key);
                ProviderRegion? known = size.EstimateAwayFrom(target, TimeSpan.Zero) is { } soFar ? ProviderRegion.Of(target, soFar) : null;
                Drive(lookup, new LookupDefence(known, isWholeRegion: false), static _ => false);
                size.Add(target, lookup.Closest, TimeSpan.Zero);
            }
        }

        return size.EstimateAwayFrom(key, TimeSpan.Zero) is { } estimate ? ProviderRegion.Of(key, estimate) : null;
    }

    private static LookupDefence Undefended() => new(region: null, isWholeRegion: false);

    /// <summary>Answers a lookup until it has ended: hostile nodes answer before all others, of the honest ones that are being asked one drawn at random.</summary>
    private void Drive(ILookup lookup, LookupDefence defence, Func<DhtKey, bool> onAsked)
    {
        TimeSpan now = TimeSpan.Zero;
        List<SimNode> open = [];
        while (true)
        {
            LookupStep step = lookup.Next(now);
            if (step.Kind == LookupStepKind.Ask)
            {
                open.Add(_network.Find(step.Contact!.Key));
            }
            else if (open.Count > 0)
            {
                int next = open.FindIndex(node => _hostileKeys.Contains(node.Key));
                if (next < 0)
                    next = _network.Random.Next(open.Count);
                SimNode asked = open[next];
                open.RemoveAt(next);
                lookup.OnReply(asked.Key, Answer(asked, lookup.Target));
                if (!onAsked(asked.Key))
                    continue;
                lookup.Stop();
                return;
            }
            else if (!defence.TryExtend(lookup))
            {
                return;
            }
        }
    }

    private Contact[] Answer(SimNode asked, DhtKey target)
    {
        if (!_hostileKeys.Contains(asked.Key))
            return asked.Table.Closest(target, K);
        return [.. _hostile.OrderBy(node => node.Key ^ target).Take(K).Select(static node => node.Contact)];
    }
}
