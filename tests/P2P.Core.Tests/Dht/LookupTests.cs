using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: a lookup ends, within its limits, with the closest that answer. Method: small networks with real tables, answers in orders of chance.</summary>
[TestClass]
public sealed class LookupTests
{
    private static readonly LookupSettings Settings = LookupSettings.Default;

    [TestMethod]
    public void It_finds_the_exact_twenty_closest_and_never_asks_more_than_alpha_at_once()
    {
        var crowd = new DhtCrowd(400, 11);
        for (int i = 0; i < 100; i++)
        {
            Contact from = crowd.Contacts[crowd.Random.Next(400)];
            DhtKey target = DhtKey.Random(crowd.Random);
            var lookup = new Lookup(target, crowd.Table(from).Closest(target, 20), Settings, from.Key);
            HashSet<DhtKey> asked = [];
            int most = crowd.Run(lookup, contact => Assert.IsTrue(asked.Add(contact.Key), "It asks nobody twice."));
            Assert.IsLessThanOrEqualTo(Settings.Alpha, most);
            Assert.HasCount(lookup.Requests, asked);
            Assert.DoesNotContain(from.Key, asked);
            CollectionAssert.AreEqual(crowd.Closest(target, 20, from), lookup.Closest);
        }
    }

    [TestMethod]
    public void The_dead_do_not_displace_the_living()
    {
        var crowd = new DhtCrowd(400, 12);
        for (int i = 0; i < 120; i++)
            crowd.Dead.Add(crowd.Contacts[crowd.Random.Next(400)].Key);
        int nearest = 0, common = 0;
        for (int i = 0; i < 100; i++)
        {
            Contact from = crowd.Contacts[crowd.Random.Next(400)];
            DhtKey target = DhtKey.Random(crowd.Random);
            var lookup = new Lookup(target, crowd.Table(from).Closest(target, 20), Settings, from.Key);
            crowd.Run(lookup);
            Assert.IsFalse(lookup.Closest.Exists(contact => crowd.Dead.Contains(contact.Key)));
            List<Contact> truth = crowd.Closest(target, 20, from);
            nearest += lookup.Closest[0] == truth[0] ? 1 : 0;
            common += lookup.Closest.Intersect(truth).Count();
        }

        // the tables were not refreshed since 30 % died: answers name 20 of whom 6 are dead
        Assert.AreEqual(100, nearest);
        Assert.IsGreaterThanOrEqualTo(1_800, common);
    }

    [TestMethod]
    public void Only_so_many_contacts_of_one_answer_are_taken_and_requests_have_an_end()
    {
        var random = new SeededRandom(13);
        DhtKey target = DhtKey.Random(random);
        Contact first = DhtCrowd.NewContact(random);
        var lookup = new Lookup(target, [first], Settings with { MaxRequests = 15 });
        Assert.AreSame(first, lookup.Next(TimeSpan.Zero).Contact);
        Contact[] many = [.. Enumerable.Range(0, 200).Select(_ => DhtCrowd.NewContact(random))];
        Assert.IsTrue(lookup.OnReply(first.Key, many));
        Assert.AreEqual(0, many.Skip(40).Count(contact => lookup.HopsTo(contact.Key) >= 0));
        Assert.AreEqual(40, many.Count(contact => lookup.HopsTo(contact.Key) == 1));

        // a chain of liars, each of which tells of nearer ones for ever
        int asked = 1;
        for (LookupStep step = lookup.Next(TimeSpan.Zero); step.Kind == LookupStepKind.Ask; step = lookup.Next(TimeSpan.Zero))
        {
            asked++;
            lookup.OnReply(step.Contact!.Key, [DhtCrowd.NewContactNear(random, target, 8), DhtCrowd.NewContactNear(random, target, 8)]);
        }

        Assert.AreEqual(15, asked);
        Assert.AreEqual(LookupStepKind.Done, lookup.Next(TimeSpan.Zero).Kind);
    }

    [TestMethod]
    public void An_answer_with_many_of_one_network_loses_all_of_that_network()
    {
        var random = new SeededRandom(14);
        Contact first = DhtCrowd.NewContact(random);
        Contact[] told =
        [
            .. Enumerable.Range(1, 4).Select(i => DhtCrowd.NewContact(random, $"/ip4/8.8.{i}.1/tcp/1")),
            .. Enumerable.Range(1, 3).Select(i => DhtCrowd.NewContact(random, $"/ip4/9.9.{i}.1/tcp/1")),
            .. Enumerable.Range(1, 5).Select(i => DhtCrowd.NewContact(random, $"/ip4/127.0.0.{i}/tcp/1")),
        ];
        var lookup = new Lookup(DhtKey.Random(random), [first], Settings);
        lookup.Next(TimeSpan.Zero);
        lookup.OnReply(first.Key, told);
        for (int i = 0; i < told.Length; i++)
            Assert.AreEqual(i < 4 ? -1 : 1, lookup.HopsTo(told[i].Key));
    }

    [TestMethod]
    public void A_slow_one_frees_its_place_and_may_still_answer_until_it_is_given_up()
    {
        var random = new SeededRandom(15);
        Contact[] known = [.. Enumerable.Range(0, 20).Select(_ => DhtCrowd.NewContact(random))];
        var lookup = new Lookup(DhtKey.Random(random), known, Settings);
        List<Contact> asked = [];
        for (LookupStep step = lookup.Next(TimeSpan.Zero); step.Kind == LookupStepKind.Ask; step = lookup.Next(TimeSpan.Zero))
            asked.Add(step.Contact!);
        Assert.HasCount(10, asked);
        Assert.AreEqual(Settings.SlowAfter, lookup.Next(TimeSpan.Zero).Until);
        TimeSpan slow = Settings.SlowAfter;
        for (LookupStep step = lookup.Next(slow); step.Kind == LookupStepKind.Ask; step = lookup.Next(slow))
            asked.Add(step.Contact!);
        Assert.HasCount(20, asked);
        Assert.IsTrue(lookup.OnReply(asked[0].Key, []));
        Assert.IsFalse(lookup.OnReply(asked[0].Key, []), "One answer each.");
        Assert.AreEqual(LookupStepKind.Wait, lookup.Next(slow).Kind);
        Assert.AreEqual(LookupStepKind.Done, lookup.Next(slow + Settings.AbandonAfter).Kind);
        CollectionAssert.AreEqual(new[] { asked[0] }, lookup.Closest);
    }

    [TestMethod]
    public void Answers_of_strangers_are_not_taken()
    {
        var random = new SeededRandom(16);
        Contact known = DhtCrowd.NewContact(random), stranger = DhtCrowd.NewContact(random);
        var lookup = new Lookup(DhtKey.Random(random), [known], Settings);
        Assert.IsFalse(lookup.OnReply(known.Key, []), "It was not asked yet.");
        lookup.Next(TimeSpan.Zero);
        Assert.IsFalse(lookup.OnReply(stranger.Key, [stranger]));
        Assert.IsFalse(lookup.OnFailure(stranger.Key));
        Assert.IsTrue(lookup.OnFailure(known.Key));
        Assert.AreEqual(LookupStepKind.Done, lookup.Next(TimeSpan.Zero).Kind);
        Assert.IsEmpty(lookup.Closest);
    }

    [TestMethod]
    public void Stopped_or_without_anybody_it_is_done()
    {
        var random = new SeededRandom(17);
        var lookup = new Lookup(DhtKey.Random(random), [DhtCrowd.NewContact(random)], Settings);
        lookup.Stop();
        Assert.AreEqual(LookupStepKind.Done, lookup.Next(TimeSpan.Zero).Kind);
        Assert.AreEqual(LookupStepKind.Done, new Lookup(DhtKey.Random(random), [], Settings).Next(TimeSpan.Zero).Kind);
    }

    [TestMethod]
    public void Extended_it_asks_everybody_within_the_reach()
    {
        var crowd = new DhtCrowd(400, 18);
        int beyond = 0;
        for (int i = 0; i < 30; i++)
        {
            Contact from = crowd.Contacts[crowd.Random.Next(400)];
            DhtKey target = DhtKey.Random(crowd.Random);
            var lookup = new Lookup(target, crowd.Table(from).Closest(target, 20), Settings, from.Key);
            List<Contact> open = [];
            crowd.Run(lookup, open: open);
            lookup.Extend(0.15, 100);
            crowd.Run(lookup, open: open);
            List<Contact> heard = [.. crowd.Contacts.Where(contact => lookup.HopsTo(contact.Key) >= 0 && KeyDistance.Of(target, contact.Key) <= 0.15)];
            beyond += heard.Count - 20;
            CollectionAssert.IsSubsetOf(heard, lookup.Answered);
        }

        Assert.IsGreaterThan(0, beyond);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(5)]
    public void Disjoint_paths_share_nobody_and_find_the_same(int paths)
    {
        var crowd = new DhtCrowd(400, 19);
        for (int i = 0; i < 20; i++)
            crowd.Dead.Add(crowd.Contacts[crowd.Random.Next(400)].Key);
        int exact = 0;
        for (int i = 0; i < 50; i++)
        {
            Contact from = crowd.Contacts[crowd.Random.Next(400)];
            DhtKey target = DhtKey.Random(crowd.Random);
            var lookup = new DisjointLookup(target, crowd.Table(from).Closest(target, 20), paths, Settings, from.Key);
            HashSet<DhtKey> asked = [];
            int most = crowd.Run(lookup, contact => Assert.IsTrue(asked.Add(contact.Key), "Nobody is asked by two paths."));
            Assert.IsLessThanOrEqualTo(Settings.Alpha, most);
            Assert.HasCount(lookup.Requests, asked);
            Assert.IsTrue(asked.All(key => lookup.PathOf(key) >= 0 && lookup.PathOf(key) < paths));
            exact += lookup.Closest.SequenceEqual(crowd.Closest(target, 20, from)) ? 1 : 0;
        }

        Assert.IsGreaterThanOrEqualTo(43, exact);
    }

    [TestMethod]
    public void One_path_led_astray_leaves_the_others_on_theirs()
    {
        // goal: a hostile first contact that tells of a closed circle of its friends does not own the result
        var crowd = new DhtCrowd(400, 20);
        DhtKey target = DhtKey.Random(crowd.Random);
        Contact from = crowd.Contacts[0];
        Contact[] known = crowd.Table(from).Closest(target, 20);
        Contact[] circle = [.. Enumerable.Range(0, 12).Select(_ => DhtCrowd.NewContactNear(crowd.Random, target, 3))];
        crowd.Lies[known[0].Key] = circle;
        foreach (Contact friend in circle)
            crowd.Lies[friend.Key] = circle;
        var lookup = new DisjointLookup(target, known, 4, Settings, from.Key);
        crowd.Run(lookup);
        List<Contact> honest = [.. lookup.Answered.Where(contact => !circle.Contains(contact))];
        CollectionAssert.IsSubsetOf(crowd.Closest(target, 8, from), honest);
    }
}
