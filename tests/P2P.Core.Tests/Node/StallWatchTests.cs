using P2P.Core.Exchange;
using P2P.Core.Node;
using P2P.Testing;

namespace P2P.Core.Tests.Node;

[TestClass]
public sealed class StallWatchTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly VirtualTime _time = new();

    [TestMethod]
    public void Standing_still_for_the_limit_ends_it_and_a_byte_begins_anew()
    {
        StallWatch watch = Watch();
        Assert.IsFalse(LookAfter(watch, 119, verified: 5, steps: 119));
        Assert.IsFalse(LookAfter(watch, 1, verified: 6));
        Assert.IsNull(watch.Duration);
        Assert.IsFalse(LookAfter(watch, 119, verified: 6, steps: 119));
        Assert.IsTrue(LookAfter(watch, 1, verified: 6));
    }

    [TestMethod]
    public void A_machine_that_slept_begins_anew()
    {
        StallWatch watch = Watch();
        Assert.IsFalse(LookAfter(watch, 60, verified: 5, steps: 60));
        Assert.IsFalse(LookAfter(watch, 3_600, verified: 5)); // the lid was closed for an hour: one look, an hour later
        Assert.IsNull(watch.Duration);
        Assert.IsFalse(LookAfter(watch, 110, verified: 5, steps: 110));
    }

    [TestMethod]
    [DataRow(SessionStall.NoProviders, true, false, P2PErrorCode.Unreachable)]
    [DataRow(SessionStall.NoProviders, false, false, P2PErrorCode.NotFound)]
    [DataRow(SessionStall.NoProviders, false, true, P2PErrorCode.Unreachable)]
    [DataRow(SessionStall.NobodyHasIt, true, false, P2PErrorCode.Unreachable)]
    [DataRow(SessionStall.NobodyHasIt, false, false, P2PErrorCode.NotFound)]
    [DataRow(SessionStall.Waiting, false, true, P2PErrorCode.Unreachable)]
    public void Who_was_named_and_does_not_answer_makes_it_unreachable(object stall, bool named, bool received, P2PErrorCode code)
    {
        DialAttempt[] attempts = [new DialAttempt("/ip4/127.0.0.1/tcp/1", "connection refused")]; // of a peer that was asked by chance
        PeerId[] unreached = named ? [Peer(1)] : [];

        P2PException e = StallWatch.ToException(new SessionStatistics { Stall = (SessionStall)stall }, unreached, attempts, received, Limit);

        Assert.AreEqual(code, e.Code);
        StringAssert.Contains(e.Message, "2 min");
        Assert.AreEqual(named, e.Message.Contains($"{Peer(1)}", StringComparison.Ordinal), e.Message);
        Assert.IsTrue(e.IsTransient);
        Assert.HasCount(1, e.Attempts);
    }

    [TestMethod]
    public void A_crowd_is_counted()
    {
        P2PException e = StallWatch.ToException(new SessionStatistics { Stall = SessionStall.NoProviders }, [Peer(1), Peer(2), Peer(3), Peer(4), Peer(5)], [], anythingReceived: false, Limit);
        StringAssert.Contains(e.Message, $"{Peer(3)} and 2 more (");
    }

    private static PeerId Peer(byte seed) => PeerId.FromBytes([0x12, 32, .. Enumerable.Repeat(seed, 32)]);

    private StallWatch Watch() => new(_time, Limit, _time.GetTimestamp());

    private bool LookAfter(StallWatch watch, int seconds, long verified, int steps = 1)
    {
        for (int i = 0; i < steps; i++)
        {
            _time.Advance(TimeSpan.FromSeconds((double)seconds / steps));
            watch.Look(verified, _time.GetTimestamp());
        }

        return watch.IsOver;
    }
}
