using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: a table is filled at once, then looked after only where nobody was. Method: the schedule in times of our own.</summary>
[TestClass]
public sealed class RefreshScheduleTests
{
    private static readonly RefreshSettings Settings = RefreshSettings.Default;

    [TestMethod]
    public void An_empty_table_tries_the_peers_to_begin_with_every_two_minutes()
    {
        var schedule = new RefreshSchedule(Settings);
        var table = new RoutingTable(DhtKey.Random(new SeededRandom(1)), RoutingTableSettings.Default);
        Assert.AreEqual(new RefreshStep(RefreshStepKind.Bootstrap), schedule.Next(table, TimeSpan.Zero));
        Assert.AreEqual(new RefreshStep(RefreshStepKind.Wait, Until: TimeSpan.FromMinutes(2)), schedule.Next(table, TimeSpan.Zero));
        Assert.AreEqual(new RefreshStep(RefreshStepKind.Bootstrap), schedule.Next(table, TimeSpan.FromMinutes(2)));
    }

    [TestMethod]
    public void At_first_the_own_place_and_every_bucket_are_looked_up()
    {
        var schedule = new RefreshSchedule(Settings);
        RoutingTable table = Filled(2);
        List<RefreshStep> steps = Drain(schedule, table, TimeSpan.FromSeconds(1));
        Assert.AreEqual(RefreshStepKind.Self, steps[0].Kind);
        CollectionAssert.AreEqual(Enumerable.Range(0, table.BucketCount).ToArray(), steps.Skip(1).Select(step => step.Prefix).ToArray());
    }

    [TestMethod]
    public void Later_only_buckets_that_nobody_used_are_looked_through()
    {
        var schedule = new RefreshSchedule(Settings);
        RoutingTable table = Filled(3);
        Drain(schedule, table, TimeSpan.FromSeconds(1));
        table.Bucket(0).LastUsed = TimeSpan.FromMinutes(8);
        List<RefreshStep> steps = Drain(schedule, table, TimeSpan.FromMinutes(11));
        Assert.AreEqual(RefreshStepKind.Check, steps[0].Kind);
        Assert.AreEqual(RefreshStepKind.Self, steps[1].Kind);
        Assert.IsTrue(steps.Skip(2).All(step => step.Kind == RefreshStepKind.Bucket && step.Prefix > 0));
        Assert.HasCount(table.BucketCount - 1, steps.Skip(2));
        Assert.IsEmpty(Drain(schedule, table, TimeSpan.FromMinutes(12)));
        CollectionAssert.AreEqual(new[] { new RefreshStep(RefreshStepKind.Bucket) }, Drain(schedule, table, TimeSpan.FromMinutes(18)));
    }

    [TestMethod]
    public void Neighbours_that_others_name_are_asked_once_and_at_most_once_a_minute()
    {
        var schedule = new RefreshSchedule(Settings);
        RoutingTable table = Filled(5);
        Drain(schedule, table, TimeSpan.FromSeconds(1));
        Contact[] known = table.Closest(table.Own, RoutingTableSettings.K);
        Contact near = Drawn(1, table.Own, static prefix => prefix >= 10), nearer = Drawn(2, table.Own, static prefix => prefix >= 10);
        Assert.IsFalse(schedule.Hear(table, known), "they are known");
        Assert.IsFalse(schedule.Hear(table, [Drawn(3, table.Own, static prefix => prefix == 0)]), "no neighbour");
        Assert.IsTrue(schedule.Hear(table, [near, .. known]));
        Assert.IsTrue(schedule.Hear(table, [nearer, near]));

        RefreshStep step = Drain(schedule, table, TimeSpan.FromMinutes(2)).Single();
        Assert.AreEqual(RefreshStepKind.Self, step.Kind);
        CollectionAssert.AreEquivalent(new[] { near, nearer }, step.Others.ToArray());

        schedule.Hear(table, [near]);
        Assert.AreEqual(new RefreshStep(RefreshStepKind.Wait, Until: TimeSpan.FromMinutes(3)), schedule.Next(table, TimeSpan.FromMinutes(2.5)));
        Assert.HasCount(1, Drain(schedule, table, TimeSpan.FromMinutes(3)));
        Assert.IsEmpty(Drain(schedule, table, TimeSpan.FromMinutes(4)), "nobody new was named");
    }

    [TestMethod]
    public void So_many_neighbours_are_kept_at_most_as_make_a_search_and_those_are_the_nearest()
    {
        var schedule = new RefreshSchedule(Settings);
        RoutingTable table = Filled(6);
        Drain(schedule, table, TimeSpan.FromSeconds(1));
        Contact[] named = [.. Enumerable.Range(0, 200).Select(i => Drawn((ulong)i, table.Own, static prefix => prefix >= 8)).OrderBy(contact => contact.Key ^ table.Own)];
        foreach (Contact contact in named.Reverse())
            schedule.Hear(table, [contact]);
        RefreshStep step = Drain(schedule, table, TimeSpan.FromMinutes(2)).Single();
        CollectionAssert.AreEqual(named.Take(RoutingTableSettings.K).ToArray(), step.Others.ToArray());
    }

    [TestMethod]
    public void It_always_names_a_time_to_come_back_and_has_little_to_do_in_a_day()
    {
        var schedule = new RefreshSchedule(Settings);
        RoutingTable table = Filled(4);
        int steps = 0;
        for (TimeSpan now = TimeSpan.FromSeconds(1); now < TimeSpan.FromDays(1);)
        {
            RefreshStep step = schedule.Next(table, now);
            if (step.Kind == RefreshStepKind.Wait)
            {
                Assert.IsGreaterThan(now, step.Until);
                now = step.Until;
            }
            else
            {
                steps++;
            }
        }

        Assert.IsLessThan(145 * (table.BucketCount + 3), steps);
    }

    [TestMethod]
    public void Who_came_first_stays_from_a_minute_after_the_second_round()
    {
        var schedule = new RefreshSchedule(Settings);
        RoutingTable table = Filled(5, isReplaceable: true);
        Drain(schedule, table, TimeSpan.FromSeconds(1));
        Drain(schedule, table, TimeSpan.FromMinutes(11));
        Assert.IsTrue(table.Bucket(0).Entries[0].IsReplaceable);
        Drain(schedule, table, TimeSpan.FromMinutes(12));
        Assert.IsFalse(table.Bucket(0).Entries[0].IsReplaceable);
    }

    /// <summary>A contact that shares as many bits with a point as is wanted.</summary>
    private static Contact Drawn(ulong seed, DhtKey point, Func<int, bool> fits)
    {
        var random = new SeededRandom(1_000 + seed);
        while (true)
        {
            Contact contact = DhtCrowd.NewContact(random);
            if (fits(point.CommonPrefixLength(contact.Key)))
                return contact;
        }
    }

    private static RoutingTable Filled(ulong seed, bool isReplaceable = false)
    {
        var random = new SeededRandom(seed);
        var table = new RoutingTable(DhtKey.Random(random), RoutingTableSettings.Default);
        for (int i = 0; i < 200; i++)
            table.Admit(DhtCrowd.NewContact(random), NetworkGroup.None, TimeSpan.Zero, isReplaceable);
        return table;
    }

    private static List<RefreshStep> Drain(RefreshSchedule schedule, RoutingTable table, TimeSpan now)
    {
        List<RefreshStep> steps = [];
        for (RefreshStep step = schedule.Next(table, now); step.Kind != RefreshStepKind.Wait; step = schedule.Next(table, now))
            steps.Add(step);
        return steps;
    }
}
