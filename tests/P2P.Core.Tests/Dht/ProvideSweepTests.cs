using P2P.Core.Dht;
using P2P.Testing;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: everything is announced to the right nodes each round, cheaply, and a restart or an absence loses nothing. Method: a network that tells the truth.</summary>
[TestClass]
public sealed class ProvideSweepTests
{
    private static readonly TimeSpan Interval = SweepSettings.Default.Interval;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    public void Each_key_is_told_to_its_twenty_closest_and_each_node_is_visited_once()
    {
        var network = new SweepNetwork(1_000, 3_000, 51) { Told = [] };
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.AreEqual(0, network.NewCount);
        Assert.HasCount(3_000, network.Told!);
        foreach ((DhtKey key, List<Contact> told) in network.Told!)
            CollectionAssert.AreEquivalent(network.Closest(key, 20), told);
        Assert.IsTrue(network.Visits.Values.All(static visits => visits == 1));
    }

    [TestMethod]
    public void A_round_comes_to_every_key_within_the_interval_and_to_every_node_once()
    {
        var network = new SweepNetwork(1_000, 2_000, 52) { ToldAt = [] };
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        for (int round = 0; round < 3; round++)
        {
            TimeSpan before = network.Now;
            network.Visits.Clear();
            network.RunUntil(before + Interval);
            Assert.IsGreaterThanOrEqualTo(before, network.ToldAt!.Values.Min());
            Assert.IsTrue(network.Visits.Values.All(static visits => visits == 1));
            Assert.AreEqual(TimeSpan.Zero, network.Sweep.Lag(network.Now));
        }
    }

    [TestMethod]
    public void Its_work_is_spread_over_the_interval()
    {
        var network = new SweepNetwork(2_000, 4_000, 53);
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        int most = 0, all = 0;
        for (int hour = 0; hour < 22; hour++)
        {
            network.Visits.Clear();
            network.RunUntil(network.Now + TimeSpan.FromHours(1));
            most = Math.Max(most, network.Visits.Count);
            all += network.Visits.Count;
        }

        Assert.IsLessThan(3 * all / 22, most);
    }

    [TestMethod]
    public void Who_has_moved_tells_everything_again_without_pause()
    {
        var network = new SweepNetwork(500, 1_000, 56) { ToldAt = [] };
        network.Sweep.SetAddresses("/ip4/10.0.0.1/tcp/1", network.Now);
        network.RunUntil(network.Now + TimeSpan.FromHours(3));
        TimeSpan moved = network.Now;
        network.Sweep.SetAddresses("/ip4/10.0.0.1/tcp/1", network.Now);
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.IsLessThan(moved, network.ToldAt!.Values.Min(), "it has not moved");

        network.Restart();
        network.Sweep.SetAddresses("/ip4/10.0.0.2/tcp/1", network.Now);
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.IsGreaterThanOrEqualTo(moved, network.ToldAt!.Values.Min());
        Assert.IsFalse(network.Sweep.IsRushing);
    }

    [TestMethod]
    public void Ten_times_the_keys_cost_no_more_lookups()
    {
        int few = LookupsOfARound(1_000, 2_000, 54), many = LookupsOfARound(1_000, 20_000, 54);
        TestContext.WriteLine($"1,000 nodes: {few} lookups for 2,000 keys, {many} for 20,000");
        Assert.IsLessThanOrEqualTo(100, few);
        Assert.IsLessThanOrEqualTo(few * 1.05, many);
    }

    [TestMethod]
    [SlowTest]
    public void A_million_keys_cost_no_more_lookups_than_a_hundred_thousand()
    {
        int few = LookupsOfARound(10_000, 100_000, 55), many = LookupsOfARound(10_000, 1_000_000, 55);
        TestContext.WriteLine($"10,000 nodes: {few} lookups for 100,000 keys, {many} for 1,000,000");
        Console.WriteLine($"10,000 nodes: {few} lookups for 100,000 keys, {many} for 1,000,000");
        Assert.IsLessThanOrEqualTo(1_000, few);
        Assert.IsLessThanOrEqualTo(few * 1.05, many);
    }

    [TestMethod]
    [DataRow(300)]
    [DataRow(1_000)]
    [DataRow(2_500)]
    public void Exploring_finds_every_node_of_the_network_with_one_lookup_for_ten(int nodes)
    {
        var network = new SweepNetwork(nodes, 0, 56);
        var explorer = new RegionExplorer(DhtPrefix.All, maxLookups: nodes, network.Random);
        while (!explorer.IsDone)
        {
            DhtKey target = explorer.NextTarget();
            explorer.OnLookup(target, network.Closest(target, 20));
        }

        Assert.HasCount(nodes, explorer.Peers);
        Assert.IsLessThanOrEqualTo((nodes / 10) + 2, explorer.Lookups);
    }

    [TestMethod]
    public void Few_keys_are_announced_one_by_one()
    {
        var network = new SweepNetwork(1_000, 2, 57) { Told = [] };
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.AreEqual(2, network.Singles);
        Assert.IsEmpty(network.Visits);
        Assert.IsTrue(network.Told!.All(pair => pair.Value.Count == 20));
    }

    [TestMethod]
    public void New_keys_are_announced_soon_and_alone()
    {
        var network = new SweepNetwork(1_000, 2_000, 58) { Told = [] };
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        network.Told!.Clear();
        network.AddKeys(30);
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.AreEqual(0, network.NewCount);
        Assert.HasCount(30, network.Told);
        foreach ((DhtKey key, List<Contact> told) in network.Told)
            CollectionAssert.AreEquivalent(network.Closest(key, 20), told);
    }

    [TestMethod]
    public void Nobody_answering_is_tried_again_after_five_minutes_and_no_key_is_taken_for_announced()
    {
        var network = new SweepNetwork(1_000, 500, 59) { IsDown = true };
        network.RunUntil(network.Now + TimeSpan.FromMinutes(4));
        Assert.AreEqual(500, network.NewCount);
        Assert.IsGreaterThan(0, network.Sweep.WaitingRegions);
        int lookups = network.Lookups;
        network.RunUntil(network.Now + TimeSpan.FromMinutes(4));
        Assert.IsLessThanOrEqualTo(lookups * 3, network.Lookups);
        network.IsDown = false;
        network.RunUntil(network.Now + TimeSpan.FromMinutes(6));
        Assert.AreEqual(0, network.NewCount);
        Assert.AreEqual(0, network.Sweep.WaitingRegions);
    }

    [TestMethod]
    public void A_restart_goes_on_where_it_was()
    {
        var network = new SweepNetwork(1_000, 2_000, 60) { ToldAt = [] };
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        TimeSpan begin = network.Now;
        network.RunUntil(begin + (Interval / 2));
        int told = network.ToldAt!.Values.Count(at => at > begin);
        network.Restart();
        network.RunUntil(network.Now + TimeSpan.FromSeconds(1));
        Assert.AreEqual(told, network.ToldAt.Values.Count(at => at > begin));
        network.RunUntil(begin + Interval);
        Assert.IsTrue(network.ToldAt.Values.All(at => at > begin));
    }

    [TestMethod]
    public void After_a_long_absence_everything_is_announced_at_once_and_after_a_short_one_what_was_due()
    {
        var network = new SweepNetwork(1_000, 2_000, 61) { ToldAt = [], Settings = SweepSettings.Default with { RegionPeers = 16 } }; // regions of 41 minutes
        network.Restart();
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        network.Sweep.SetOnline(false, network.Now);
        network.RunUntil(network.Now + TimeSpan.FromMinutes(90));
        TimeSpan back = network.Now;
        network.Sweep.SetOnline(true, back);
        network.RunUntil(back + TimeSpan.FromSeconds(1));
        int caughtUp = network.ToldAt!.Values.Count(at => at >= back);
        Assert.IsInRange(1, 600, caughtUp);

        network.Now += TimeSpan.FromHours(3);
        network.Restart(); // the process was gone
        back = network.Now;
        Assert.AreEqual(SweepStepKind.LookUp, network.Sweep.Next(back).Kind);
        Assert.IsTrue(network.Sweep.IsRushing);
        network.Restart();
        network.RunUntil(back + TimeSpan.FromSeconds(1));
        Assert.IsTrue(network.ToldAt.Values.All(at => at >= back));
        Assert.IsFalse(network.Sweep.IsRushing);
        network.RunUntil(back + Interval + TimeSpan.FromSeconds(1));
        Assert.IsTrue(network.ToldAt.Values.All(at => at > back), "The next round keeps the interval.");
    }

    [TestMethod]
    public void Nothing_to_announce_is_no_work()
    {
        var network = new SweepNetwork(100, 0, 62);
        network.RunUntil(network.Now + TimeSpan.FromDays(3));
        Assert.AreEqual(0, network.Lookups);
        network.AddKeys(5);
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.AreEqual(0, network.NewCount);
    }

    [TestMethod]
    public void Networks_smaller_than_twenty_are_told_as_a_whole()
    {
        var network = new SweepNetwork(7, 100, 63) { Told = [] };
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.AreEqual(0, network.NewCount);
        Assert.AreEqual(1, network.Lookups);
        Assert.IsTrue(network.Told!.Values.All(static told => told.Count == 7));
    }

    [TestMethod]
    public void A_wrong_size_of_the_network_costs_lookups_but_tells_the_right_nodes()
    {
        foreach (double size in new[] { 40.0, 100_000 })
        {
            var network = new SweepNetwork(400, 400, 64) { Told = [] };
            network.Sweep.NetworkSize = size;
            network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
            Assert.AreEqual(0, network.NewCount);
            foreach ((DhtKey key, List<Contact> told) in network.Told!)
                CollectionAssert.AreEquivalent(network.Closest(key, 20), told);
        }
    }

    [TestMethod]
    public void More_keys_than_fit_in_memory_are_told_in_several_passes()
    {
        var network = new SweepNetwork(50, 1_000, 65) { Told = [], Settings = SweepSettings.Default with { MaxKeysPerPass = 300 } };
        network.Restart();
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        Assert.AreEqual(0, network.NewCount);
        Assert.IsTrue(network.Told!.Values.All(static told => told.Count == 20));
        Assert.IsInRange(2, 4, network.Visits.Values.Max()); // a pass holds a part of the keyspace, and not every node is near it
    }

    [TestMethod]
    public void Parts_of_the_keyspace_are_cut_by_bits()
    {
        var random = new SeededRandom(66);
        for (int i = 0; i < 200; i++)
        {
            int length = random.Next(1, 60);
            var part = DhtPrefix.Of(DhtKey.Random(random), length);
            DhtKey point = part.PointIn(random);
            Assert.IsTrue(part.Contains(point) && part.First <= point && point <= part.Last);
            Assert.IsFalse(part.Sibling.Contains(point));
            Assert.IsTrue(part.Parent.Contains(part) && part.Parent.Contains(part.Sibling) && !part.Contains(part.Parent));
            Assert.AreEqual(part.Parent.Width, part.Width + part.Sibling.Width);
            DhtKey behind = part.Last.Successor();
            Assert.IsTrue(behind == default || (behind > part.Last && !part.Contains(behind) && DhtPrefix.Of(behind, length).First == behind));
        }

        Assert.AreEqual(default, DhtPrefix.All.Last.Successor());
    }

    private static int LookupsOfARound(int nodes, int keys, ulong seed)
    {
        var network = new SweepNetwork(nodes, keys, seed);
        network.RunUntil(network.Now + TimeSpan.FromMinutes(1));
        return network.Lookups;
    }
}
