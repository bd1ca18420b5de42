using P2P.Core.Dht;

namespace P2P.Simulation;

/// <summary>Many lookups, one after the other, from random nodes for random points in a network at rest; each result is compared with the truth.</summary>
internal sealed class LookupScenario
{
    private readonly SimNetwork _network;
    private readonly KeyIndex _truth;
    private readonly List<int> _hops = [], _requests = [];
    private readonly List<double> _seconds = [];
    private int _exact, _failed;

    private LookupScenario(SimNetwork network, KeyIndex truth) => (_network, _truth) = (network, truth);

    /// <summary>A network made by real joins.</summary>
    public static LookupScenario Joined(int nodes, ulong seed)
    {
        var network = new SimNetwork(seed);
        for (int i = 0; i < nodes; i++)
        {
            SimNode node = network.AddNode();
            if (i > 0)
            {
                SimNode by = network.Nodes[network.Random.Next(i)];
                network.Events.After(TimeSpan.FromSeconds(i * 0.2), () => network.Join(node, by));
            }
        }

        network.Events.Run(TimeSpan.FromSeconds((nodes * 0.2) + 60));
        return new LookupScenario(network, new KeyIndex(network.Nodes));
    }

    /// <summary>A network whose tables are filled from the view of all nodes.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="seed">Chance.</param>
    /// <param name="part">How full each bucket is.</param>
    public static LookupScenario Filled(int nodes, ulong seed, double part = 1)
    {
        var network = new SimNetwork(seed);
        for (int i = 0; i < nodes; i++)
            network.AddNode();
        var truth = new KeyIndex(network.Nodes);
        foreach (SimNode node in network.Nodes)
            network.Fill(node, truth, part);
        return new LookupScenario(network, truth);
    }

    /// <summary>Looks up.</summary>
    public LookupReport Run(int lookups, double loss = 0)
    {
        _network.Loss = loss;
        for (int i = 0; i < lookups; i++)
        {
            SimNode from = _network.Nodes[_network.Random.Next(_network.Nodes.Count)];
            DhtKey target = DhtKey.Random(_network.Random);
            long began = _network.Events.Now;
            bool isDone = false;
            _network.Find(from, target, lookup =>
            {
                isDone = true;
                Note(from, lookup, TimeSpan.FromTicks(_network.Events.Now - began));
            });
            _network.Events.Run(TimeSpan.FromTicks(_network.Events.Now) + TimeSpan.FromMinutes(1));
            if (!isDone)
                _failed++;
        }

        return new LookupReport
        {
            Nodes = _network.Nodes.Count,
            Lookups = lookups,
            Failed = _failed,
            Exact = _exact / (double)lookups,
            MedianHops = Percentile(_hops, 0.5),
            NinetyNineHops = Percentile(_hops, 0.99),
            MedianRequests = Percentile(_requests, 0.5),
            MedianSeconds = _seconds.Order().ElementAt(_seconds.Count / 2),
        };
    }

    private void Note(SimNode from, Lookup lookup, TimeSpan took)
    {
        List<SimNode> truth = [.. _truth.Closest(lookup.Target, RoutingTableSettings.K + 1).Where(node => node != from).Take(RoutingTableSettings.K)];
        List<Contact> found = lookup.Closest;
        if (found.Count == 0)
            _failed++;
        if (found.Select(static contact => contact.Key).SequenceEqual(truth.Select(static node => node.Key)))
            _exact++;
        _hops.Add(lookup.HopsTo(truth[0].Key));
        _requests.Add(lookup.Requests);
        _seconds.Add(took.TotalSeconds);
    }

    private static int Percentile(List<int> values, double part)
    {
        int[] sorted = [.. values.Order()];
        return sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))];
    }
}

/// <summary>What lookups did.</summary>
internal sealed record LookupReport
{
    public required int Nodes { get; init; }

    public required int Lookups { get; init; }

    /// <summary>Ended without a result, or not at all.</summary>
    public required int Failed { get; init; }

    /// <summary>The part whose result is exactly the 20 closest, in order.</summary>
    public required double Exact { get; init; }

    public required int MedianHops { get; init; }

    public required int NinetyNineHops { get; init; }

    public required int MedianRequests { get; init; }

    public required double MedianSeconds { get; init; }
}
