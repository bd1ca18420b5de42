using P2P.Core.Exchange;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

// Goal: the plan keeps fast providers busy, and no liar holds it up. Method: simulated providers in virtual time.
[TestClass]
public sealed class WantSchedulerTests
{
    private const int MiB = 1 << 20;

    [TestMethod]
    public void A_provider_that_was_named_finds_a_place_among_many_that_only_offer_themselves()
    {
        Cid root = Cid.OfRaw([1]);
        var scheduler = new WantScheduler(root, ExchangeSettings.Default);
        for (int i = 0; i < WantScheduler.MaxProviders; i++)
            scheduler.AddProvider(Peer(i), isCandidate: true, roundTrip: null, TimeSpan.Zero);
        scheduler.AddProvider(Peer(100), isCandidate: true, roundTrip: null, TimeSpan.Zero);
        Assert.IsNull(scheduler.Find(Peer(100)), "one more that offers itself");
        scheduler.AddProvider(Peer(101), isCandidate: false, roundTrip: null, TimeSpan.Zero);
        Assert.IsNotNull(scheduler.Find(Peer(101)));
        Assert.HasCount(WantScheduler.MaxProviders, scheduler.Providers);
        Assert.AreEqual(WantScheduler.MaxProviders, scheduler.Providers.Select(static provider => provider.Bit).Distinct().Count());

        static PeerId Peer(int number) => PeerId.FromBytes([0x12, 32, .. new byte[31], (byte)number]);
    }

    [TestMethod]
    public void One_provider_is_kept_busy()
    {
        var simulation = new SchedulerSimulation(1);
        SimulatedProvider provider = simulation.Add(300);
        TimeSpan took = Ends(simulation, 512);
        AssertClose(512 * 1.048576 / 300, took, 1.1);
        Assert.AreEqual(simulation.UsefulBytes, simulation.BytesReceived, "nothing is asked twice");
        Assert.IsLessThan(200, provider.Messages, "wants travel in batches");
    }

    [TestMethod]
    public void A_long_fast_line_is_filled()
    {
        // 400 Mbit/s at 63 ms
        var simulation = new SchedulerSimulation(2);
        simulation.Add(50, roundTripMs: 63);
        AssertClose(256 * 1.048576 / 50, Ends(simulation, 256), 1.06);
        Assert.AreEqual(simulation.UsefulBytes, simulation.BytesReceived);
    }

    [TestMethod]
    public void A_slow_line_is_not_asked_twice()
    {
        // 1 Mbit/s: a block takes 8 s, longer than the least patience
        var simulation = new SchedulerSimulation(3);
        simulation.Add(0.125, roundTripMs: 100);
        AssertClose(24 * 1.048576 / 0.125, Ends(simulation, 24), 1.05);
        Assert.AreEqual(simulation.UsefulBytes, simulation.BytesReceived);
    }

    [TestMethod]
    public void Two_providers_share_the_work()
    {
        var simulation = new SchedulerSimulation(4);
        SimulatedProvider a = simulation.Add(200), b = simulation.Add(100);
        AssertClose(512 * 1.048576 / 300, Ends(simulation, 512), 1.15);
        Assert.IsGreaterThan(1.5, (double)a.Delivered / b.Delivered);
        Assert.IsLessThan(16L * MiB, simulation.BytesReceived - simulation.UsefulBytes, "duplicates only at the very end");
    }

    [TestMethod]
    public void Ten_thousand_small_files_travel_in_few_messages()
    {
        var simulation = new SchedulerSimulation(5);
        SimulatedProvider provider = simulation.Add(100);
        AssertClose(10_000 * 10_240 / 100e6, Ends(simulation, 10_000, 10_240), 1.15);
        Assert.IsLessThan(120, provider.Messages);
    }

    [TestMethod]
    [DataRow(Behaviour.Silent, 512, DisplayName = "says it has everything and sends nothing, 512 MiB")]
    [DataRow(Behaviour.Silent, 40, DisplayName = "says it has everything and sends nothing, 40 MiB")]
    [DataRow(Behaviour.Trickle, 512, DisplayName = "a byte a second, 512 MiB")]
    [DataRow(Behaviour.Trickle, 40, DisplayName = "a byte a second, 40 MiB")]
    [DataRow(Behaviour.Denies, 512, DisplayName = "denies everything")]
    [DataRow(Behaviour.Wrong, 512, DisplayName = "sends wrong bytes")]
    public void A_liar_costs_less_than_half_of_the_time(Behaviour behaviour, int blocks)
    {
        var alone = new SchedulerSimulation(6);
        alone.Add(100);
        TimeSpan without = Ends(alone, blocks);
        foreach (bool liarFirst in new[] { true, false })
        {
            foreach (int liars in new[] { 1, 4 })
            {
                var simulation = new SchedulerSimulation(7);
                if (!liarFirst)
                    simulation.Add(100);
                for (int i = 0; i < liars; i++)
                    simulation.Add(100).Behaviour = behaviour;
                if (liarFirst)
                    simulation.Add(100);
                TimeSpan took = Ends(simulation, blocks);
                Assert.IsLessThan(1.5, took / without, $"{took} instead of {without}, {liars} liars, first: {liarFirst}");
            }
        }
    }

    [TestMethod]
    [DataRow(511)]
    [DataRow(505)]
    [DataRow(256)]
    [DataRow(1)]
    public void A_provider_that_stalls_after_a_while_is_replaced(int after)
    {
        var simulation = new SchedulerSimulation(8);
        simulation.Add(100).StallsAfter = after;
        simulation.Add(100);
        // half of the speed is gone from then on, so the whole at one provider's speed is the measure
        Assert.IsLessThan(1.5 * 512 * 1.048576 / 100, Ends(simulation, 512).TotalSeconds);
    }

    [TestMethod]
    public void Three_broken_promises_demote_a_provider()
    {
        var simulation = new SchedulerSimulation(9);
        SimulatedProvider liar = simulation.Add(100), honest = simulation.Add(5);
        liar.Behaviour = Behaviour.Silent;
        Ends(simulation, 64);
        Assert.IsTrue(simulation.Scheduler.Find(liar.Peer)!.IsLastResort);
        Assert.IsFalse(simulation.Scheduler.Find(honest.Peer)!.IsLastResort);
        Assert.AreEqual(65, honest.Delivered);
    }

    [TestMethod]
    public void A_lost_provider_leaves_its_wants_to_the_others_and_goes_on_when_it_is_back()
    {
        var simulation = new SchedulerSimulation(10);
        SimulatedProvider a = simulation.Add(100), b = simulation.Add(100);
        simulation.OnStep = each =>
        {
            if (each.Now == TimeSpan.FromSeconds(1))
                each.Disconnect(a);
            if (each.Now == TimeSpan.FromSeconds(2))
                each.Connect(a);
        };
        AssertClose(((512 * 1.048576) + 100) / 200, Ends(simulation, 512), 1.15);
        Assert.IsGreaterThan(150, a.Delivered);
        Assert.IsGreaterThan(250, b.Delivered);
    }

    [TestMethod]
    public void The_only_provider_that_restarts_is_asked_for_the_rest()
    {
        var simulation = new SchedulerSimulation(11);
        SimulatedProvider only = simulation.Add(100);
        simulation.OnStep = each =>
        {
            if (each.Now == TimeSpan.FromSeconds(1))
                each.Disconnect(only);
            if (each.Now == TimeSpan.FromSeconds(4))
                each.Connect(only);
        };
        AssertClose((512 * 1.048576 / 100) + 3, Ends(simulation, 512), 1.1);
    }

    [TestMethod]
    public void A_candidate_is_asked_for_blocks_once_it_has_the_root()
    {
        var simulation = new SchedulerSimulation(12);
        SimulatedProvider candidate = simulation.Add(100);
        var other = new SchedulerSimulation(12);
        SimulatedProvider stranger = other.Add(100);
        stranger.Behaviour = Behaviour.Denies;
        Assert.IsNotNull(Run(simulation, candidate, 16));
        Assert.IsNull(Run(other, stranger, 16));
        Assert.IsEmpty(other.Hopeless, "nobody lied");

        static TimeSpan? Run(SchedulerSimulation simulation, SimulatedProvider only, int blocks)
        {
            only.ComesLater = true;
            simulation.OnStep = each =>
            {
                if (each.Now == TimeSpan.Zero)
                {
                    only.ComesLater = false;
                    each.Scheduler.AddProvider(only.Peer, isCandidate: true, only.RoundTrip, each.Now);
                }
            };
            return simulation.Run(blocks, MiB, TimeSpan.FromSeconds(30));
        }
    }

    [TestMethod]
    [DataRow(0.2)]
    [DataRow(3)]
    [DataRow(20)]
    public void A_crawling_provider_says_nothing_about_who_comes_later(double seconds)
    {
        // measured at a byte a second, it must not make a newcomer look as slow
        var simulation = new SchedulerSimulation(14);
        simulation.Add(100).Behaviour = Behaviour.Trickle;
        SimulatedProvider honest = simulation.Add(100);
        honest.ComesLater = true;
        simulation.OnStep = each =>
        {
            if (honest.ComesLater && each.Now >= TimeSpan.FromSeconds(seconds))
                each.Connect(honest);
        };
        TimeSpan took = Ends(simulation, 256);
        Assert.IsLessThan(seconds + (1.5 * 256 * 1.048576 / 100), took.TotalSeconds);
    }

    [TestMethod]
    public void Wrong_bytes_from_the_only_peers_left_are_hopeless()
    {
        var simulation = new SchedulerSimulation(13);
        simulation.Add(100).Behaviour = Behaviour.Wrong;
        simulation.Add(100).Behaviour = Behaviour.Denies;
        Assert.IsNull(simulation.Run(4, MiB, TimeSpan.FromSeconds(60)));
        Assert.HasCount(1, simulation.Hopeless);
        Assert.IsLessThan(TimeSpan.FromSeconds(5), simulation.Now);
    }

    [TestMethod]
    public void What_everybody_lacks_is_asked_again_later()
    {
        var simulation = new SchedulerSimulation(14);
        SimulatedProvider late = simulation.Add(100);
        late.Behaviour = Behaviour.Denies;
        simulation.OnStep = each => late.Behaviour = each.Now > TimeSpan.FromSeconds(15) ? Behaviour.Honest : Behaviour.Denies;
        TimeSpan took = Ends(simulation, 8);
        Assert.IsLessThan(TimeSpan.FromSeconds(22), took);
    }

    [TestMethod]
    public void Whoever_comes_goes_and_lies_the_fetch_ends_while_one_is_honest()
    {
        for (int seed = 100; seed < 160; seed++)
        {
            var simulation = new SchedulerSimulation(seed);
            var random = new SeededRandom((ulong)seed);
            simulation.Add(40, roundTripMs: random.Next(1, 100));
            for (int i = random.Next(1, 7); i > 0; i--)
            {
                SimulatedProvider provider = simulation.Add(random.Next(1, 100), roundTripMs: random.Next(1, 200));
                provider.Behaviour = (Behaviour)random.Next(5);
                provider.StallsAfter = random.Next(3) == 0 ? random.Next(40) : int.MaxValue;
            }

            simulation.OnStep = each =>
            {
                if (random.Next(200) > 0)
                    return;
                SimulatedProvider provider = each.Providers[random.Next(1, each.Providers.Count)];
                if (provider.ComesLater)
                    each.Connect(provider);
                else
                    each.Disconnect(provider);
            };
            TimeSpan? took = simulation.Run(100, MiB, TimeSpan.FromSeconds(60));
            Assert.IsNotNull(took, $"seed {seed}: {simulation.Scheduler.OpenCount} open, {simulation.Scheduler.StarvedCount} starved, {simulation.Hopeless.Count} hopeless");
        }
    }

    private static TimeSpan Ends(SchedulerSimulation simulation, int blocks, int bytes = MiB)
    {
        TimeSpan? took = simulation.Run(blocks, bytes, TimeSpan.FromMinutes(10));
        Assert.IsNotNull(took, $"{simulation.Scheduler.OpenCount} open, {simulation.Scheduler.StarvedCount} starved, {simulation.Hopeless.Count} hopeless");
        return took.Value;
    }

    private static void AssertClose(double expectedSeconds, TimeSpan took, double factor) =>
        Assert.IsLessThan(expectedSeconds * factor, took.TotalSeconds, $"{took.TotalSeconds:F3} s instead of {expectedSeconds:F3} s");
}
