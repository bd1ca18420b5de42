using P2P.Core.Dht;
using P2P.Core.Replication;
using P2P.Core.Tests.Dht;

namespace P2P.Core.Tests.Replication;

/// <summary>Goal: the closest live holder makes good what is missing, once, and a blip moves nothing. Method: the plan of one holder, told of others.</summary>
[TestClass]
public sealed class RepairPlanTests
{
    private static readonly ReplicationSettings Settings = new()
    {
        Grace = TimeSpan.FromMinutes(15),
        CheckInterval = TimeSpan.FromHours(1),
        DelayedRepairWait = TimeSpan.FromHours(6),
        LeaseDuration = TimeSpan.FromDays(7),
    };

    private static readonly RepairTerms Terms = new(Min: 3, Target: 5, Max: 8);
    private static readonly DhtKey Place = DhtKey.Of("run"u8);
    private static readonly Contact[] Holders = [.. Enumerable.Range(1, 12).Select(i => DhtContacts.Contact(i, $"/ip4/10.0.0.{i}/tcp/1")).OrderBy(contact => contact.Key ^ Place)];

    [TestMethod]
    public void Enough_copies_move_nothing()
    {
        RepairPlan plan = PlanOf(0, others: 4);
        Assert.AreEqual(5, plan.Count(Minutes(1)));
        Assert.AreEqual(RepairAction.None, plan.Next(Minutes(1)).Action);
    }

    [TestMethod]
    public void A_holder_that_is_gone_counts_until_the_grace_is_over()
    {
        RepairPlan plan = PlanOf(0, others: 4);
        plan.OnGone(Holders[1].Peer, Minutes(1));
        Assert.AreEqual(5, plan.Count(Minutes(15)));
        Assert.AreEqual(4, plan.Count(Minutes(16)));
        plan.OnListed(Holders[1].Peer, holds: true);
        Assert.AreEqual(5, plan.Count(Minutes(17)), "it is there again");
    }

    [TestMethod]
    public void Below_the_target_a_copy_is_made_after_the_wait()
    {
        RepairPlan plan = PlanOf(0, others: 3);
        Assert.AreEqual(RepairAction.None, plan.Next(Minutes(60)).Action);
        Assert.AreEqual(RepairAction.None, plan.Next(Minutes(60 + 359)).Action);
        Assert.AreEqual(new RepairStep(RepairAction.Repair, 1, Minutes(60 + 360)), plan.Next(Minutes(60 + 360)));
    }

    [TestMethod]
    public void Below_the_least_copies_are_made_at_once_but_not_by_who_has_just_begun()
    {
        RepairPlan plan = PlanOf(0, others: 1);
        Assert.AreEqual(RepairAction.None, plan.Next(Minutes(1)).Action, "others may be there that it does not know yet");
        Assert.AreEqual(new RepairStep(RepairAction.Repair, 3, Minutes(15)), plan.Next(Minutes(15)));
    }

    [TestMethod]
    public void The_next_waits_ten_minutes_for_each_that_is_closer_and_there()
    {
        RepairPlan plan = PlanOf(2, others: 1); // Holders[0] is closer
        Assert.AreEqual(RepairAction.None, plan.Next(Minutes(20)).Action);
        Assert.AreEqual(RepairAction.None, plan.Next(Minutes(29)).Action);
        Assert.AreEqual(RepairAction.Repair, plan.Next(Minutes(30)).Action);
        plan.OnGone(Holders[0].Peer, Minutes(31));
        Assert.AreEqual(RepairAction.Repair, plan.Next(Minutes(31)).Action, "the closer one is gone");
    }

    [TestMethod]
    public void Who_proved_nothing_for_a_day_or_nothing_at_all_does_not_count()
    {
        RepairPlan plan = PlanOf(0, others: 4);
        plan.OnListed(Holders[5].Peer, holds: true);
        Assert.AreEqual(5, plan.Count(Minutes(1)), "a claim");
        Assert.AreEqual(1, plan.Count(TimeSpan.FromHours(24)));
        plan.OnProved(Holders[5].Peer, TimeSpan.FromHours(24));
        Assert.AreEqual(2, plan.Count(TimeSpan.FromHours(25)));
        plan.OnLacks(Holders[5].Peer);
        Assert.AreEqual(1, plan.Count(TimeSpan.FromHours(25)));
    }

    [TestMethod]
    public void The_farthest_of_too_many_goes_and_only_when_all_others_are_there()
    {
        RepairPlan farthest = PlanOf(8, others: 8), closer = PlanOf(7, others: 8, but: 8);
        Assert.AreEqual(RepairAction.Drop, farthest.Next(Minutes(1)).Action);
        Assert.AreEqual(RepairAction.None, closer.Next(Minutes(1)).Action);
        farthest.OnGone(Holders[0].Peer, Minutes(1));
        Assert.AreEqual(RepairAction.None, farthest.Next(Minutes(2)).Action, "one of the eight that stay may not come back");
    }

    /// <summary>The plan of one holder that knows some of the closest others, which have just proved that they have it.</summary>
    private static RepairPlan PlanOf(int self, int others, int but = -1)
    {
        var plan = new RepairPlan(Place, Holders[self].Key, Terms, Settings, TimeSpan.Zero);
        foreach (Contact other in Holders.Where((_, index) => index != self && (but < 0 || index <= but)).Take(others))
        {
            plan.OnListed(other.Peer, holds: true);
            plan.OnProved(other.Peer, TimeSpan.Zero);
        }

        return plan;
    }

    private static TimeSpan Minutes(int minutes) => TimeSpan.FromMinutes(minutes);
}
