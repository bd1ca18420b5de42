using P2P.Core;
using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Simulation;

/// <summary>
/// Nodes that ask each other for closer nodes, in virtual time. A request takes one round trip, drawn from a log-normal distribution with the median of the
/// King data set (159 ms, at most 800 ms: Dabek et al., Vivaldi, SIGCOMM 2004). One that is lost is sent again as TCP does, after 1, 2 and 4 s; one to a node
/// that is off fails after a time-out.
/// </summary>
/// <remarks>One thread; everything left to chance follows from one seed.</remarks>
internal sealed class SimNetwork
{
    private const double MedianRoundTripMs = 159, MaxRoundTripMs = 800, Spread = 0.6;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    private readonly Dictionary<DhtKey, SimNode> _byKey = [];
    private readonly SeededRandom _chance;
    private readonly Contact[] _answer = new Contact[RoutingTableSettings.K + 1];

    public SimNetwork(ulong seed) => (Random, _chance) = (new SeededRandom(seed), new SeededRandom(seed ^ 0x9e37));

    /// <summary>For what the scenario draws.</summary>
    public SeededRandom Random { get; }

    public EventQueue Events { get; } = new();

    public List<SimNode> Nodes { get; } = [];

    /// <summary>The part of requests that get lost.</summary>
    public double Loss { get; set; }

    /// <summary>Whether one node can reach another, both being there.</summary>
    public Func<SimNode, SimNode, bool> CanReach { get; set; } = static (_, _) => true;

    public LookupSettings Lookup { get; init; } = LookupSettings.Default;

    public RoutingTableSettings Table { get; init; } = RoutingTableSettings.Default;

    public long Requests { get; private set; }

    private TimeSpan Now => TimeSpan.FromTicks(Events.Now);

    public SimNode Find(DhtKey key) => _byKey[key];

    public SimNode AddNode(bool isClient = false) => AddNode(static _ => true, isClient);

    /// <summary>Adds a node whose place fits: names are drawn until one does, as whoever wants a certain place has to do it.</summary>
    public SimNode AddNode(Func<DhtKey, bool> fits, bool isClient = false)
    {
        byte[] multihash = new byte[34];
        do
        {
            Random.NextBytes(multihash);
            (multihash[0], multihash[1]) = (0x12, 0x20);
        }
        while (!fits(DhtKey.Of(multihash)));
        if (!PeerId.TryFromBytes(multihash, out PeerId peer))
            throw new InvalidOperationException("This is no peer id.");
        var node = new SimNode(new Contact(peer, []), Table, Nodes.Count) { IsClient = isClient };
        Nodes.Add(node);
        _byKey.Add(node.Key, node);
        return node;
    }

    /// <summary>A node enters by one that is there: looks itself up, then a random point of each bucket, as a real one does.</summary>
    public void Join(SimNode node, SimNode by)
    {
        Meet(node, by);
        Find(node, node.Key, result =>
        {
            int last = Math.Min(15, node.Table.BucketCount - 1);
            for (int prefix = 0; prefix <= last; prefix++)
                Find(node, node.Key.Flip(prefix).WithTail(prefix + 1, DhtKey.Random(Random)), static _ => { });
        });
    }

    /// <summary>A node connects to another.</summary>
    public void Meet(SimNode node, SimNode other)
    {
        if (!other.IsOnline || !CanReach(node, other))
            return;
        node.Table.Admit(other.Contact, NetworkGroup.None, Now, isReplaceable: true);
        if (!node.IsClient)
            other.Table.Admit(node.Contact, NetworkGroup.None, Now);
    }

    /// <summary>Fills a table as one that has been in use for long: of each part of the keyspace as many as the bucket takes, at random.</summary>
    public void Fill(SimNode node, KeyIndex all, double part = 1)
    {
        for (int prefix = 0; prefix < 64; prefix++)
        {
            ReadOnlySpan<SimNode> there = all.WithPrefix(node.Key, prefix);
            int wanted = (int)Math.Ceiling(Math.Min(there.Length, Table.BucketSize) * part);
            if (there.Length <= wanted)
            {
                foreach (SimNode other in there)
                    node.Table.Admit(other.Contact, NetworkGroup.None, Now);
                if (there.IsEmpty && all.WithPrefix(node.Key, prefix + 1).IsEmpty && all.WithPrefix(node.Key, prefix + 2).IsEmpty && prefix > 24)
                    return;
                continue;
            }

            for (int taken = 0; taken < wanted;)
            {
                if (node.Table.Admit(there[_chance.Next(there.Length)].Contact, NetworkGroup.None, Now) == AdmitResult.Added)
                    taken++;
            }
        }
    }

    /// <summary>One lookup with the real state machine.</summary>
    public void Find(SimNode from, DhtKey target, Action<Lookup> done) => Find(from, target, [], done);

    /// <summary>One lookup that begins with others besides the contacts of the table.</summary>
    public void Find(SimNode from, DhtKey target, IReadOnlyList<Contact> others, Action<Lookup> done)
    {
        var lookup = new Lookup(target, [.. from.Table.Closest(target, Lookup.K), .. others], Lookup, from.Key);
        Run(from, lookup, static _ => { }, () => done(lookup));
    }

    /// <summary>Asks one node whether it is there.</summary>
    public void Ping(SimNode from, Contact contact)
    {
        SimNode to = _byKey[contact.Key];
        if (to.IsOnline && CanReach(from, to))
            Events.After(RoundTrip(), () => from.Table.Seen(contact.Key, Now));
        else
            Events.After(RequestTimeout, () => from.Table.Remove(contact.Key, out _));
    }

    /// <summary>Asks one node who is nearest to the one who asks; one that is silent leaves the table.</summary>
    public void Check(SimNode from, Contact contact, Action<IReadOnlyList<Contact>> named)
    {
        Ping(from, contact);
        SimNode to = _byKey[contact.Key];
        if (to.IsOnline && CanReach(from, to))
            Events.After(RoundTrip(), () => named([.. to.Table.Closest(from.Key, RoutingTableSettings.K).Where(one => one.Key != from.Key)]));
    }

    /// <summary>Tells one node something.</summary>
    public void Tell(Contact contact, Action<SimNode> told)
    {
        SimNode to = _byKey[contact.Key];
        Events.After(RoundTrip(), () =>
        {
            if (to.IsOnline)
                told(to);
        });
    }

    /// <summary>Runs a lookup to its end.</summary>
    /// <param name="from">Who looks.</param>
    /// <param name="lookup">The lookup.</param>
    /// <param name="onAnswer">Told of each node that answers.</param>
    /// <param name="done">Told of the end.</param>
    public void Run(SimNode from, ILookup lookup, Action<SimNode> onAnswer, Action done)
    {
        bool isOver = false;
        Step();

        void Step()
        {
            while (!isOver)
            {
                LookupStep step = lookup.Next(Now);
                switch (step.Kind)
                {
                    case LookupStepKind.Ask:
                        Ask(step.Contact!);
                        continue;
                    case LookupStepKind.Wait:
                        if (step.Until < TimeSpan.MaxValue)
                            Events.After(step.Until - Now, Step);
                        return;
                    default:
                        isOver = true;
                        done();
                        return;
                }
            }
        }

        void Ask(Contact contact)
        {
            Requests++;
            SimNode to = _byKey[contact.Key];
            TimeSpan wait = RoundTrip();
            for (TimeSpan again = TimeSpan.FromSeconds(1); Loss > 0 && _chance.NextDouble() < Loss; again *= 2)
                wait += again;
            if (!to.IsOnline || !CanReach(from, to) || wait > RequestTimeout)
            {
                Events.After(RequestTimeout, () =>
                {
                    from.Table.Remove(contact.Key, out _);
                    if (lookup.OnFailure(contact.Key))
                        Step();
                });
                return;
            }

            Events.After(wait, () =>
            {
                if (isOver)
                    return;
                int count = to.Table.Closest(lookup.Target, _answer);
                int kept = 0;
                for (int i = 0; i < count && kept < RoutingTableSettings.K; i++)
                {
                    if (_answer[i].Key != from.Key)
                        _answer[kept++] = _answer[i];
                }

                if (!from.IsClient)
                    to.Table.Admit(from.Contact, NetworkGroup.None, Now);
                from.Table.Admit(contact, NetworkGroup.None, Now);
                onAnswer(to);
                if (lookup.OnReply(contact.Key, _answer.AsSpan(0, kept)))
                    Step();
            });
        }
    }

    private TimeSpan RoundTrip()
    {
        // Box and Muller
        double gauss = Math.Sqrt(-2 * Math.Log(1 - _chance.NextDouble())) * Math.Cos(2 * Math.PI * _chance.NextDouble());
        return TimeSpan.FromMilliseconds(Math.Min(MaxRoundTripMs, MedianRoundTripMs * Math.Exp(Spread * gauss)));
    }
}
