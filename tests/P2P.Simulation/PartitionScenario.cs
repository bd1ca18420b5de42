using P2P.Core.Dht;

namespace P2P.Simulation;

/// <summary>
/// A network falls apart into two halves that cannot reach each other, and comes together again. Some of its nodes only ask, as those behind a router do. Each
/// node stays connected, or tries to, with three peers that it was told of at the start. Tables, their refresh schedule and lookups are the real ones.
/// </summary>
internal sealed class PartitionScenario
{
    private const int Entrances = 3, ChecksAtOnce = 32;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(10), EntranceInterval = TimeSpan.FromMinutes(2);

    private readonly SimNetwork _network;

    public PartitionScenario(int servers, int clients, ulong seed)
    {
        _network = new SimNetwork(seed);
        for (int i = 0; i < servers + clients; i++)
            _network.AddNode(isClient: i >= servers);
        foreach (SimNode node in _network.Nodes)
            _network.Events.After(TimeSpan.FromSeconds(120 * _network.Random.NextDouble()), () => Begin(node));
    }

    private TimeSpan Now => TimeSpan.FromTicks(_network.Events.Now);

    /// <summary>Goes on for a while.</summary>
    public void Advance(TimeSpan time) => _network.Events.Run(Now + time);

    /// <summary>The halves can no longer reach each other.</summary>
    public void Split() => _network.CanReach = static (from, to) => from.Index % 2 == to.Index % 2;

    /// <summary>They can again.</summary>
    public void Heal() => _network.CanReach = static (_, _) => true;

    /// <summary>The part of lookups that find exactly the twenty servers that are closest of those that can be reached.</summary>
    public double Exact(int lookups)
    {
        KeyIndex[] truths = [.. Enumerable.Range(0, 2).Select(half => new KeyIndex(_network.Nodes.Where(node => !node.IsClient && _network.CanReach(_network.Nodes[half], node))))];
        int exact = 0;
        for (int i = 0; i < lookups; i++)
        {
            SimNode from = _network.Nodes[_network.Random.Next(_network.Nodes.Count)];
            DhtKey target = DhtKey.Random(_network.Random);
            _network.Find(from, target, lookup =>
            {
                IEnumerable<DhtKey> truth = truths[from.Index % 2].Closest(target, RoutingTableSettings.K + 1).Where(node => node != from).Take(RoutingTableSettings.K).Select(static node => node.Key);
                exact += lookup.Closest.Select(static contact => contact.Key).SequenceEqual(truth) ? 1 : 0;
            });
        }

        Advance(TimeSpan.FromMinutes(1));
        return exact / (double)lookups;
    }

    private void Begin(SimNode node)
    {
        var schedule = new RefreshSchedule(RefreshSettings.Default with { Interval = RefreshInterval });
        TimeSpan began = Now;
        KeepConnected(node, schedule);
        Step();

        void Step()
        {
            while (true)
            {
                RefreshStep step = schedule.Next(node.Table, Now - began);
                switch (step.Kind)
                {
                    case RefreshStepKind.Bootstrap:
                        continue; // see KeepConnected
                    case RefreshStepKind.Check:
                        foreach (Contact silent in node.Table.FindSilent(Now, 2 * RefreshInterval, ChecksAtOnce))
                            Check(node, silent, schedule);
                        continue;
                    case RefreshStepKind.Self:
                        Find(node.Key, step.Others);
                        return;
                    case RefreshStepKind.Bucket:
                        Find(node.Key.Flip(step.Prefix).WithTail(step.Prefix + 1, DhtKey.Random(_network.Random)), []);
                        return;
                    default:
                        _network.Events.After(TimeSpan.FromTicks(Math.Clamp((step.Until - (Now - began)).Ticks, TimeSpan.TicksPerSecond, Tick.Ticks)), Step);
                        return;
                }
            }
        }

        void Find(DhtKey target, IReadOnlyList<Contact> others)
        {
            node.Table.Bucket(node.Table.BucketOf(target)).LastUsed = Now - began;
            _network.Find(node, target, others, _ => Step());
        }
    }

    private void KeepConnected(SimNode node, RefreshSchedule schedule)
    {
        for (int i = 0; i < Entrances; i++)
        {
            SimNode entrance = _network.Nodes[i];
            if (entrance == node)
                continue;
            bool isNewcomer = !node.Table.Contains(entrance.Key);
            _network.Meet(node, entrance);
            if (isNewcomer && _network.CanReach(node, entrance))
                Check(node, entrance.Contact, schedule);
        }

        _network.Events.After(EntranceInterval, () => KeepConnected(node, schedule));
    }

    private void Check(SimNode node, Contact contact, RefreshSchedule schedule) => _network.Check(node, contact, named => schedule.Hear(node.Table, named));
}
