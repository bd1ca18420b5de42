using System.Net;
using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: the table keeps who came first, spreads over the internet, and tells who is closest. Method: crowds of chance, compared with sorting all of them.</summary>
[TestClass]
public sealed class RoutingTableTests
{
    private static readonly SeededRandom Random = new(41);

    [TestMethod]
    public void The_closest_are_those_that_sorting_all_of_them_gives()
    {
        var random = new SeededRandom(1);
        for (int round = 0; round < 60; round++)
        {
            var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
            Fill(table, random, random.Next(400));
            List<Contact> all = [.. table.All];
            Assert.HasCount(table.Count, all);
            for (int i = 0; i < 20; i++)
            {
                DhtKey target = i % 4 == 0 ? table.Own : table.Own.WithTail(random.Next(12), DhtKey.Random(random));
                int count = random.Next(1, 60);
                Contact[] expected = [.. all.Order(Comparer<Contact>.Create((a, b) => target.CompareDistance(a.Key, b.Key))).Take(count)];
                CollectionAssert.AreEqual(expected, table.Closest(target, count));
            }
        }
    }

    [TestMethod]
    public void Each_bucket_holds_its_prefix_and_no_more_than_twenty()
    {
        var random = new SeededRandom(2);
        var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
        Fill(table, random, 3_000);
        for (int i = 0; i < table.BucketCount; i++)
        {
            Assert.IsLessThanOrEqualTo(20, table.Bucket(i).Count);
            Assert.IsLessThanOrEqualTo(4, table.Bucket(i).Replacements.Length);
            foreach (KBucket.Entry entry in table.Bucket(i).Entries)
            {
                int prefix = table.Own.CommonPrefixLength(entry.Contact.Key);
                Assert.IsTrue(i == table.BucketCount - 1 ? prefix >= i : prefix == i);
            }
        }
    }

    [TestMethod]
    public void Who_came_first_stays_and_a_failed_one_leaves_its_place_to_the_latest_candidate()
    {
        var random = new SeededRandom(3);
        var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
        Contact[] far = [.. Enumerable.Range(0, 26).Select(_ => NewFar(table, random))];
        for (int i = 0; i < 6; i++)
            table.Admit(NewNear(table, random), NetworkGroup.None, TimeSpan.Zero); // so that the far half is a bucket of its own
        for (int i = 0; i < 20; i++)
            Assert.AreEqual(AdmitResult.Added, table.Admit(far[i], NetworkGroup.None, TimeSpan.FromSeconds(i)));
        for (int i = 20; i < 26; i++)
            Assert.AreEqual(AdmitResult.Full, table.Admit(far[i], NetworkGroup.None, TimeSpan.FromSeconds(i)));
        Assert.AreEqual(AdmitResult.Renewed, table.Admit(far[0], NetworkGroup.None, TimeSpan.FromSeconds(99)));
        Assert.IsTrue(table.Remove(far[5].Key, out Contact? candidate));
        Assert.AreSame(far[25], candidate);
        Assert.IsFalse(table.Contains(far[25].Key), "A candidate has to answer first.");
        Assert.AreEqual(AdmitResult.Added, table.Admit(candidate!, NetworkGroup.None, TimeSpan.FromSeconds(100)));
        Assert.IsTrue(table.Contains(far[0].Key));
        Assert.IsFalse(table.Remove(far[5].Key, out _));
    }

    [TestMethod]
    public void Contacts_of_the_time_of_joining_give_way_until_the_table_is_filled()
    {
        var random = new SeededRandom(4);
        var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
        for (int i = 0; i < 6; i++)
            table.Admit(NewNear(table, random), NetworkGroup.None, TimeSpan.Zero);
        for (int i = 0; i < 20; i++)
            table.Admit(NewFar(table, random), NetworkGroup.None, TimeSpan.Zero, isReplaceable: true);
        Assert.AreEqual(AdmitResult.Added, table.Admit(NewFar(table, random), NetworkGroup.None, TimeSpan.Zero));
        Assert.AreEqual(26, table.Count);
        table.KeepAll();
        Assert.AreEqual(AdmitResult.Full, table.Admit(NewFar(table, random), NetworkGroup.None, TimeSpan.Zero));
    }

    [TestMethod]
    public void One_network_gets_three_places_and_two_of_one_prefix()
    {
        var random = new SeededRandom(5);
        var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
        NetworkGroup group = Group("198.51.100.7"), other = Group("198.52.100.7");
        Contact[] far = [NewFar(table, random), NewFar(table, random), NewFar(table, random)];
        Assert.AreEqual(AdmitResult.Added, table.Admit(far[0], group, TimeSpan.Zero));
        Assert.AreEqual(AdmitResult.Added, table.Admit(far[1], group, TimeSpan.Zero));
        Assert.AreEqual(AdmitResult.TooManyOfGroup, table.Admit(far[2], group, TimeSpan.Zero));
        Assert.AreEqual(AdmitResult.Added, table.Admit(far[2], other, TimeSpan.Zero));
        Assert.AreEqual(AdmitResult.Added, table.Admit(NewNear(table, random), group, TimeSpan.Zero));
        Assert.AreEqual(AdmitResult.TooManyOfGroup, table.Admit(NewNear(table, random), group, TimeSpan.Zero));
        table.Remove(far[0].Key, out _);
        Assert.AreEqual(AdmitResult.Added, table.Admit(NewFar(table, random), group, TimeSpan.Zero), "A place that became free is free for its network too.");
    }

    [TestMethod]
    [DataRow("198.51.100.7", "198.51.7.100", true)]
    [DataRow("198.51.100.7", "198.52.100.7", false)]
    [DataRow("2001:db8::1", "2001:db8:ffff::1", true)]
    [DataRow("2001:db8::1", "2001:db9::1", false)]
    [DataRow("::ffff:198.51.100.7", "198.51.7.100", true)]
    public void A_network_is_a_16_of_the_old_internet_and_a_32_of_the_new(string left, string right, bool isSame) =>
        Assert.AreEqual(isSame, Group(left) == Group(right));

    [TestMethod]
    public void Addresses_of_private_networks_are_not_limited()
    {
        var random = new SeededRandom(6);
        var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
        NetworkGroup none = NetworkGroup.Of(IPAddress.Loopback, isPublic: false);
        for (int i = 0; i < 10; i++)
            Assert.AreEqual(AdmitResult.Added, table.Admit(NewFar(table, random), none, TimeSpan.Zero));
    }

    [TestMethod]
    public void The_silent_are_listed_the_longest_silent_first()
    {
        var random = new SeededRandom(7);
        var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
        Contact[] all = [.. Enumerable.Range(0, 10).Select(_ => DhtCrowd.NewContact(random))];
        for (int i = 0; i < 10; i++)
            table.Admit(all[i], NetworkGroup.None, TimeSpan.FromMinutes(i));
        table.Seen(all[0].Key, TimeSpan.FromMinutes(20));
        List<Contact> silent = table.FindSilent(TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(15), 3);
        CollectionAssert.AreEqual(new[] { all[1], all[2], all[3] }, silent);
    }

    [TestMethod]
    public void It_never_holds_itself()
    {
        Contact self = DhtCrowd.NewContact(Random);
        Assert.AreEqual(AdmitResult.Self, new RoutingTable(self.Key, RoutingTableSettings.Default).Admit(self, NetworkGroup.None, TimeSpan.Zero));
    }

    private static NetworkGroup Group(string address) => NetworkGroup.Of(IPAddress.Parse(address), isPublic: true);

    private static Contact NewFar(RoutingTable table, Random random) => DhtCrowd.NewContactNear(random, table.Own.Flip(0), 1);

    private static Contact NewNear(RoutingTable table, Random random)
    {
        while (true)
        {
            Contact contact = DhtCrowd.NewContactNear(random, table.Own, 1);
            if (table.Own.CommonPrefixLength(contact.Key) == 1)
                return contact;
        }
    }

    private static void Fill(RoutingTable table, Random random, int count)
    {
        for (int i = 0; i < count; i++)
            table.Admit(DhtCrowd.NewContact(random), NetworkGroup.None, TimeSpan.Zero);
    }
}
