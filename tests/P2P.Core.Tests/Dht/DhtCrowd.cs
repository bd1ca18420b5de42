using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Contacts for the tests of the DHT, a network of tables, and a driver of lookups without any time or socket.</summary>
internal sealed class DhtCrowd
{
    private readonly Dictionary<DhtKey, RoutingTable> _tables = [];

    /// <summary>So many nodes; each has met all others, in an order of chance, and kept whom its table took.</summary>
    public DhtCrowd(int nodes, ulong seed)
    {
        Random = new SeededRandom(seed);
        for (int i = 0; i < nodes; i++)
            Contacts.Add(NewContact(Random));
        foreach (Contact one in Contacts)
        {
            var table = new RoutingTable(one.Key, RoutingTableSettings.Default);
            Contact[] met = [.. Contacts];
            Random.Shuffle(met);
            foreach (Contact other in met)
                table.Admit(other, NetworkGroup.None, TimeSpan.Zero);
            _tables.Add(one.Key, table);
        }
    }

    public SeededRandom Random { get; }

    public List<Contact> Contacts { get; } = [];

    /// <summary>Those who never answer.</summary>
    public HashSet<DhtKey> Dead { get; } = [];

    /// <summary>What these answer instead of the truth.</summary>
    public Dictionary<DhtKey, Contact[]> Lies { get; } = [];

    public RoutingTable Table(Contact of) => _tables[of.Key];

    public static Contact NewContact(Random random, string? address = null)
    {
        byte[] multihash = new byte[34];
        random.NextBytes(multihash);
        (multihash[0], multihash[1]) = (0x12, 0x20);
        Assert.IsTrue(PeerId.TryFromBytes(multihash, out PeerId peer));
        return new Contact(peer, address is null ? [] : [Multiaddress.Parse(address)]);
    }

    /// <summary>One whose key shares at least so many bits with a point.</summary>
    public static Contact NewContactNear(Random random, DhtKey point, int bits, string? address = null)
    {
        while (true)
        {
            Contact contact = NewContact(random, address);
            if (point.CommonPrefixLength(contact.Key) >= bits)
                return contact;
        }
    }

    /// <summary>The living ones that really are closest.</summary>
    public List<Contact> Closest(DhtKey target, int count, Contact? but = null) =>
        [.. Contacts.Where(one => one != but && !Dead.Contains(one.Key)).Order(Comparer<Contact>.Create((a, b) => target.CompareDistance(a.Key, b.Key))).Take(count)];

    /// <summary>Runs a lookup to its end; answers come in an order of chance. Tells the most that were asked at one time.</summary>
    /// <param name="lookup">The lookup.</param>
    /// <param name="asked">Told of each who is asked.</param>
    /// <param name="open">Who was asked and has not answered when it ends; for a lookup that goes on later.</param>
    public int Run(ILookup lookup, Action<Contact>? asked = null, List<Contact>? open = null)
    {
        open ??= [];
        TimeSpan now = TimeSpan.Zero;
        int most = 0;
        for (int steps = 0; steps < 100_000; steps++)
        {
            LookupStep step = lookup.Next(now);
            if (step.Kind == LookupStepKind.Done)
                return most;
            if (step.Kind == LookupStepKind.Ask)
            {
                open.Add(step.Contact!);
                most = Math.Max(most, open.Count);
                asked?.Invoke(step.Contact!);
                continue;
            }

            Assert.IsNotEmpty(open, "It waits, but nobody was asked.");
            int at = Random.Next(open.Count);
            Contact one = open[at];
            open.RemoveAt(at);
            now += TimeSpan.FromMilliseconds(1);
            if (Dead.Contains(one.Key))
                lookup.OnFailure(one.Key);
            else
                lookup.OnReply(one.Key, Lies.TryGetValue(one.Key, out Contact[]? lie) ? lie : _tables[one.Key].Closest(lookup.Target, RoutingTableSettings.K));
        }

        throw new AssertFailedException("The lookup does not end.");
    }
}
