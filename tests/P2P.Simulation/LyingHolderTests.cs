using System.Globalization;
using P2P.Core;
using P2P.Core.Dht;
using P2P.Core.Replication;
using P2P.Testing;

namespace P2P.Simulation;

/// <summary>
/// Goal: who says that it has what it has not is soon counted by nobody, and never again. Method: what its neighbours believe of one holder, with the real
/// <see cref="HolderTrust"/> and <see cref="RepairPlan"/>, a comparison and a check an hour, for ten days.
/// </summary>
[TestClass]
public sealed class LyingHolderTests
{
    private const int Neighbours = 200, Days = 10;

    private static readonly ReplicationSettings Rules = new()
    {
        Grace = TimeSpan.FromMinutes(15),
        CheckInterval = TimeSpan.FromHours(1),
        DelayedRepairWait = TimeSpan.FromHours(6),
        LeaseDuration = TimeSpan.FromDays(7),
    };

    [TestMethod]
    [DataRow(Lie.ClaimsAll, 24, DisplayName = "says that it has what it never had")]
    [DataRow(Lie.DropsAll, 24, DisplayName = "drops everything after two days")]
    [DataRow(Lie.AnswersAuditsOnly, 24, DisplayName = "answers audits and gives no block")]
    public void Who_lies_is_counted_by_nobody_a_day_later(Lie lie, int hours)
    {
        (double counted, int last) = Watch(lie, runs: 4);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{lie}: counted {counted:P2} of the time, last {last} h after it began to lie"));
        Assert.IsLessThan(hours, last);
    }

    [TestMethod]
    public void Who_drops_one_run_of_many_is_found_out_when_that_is_drawn()
    {
        (double counted, _) = Watch(Lie.DropsOne, runs: 4);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"DropsOne of 4: counted {counted:P2} of the time"));
        Assert.IsLessThan(0.03, counted); // four checks on average until it is drawn, and never again from then on
    }

    [TestMethod]
    public void Who_can_get_every_block_from_others_cannot_be_told_from_a_holder()
    {
        (double counted, _) = Watch(Lie.Proxies, runs: 4);
        Assert.AreEqual(1, counted); // what the protocol does not show, and its description says so
    }

    [TestMethod]
    public void An_honest_holder_with_one_damaged_block_counts_on_for_all_other_runs()
    {
        (double counted, _) = Watch(Lie.OneBlockDamagedForADay, runs: 4);
        Assert.IsGreaterThan(0.9, counted);
    }

    /// <summary>What the neighbours believe of one holder.</summary>
    /// <returns>The part of the time in which a run that it lacks was counted for it, and the last hour in which one was, since it began to lie.</returns>
    private static (double Counted, int Last) Watch(Lie lie, int runs)
    {
        var random = new SeededRandom(20261126);
        PeerId liar = NewPeer(random);
        int begins = lie is Lie.ClaimsAll ? 0 : 48, last = -1;
        long counted = 0, watched = 0;
        for (int neighbour = 0; neighbour < Neighbours; neighbour++)
        {
            var time = new VirtualTime();
            var trust = new HolderTrust(time, random.Next);
            DhtKey self = DhtKey.Random(random);
            RepairPlan[] plans = [.. Enumerable.Range(0, runs).Select(_ => new RepairPlan(DhtKey.Random(random), self, new RepairTerms(3, 5, 8), Rules, TimeSpan.Zero))];
            for (int hour = 0; hour < Days * 24; hour++)
            {
                var now = TimeSpan.FromHours(hour);
                int lying = hour - begins;
                if (trust.IsTrusted(liar))
                    Meet(trust, plans, liar, now, (run, isPlain) => Passes(lie, lying, run, isPlain), random);
                for (int run = 0; run < runs; run++)
                {
                    plans[run].Next(now);
                    if (lying < 0 || !IsLie(lie, run))
                        continue;
                    watched++;
                    if (!plans[run].Counts(liar, now))
                        continue;
                    counted++;
                    last = Math.Max(last, lying);
                }

                time.Advance(TimeSpan.FromHours(1));
            }
        }

        return (counted / (double)watched, last);
    }

    /// <summary>One meeting, as <see cref="HolderUpkeep"/> makes it: the other lists everything, and one thing is checked.</summary>
    private static void Meet(HolderTrust trust, RepairPlan[] plans, PeerId other, TimeSpan now, Func<int, bool, bool> passes, SeededRandom random)
    {
        foreach (RepairPlan plan in plans)
            plan.OnListed(other, holds: true);
        int drawn = Array.FindIndex(plans, plan => plan.MayTryAgain(other, now));
        if (drawn < 0)
            drawn = random.Next(plans.Length);
        bool isPlain = trust.DrawPlain(other), isProved = passes(drawn, isPlain);
        bool isTrusted = trust.OnChecked(other, isPlain, isProved);
        if (!isProved)
        {
            plans[drawn].OnDisproved(other, now);
        }
        else
        {
            plans[drawn].OnProvedThis(other, now);
            foreach (RepairPlan plan in plans)
                plan.OnProved(other, now);
        }

        if (isTrusted)
            return;
        foreach (RepairPlan plan in plans)
            plan.OnLacks(other);
    }

    private static bool Passes(Lie lie, int lyingHours, int run, bool isPlain) => lyingHours < 0 || lie switch
    {
        Lie.ClaimsAll or Lie.DropsAll => false,
        Lie.AnswersAuditsOnly => !isPlain,
        Lie.DropsOne => run != 0,
        Lie.OneBlockDamagedForADay => run != 0 || lyingHours >= 24,
        _ => true,
    };

    private static bool IsLie(Lie lie, int run) => lie switch
    {
        Lie.DropsOne => run == 0,
        Lie.OneBlockDamagedForADay => run != 0,
        _ => true,
    };

    private static PeerId NewPeer(SeededRandom random)
    {
        byte[] multihash = new byte[34];
        random.NextBytes(multihash);
        (multihash[0], multihash[1]) = (0x12, 0x20);
        return PeerId.TryFromBytes(multihash, out PeerId peer) ? peer : throw new InvalidOperationException("This is no peer id.");
    }

    /// <summary>What is not true of a holder.</summary>
    public enum Lie
    {
        ClaimsAll,
        DropsAll,
        AnswersAuditsOnly,
        DropsOne,
        Proxies,
        OneBlockDamagedForADay,
    }
}
