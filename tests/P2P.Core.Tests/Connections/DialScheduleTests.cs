using P2P.Core.Addresses;
using P2P.Core.Connections;

namespace P2P.Core.Tests.Connections;

[TestClass]
public sealed class DialScheduleTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [TestMethod]
    public void Near_addresses_come_first_and_families_take_turns()
    {
        DialSchedule schedule = NewSchedule();
        schedule.Add(Known(
            "/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1.2/tcp/1", "/ip6/2600::1/tcp/1", "/ip4/192.168.1.1/tcp/1", "/ip4/127.0.0.1/tcp/1", "/ip6/2600::2/tcp/1"));
        string[] expected =
        [
            "/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.1/tcp/1", "/ip6/2600::1/tcp/1", "/ip4/1.1.1.1/tcp/1", "/ip6/2600::2/tcp/1", "/ip4/1.1.1.2/tcp/1",
        ];
        for (int i = 0; i < expected.Length; i++)
        {
            DialStep step = schedule.Next(i * Second);
            Assert.AreEqual(DialStepKind.Dial, step.Kind);
            Assert.AreEqual(expected[i], step.Address.Address.ToString());
        }
    }

    [TestMethod]
    public void The_next_starts_after_the_stagger_or_when_all_before_have_failed()
    {
        DialSchedule schedule = NewSchedule();
        schedule.Add(Known("/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1.2/tcp/1", "/ip4/1.1.1.3/tcp/1"));
        Assert.AreEqual(DialStepKind.Dial, schedule.Next(0).Kind);
        DialStep wait = schedule.Next(Second / 10);
        Assert.AreEqual(DialStepKind.Wait, wait.Kind);
        Assert.AreEqual(TimeSpan.FromMilliseconds(150), wait.Delay);
        schedule.OnEnded();
        Assert.AreEqual(DialStepKind.Dial, schedule.Next(Second / 10).Kind);
        Assert.AreEqual(DialStepKind.Wait, schedule.Next(Second / 10).Kind);
        Assert.AreEqual(DialStepKind.Dial, schedule.Next((Second / 10) + (Second / 4)).Kind);
        Assert.IsNull(schedule.Next(Second).Delay);
        schedule.OnEnded();
        schedule.OnEnded();
        Assert.AreEqual(DialStepKind.Exhausted, schedule.Next(Second).Kind);
    }

    [TestMethod]
    public void An_address_is_tried_once_with_or_without_a_peer_id_and_not_more_than_the_limit()
    {
        DialSchedule schedule = NewSchedule(3);
        Multiaddress address = Multiaddress.Parse("/ip4/1.1.1.1/tcp/1");
        schedule.Add([new KnownAddress(address.WithPeerId(new PeerIdOfNobody().Id), AddressOrigin.User), new KnownAddress(address, AddressOrigin.Peer)]);
        schedule.Add(Known("/ip4/1.1.1.2/tcp/1", "/ip4/1.1.1.3/tcp/1", "/ip4/1.1.1.4/tcp/1"));
        int dialed = 0;
        for (long now = 0; schedule.Next(now).Kind == DialStepKind.Dial; now += Second)
        {
            dialed++;
            schedule.OnEnded();
        }

        Assert.AreEqual(3, dialed);
    }

    [TestMethod]
    public void A_stopped_schedule_waits_for_what_runs_only()
    {
        DialSchedule schedule = NewSchedule();
        schedule.Add(Known("/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1.2/tcp/1"));
        schedule.Next(0);
        schedule.Stop();
        Assert.AreEqual(DialStepKind.Wait, schedule.Next(Second).Kind);
        schedule.OnEnded();
        Assert.AreEqual(DialStepKind.Exhausted, schedule.Next(Second).Kind);
    }

    private static DialSchedule NewSchedule(int max = 32) => new(TimeSpan.FromMilliseconds(250), max, Second);

    private static KnownAddress[] Known(params string[] texts) => [.. texts.Select(text => new KnownAddress(Multiaddress.Parse(text), AddressOrigin.User))];
}
