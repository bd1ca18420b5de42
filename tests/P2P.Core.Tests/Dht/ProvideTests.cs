using P2P.Core.Dht;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: announcing tells the right ones, early, and reaches honest ones around a surrounded key. Method: crowds with real tables.</summary>
[TestClass]
public sealed class ProvideTests
{
    private static readonly LookupSettings Settings = LookupSettings.Default;

    [TestMethod]
    public void Most_of_the_twenty_are_told_before_the_lookup_ends_and_few_others_ever()
    {
        var crowd = new DhtCrowd(500, 31);
        int early = 0, wrong = 0, told = 0;
        for (int i = 0; i < 40; i++)
        {
            Contact from = crowd.Contacts[crowd.Random.Next(500)];
            DhtKey key = DhtKey.Random(crowd.Random);
            var lookup = new Lookup(key, crowd.Table(from).Closest(key, 20), Settings, from.Key);
            var provide = new OptimisticProvide(key, 500);
            List<Contact> all = [];
            crowd.Run(lookup, _ => all.AddRange(provide.Early(lookup)));
            early += all.Count;
            Assert.IsLessThanOrEqualTo(20, all.Count);
            List<Contact> closest = lookup.Closest;
            wrong += all.Count(contact => !closest.Contains(contact));
            all.AddRange(provide.Rest(closest));
            CollectionAssert.AllItemsAreUnique(all);
            CollectionAssert.IsSubsetOf(closest, all);
            told += all.Count;
            foreach (Contact contact in all)
                provide.OnAnswer(contact.Key, isTaken: true);
            Assert.AreEqual(20, provide.TakenOf(closest));
            Assert.IsTrue(provide.IsEnough && provide.IsAnswered);
        }

        Assert.IsGreaterThan(40 * 10, early);
        Assert.IsLessThan(40, wrong);
        Assert.IsLessThan(40 * 21, told);
    }

    [TestMethod]
    public void Fifteen_of_twenty_are_enough_and_each_answers_once()
    {
        var crowd = new DhtCrowd(60, 32);
        DhtKey key = DhtKey.Random(crowd.Random);
        var provide = new OptimisticProvide(key, networkSize: null);
        var lookup = new Lookup(key, crowd.Table(crowd.Contacts[0]).Closest(key, 20), Settings);
        Assert.IsEmpty(provide.Early(lookup), "Without a size nobody is surely near.");
        List<Contact> rest = provide.Rest(crowd.Closest(key, 20));
        Assert.HasCount(20, rest);
        for (int i = 0; i < 14; i++)
            provide.OnAnswer(rest[i].Key, isTaken: true);
        provide.OnAnswer(rest[0].Key, isTaken: true);
        provide.OnAnswer(rest[14].Key, isTaken: false);
        provide.OnAnswer(rest[14].Key, isTaken: true);
        Assert.IsFalse(provide.IsEnough);
        provide.OnAnswer(rest[15].Key, isTaken: true);
        Assert.IsTrue(provide.IsEnough);
        Assert.IsFalse(provide.IsAnswered);
        Assert.AreEqual(15, provide.TakenOf(rest));
    }

    [TestMethod]
    public void A_read_back_begins_with_others_than_the_announcement()
    {
        var crowd = new DhtCrowd(200, 33);
        DhtKey key = DhtKey.Random(crowd.Random);
        RoutingTable table = crowd.Table(crowd.Contacts[0]);
        Contact[] began = table.Closest(key, 20);
        Contact[] seeds = ReadBack.Seeds(table.All, key, began, 20);
        Assert.HasCount(20, seeds);
        Assert.IsFalse(seeds.Intersect(began).Any());
        Assert.HasCount(2, ReadBack.Seeds(began.Take(2), key, began, 20));
    }

    [TestMethod]
    [DataRow(20)]
    [DataRow(45)]
    public void A_key_surrounded_by_strangers_that_name_only_each_other_is_still_found(int strangers)
    {
        const int Nodes = 600;
        var crowd = new DhtCrowd(Nodes, 34);
        int found = 0, plain = 0, tries = 0;
        for (int round = 0; round < 2; round++)
        {
            DhtKey key = DhtKey.Random(crowd.Random);
            Contact[] circle = [.. Enumerable.Range(0, strangers).Select(_ => DhtCrowd.NewContactNear(crowd.Random, key, 12))];
            foreach (Contact stranger in circle)
            {
                crowd.Lies[stranger.Key] = NetworkSizeTests.Closest(circle, key);
                foreach (Contact honest in crowd.Contacts)
                    crowd.Table(honest).Admit(stranger, NetworkGroup.None, TimeSpan.Zero);
            }

            Contact publisher = crowd.Contacts[crowd.Random.Next(Nodes)];
            HashSet<Contact> holders = [.. Find(crowd, publisher, key, isDefended: true).Answered.Except(circle)], poor = [.. Find(crowd, publisher, key, isDefended: false).Closest.Except(circle)];
            for (int i = 0; i < 40; i++)
            {
                Contact finder = crowd.Contacts[crowd.Random.Next(Nodes)];
                ILookup lookup = Find(crowd, finder, key, isDefended: true);
                tries++;
                found += lookup.Answered.Exists(holders.Contains) ? 1 : 0;
                plain += poor.Count > 0 ? 1 : 0;
                Assert.IsLessThan(100 + strangers, lookup.Requests);
            }
        }

        Assert.AreEqual(0, plain, "Without the defence all twenty are strangers, otherwise this shows nothing.");
        Assert.IsGreaterThanOrEqualTo(tries * 0.99, found);
    }

    [TestMethod]
    public void A_lookup_led_away_among_hostile_nodes_goes_on_until_its_result_is_as_dense_as_it_should_be()
    {
        const int Nodes = 1_500;
        LookupSettings oneByOne = Settings with { Alpha = 1 }; // so that one hostile answer crowds out everybody who has not been asked
        var crowd = new DhtCrowd(Nodes, 35);
        HashSet<Contact> hostile = [.. crowd.Contacts.Where(_ => crowd.Random.Next(3) == 0)];
        Contact[] honest = [.. crowd.Contacts.Where(contact => !hostile.Contains(contact))];
        int led = 0, plain = 0, with = 0;
        for (int i = 0; i < 60; i++)
        {
            DhtKey key = DhtKey.Random(crowd.Random);
            Contact[] lie = [.. NetworkSizeTests.Closest([.. hostile], key).Take(20)];
            foreach (Contact one in hostile)
                crowd.Lies[one.Key] = lie;
            Contact from = honest[crowd.Random.Next(honest.Length)], truth = honest.MinBy(contact => contact.Key ^ key)!;
            var lookup = new Lookup(key, crowd.Table(from).Closest(key, 20), oneByOne, from.Key);
            crowd.Run(lookup);
            led += ProviderRegion.Of(key, Nodes).IsSparse(lookup.Closest) ? 1 : 0;
            plain += lookup.Closest.Contains(truth) ? 1 : 0;
            var defence = new LookupDefence(ProviderRegion.Of(key, Nodes), isWholeRegion: true);
            while (defence.TryExtend(lookup))
                crowd.Run(lookup);
            with += lookup.Closest.Contains(truth) ? 1 : 0;
            Assert.IsFalse(defence.IsRegion);
            Assert.IsLessThanOrEqualTo(Settings.MaxRequests, lookup.Requests);
        }

        Assert.IsGreaterThan(5, led);
        Assert.IsLessThan(with, plain);
        Assert.IsGreaterThanOrEqualTo(58, with);
    }

    private static Lookup Find(DhtCrowd crowd, Contact from, DhtKey key, bool isDefended)
    {
        var lookup = new Lookup(key, crowd.Table(from).Closest(key, 20), Settings, from.Key);
        List<Contact> open = [];
        crowd.Run(lookup, open: open);
        if (isDefended && new LookupDefence(ProviderRegion.Of(key, crowd.Contacts.Count), isWholeRegion: true).TryExtend(lookup))
            crowd.Run(lookup, open: open);
        return lookup;
    }
}
