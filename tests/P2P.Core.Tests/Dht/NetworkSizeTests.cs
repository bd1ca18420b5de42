using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: the size of the network is told from lookups, and surrounded keys are told from others. Method: networks of chance, their true neighbours.</summary>
[TestClass]
public sealed class NetworkSizeTests
{
    [TestMethod]
    [DataRow(100)]
    [DataRow(1_000)]
    [DataRow(5_000)]
    public void The_size_is_told_within_a_fifth(int nodes)
    {
        var random = new SeededRandom(21);
        Contact[] all = Crowd(random, nodes);
        for (int round = 0; round < 5; round++)
        {
            var size = new NetworkSize();
            for (int i = 0; i < 40; i++)
                Observe(size, all, DhtKey.Random(random));
            Assert.AreEqual(nodes, size.Estimate(TimeSpan.Zero)!.Value, nodes * 0.2);
        }
    }

    [TestMethod]
    public void Few_old_or_poor_lookups_give_no_size()
    {
        var random = new SeededRandom(22);
        Contact[] all = Crowd(random, 200);
        var size = new NetworkSize();
        for (int i = 0; i < 4; i++)
            Observe(size, all, DhtKey.Random(random));
        DhtKey again = DhtKey.Random(random);
        size.Add(again, Closest(all, again)[..19], TimeSpan.Zero);
        Assert.IsNull(size.Estimate(TimeSpan.Zero));
        Observe(size, all, again);
        Assert.IsNotNull(size.Estimate(TimeSpan.Zero));
        Assert.IsNull(size.Estimate(TimeSpan.FromHours(3)));

        var repeated = new NetworkSize();
        for (int i = 0; i < 20; i++)
            Observe(repeated, all, again);
        Assert.IsNull(repeated.Estimate(TimeSpan.Zero), "One point looked up twenty times is one witness.");
    }

    [TestMethod]
    public void Who_surrounds_a_key_does_not_move_the_estimate_away_from_it()
    {
        var random = new SeededRandom(23);
        DhtKey key = DhtKey.Random(random);
        Contact[] all = [.. Crowd(random, 1_000), .. Enumerable.Range(0, 100).Select(_ => DhtCrowd.NewContactNear(random, key, 11))];
        var size = new NetworkSize();
        for (int i = 0; i < 30; i++)
            Observe(size, all, key.WithTail(11, DhtKey.Random(random)));
        for (int i = 0; i < 20; i++)
            Observe(size, all, key.WithTail(0, DhtKey.Random(random)));
        Assert.IsGreaterThan(5_000, size.Estimate(TimeSpan.Zero)!.Value);
        Assert.AreEqual(1_000, size.EstimateAwayFrom(key, TimeSpan.Zero)!.Value, 250);
    }

    [TestMethod]
    public void Fewer_than_one_in_a_hundred_keys_is_suspected_without_cause_and_a_surrounded_one_always()
    {
        var random = new SeededRandom(24);
        int alarms = 0, keys = 0;
        for (int round = 0; round < 8; round++)
        {
            Contact[] all = Crowd(random, 1_000);
            var size = new NetworkSize();
            for (int i = 0; i < 16; i++) // what a node knows after it has joined
                Observe(size, all, DhtKey.Random(random));
            for (int i = 0; i < 200; i++)
            {
                DhtKey key = DhtKey.Random(random);
                if (size.EstimateAwayFrom(key, TimeSpan.Zero) is not { } nodes)
                    continue;
                keys++;
                alarms += ProviderRegion.Of(key, nodes).IsSuspicious(Closest(all, key)) ? 1 : 0;
            }

            DhtKey surrounded = DhtKey.Random(random);
            Contact[] crowded = [.. all, .. Enumerable.Range(0, 20).Select(_ => DhtCrowd.NewContactNear(random, surrounded, 11))];
            Assert.IsTrue(ProviderRegion.Of(surrounded, size.EstimateAwayFrom(surrounded, TimeSpan.Zero)!.Value).IsSuspicious(Closest(crowded, surrounded)));
        }

        Assert.IsGreaterThan(1_300, keys);
        Assert.IsLessThan(keys / 100, alarms);
    }

    [TestMethod]
    public void A_region_holds_twenty_on_average_and_everybody_of_a_small_network()
    {
        var random = new SeededRandom(25);
        Contact[] all = Crowd(random, 1_000);
        int within = 0;
        for (int i = 0; i < 200; i++)
        {
            var region = ProviderRegion.Of(DhtKey.Random(random), 1_000);
            within += all.Count(contact => region.Contains(contact.Key));
        }

        Assert.AreEqual(20, within / 200.0, 1);
        Assert.IsTrue(all.All(contact => ProviderRegion.Of(DhtKey.Random(random), 12).Contains(contact.Key)));
        Assert.IsFalse(ProviderRegion.Of(all[0].Key, 12).IsSuspicious(Closest(all, all[0].Key)));
    }

    [TestMethod]
    [DataRow(0, 1.0, 0.36788)]
    [DataRow(19, 14.525, 0.9)]
    [DataRow(10, 15.4066, 0.1)]
    public void The_distribution_of_Poisson_is_that_of_the_tables(int count, double mean, double probability)
    {
        Assert.AreEqual(probability, Poisson.AtMost(count, mean), 0.0005);
        Assert.AreEqual(mean, Poisson.MeanFor(count, probability), 0.01);
    }

    internal static Contact[] Crowd(Random random, int nodes) => [.. Enumerable.Range(0, nodes).Select(_ => DhtCrowd.NewContact(random))];

    internal static Contact[] Closest(Contact[] all, DhtKey target, int count = 20)
    {
        Contact[] sorted = [.. all];
        Array.Sort(sorted, (a, b) => target.CompareDistance(a.Key, b.Key));
        return sorted[..Math.Min(count, sorted.Length)];
    }

    private static void Observe(NetworkSize size, Contact[] all, DhtKey target) => size.Add(target, Closest(all, target), TimeSpan.Zero);
}
