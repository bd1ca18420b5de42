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
    [DataRow(SessionStall.NoProviders, true, true, P2PErrorCode.Unreachable)]
    [DataRow(SessionStall.NobodyHasIt, false, false, P2PErrorCode.NotFound)]
    [DataRow(SessionStall.Waiting, false, true, P2PErrorCode.Unreachable)]
    public void The_failure_says_what_was_tried(object stall, bool dialed, bool received, P2PErrorCode code)
    {
        DialAttempt[] attempts = dialed ? [new DialAttempt("/ip4/127.0.0.1/tcp/1", "connection refused")] : [];

        P2PException e = StallWatch.ToException(new SessionStatistics { Stall = (SessionStall)stall }, attempts, received, Limit);

        Assert.AreEqual(code, e.Code);
        StringAssert.Contains(e.Message, "2 min");
        Assert.IsTrue(e.IsTransient);
        Assert.HasCount(attempts.Length, e.Attempts);
    }

    [TestMethod]
    public void Places_where_peers_are_looked_for_are_no_peers()
    {
        DialAttempt[] attempts = [new DialAttempt(ContentProviders.DhtSource, "no bootstrap peer known"), new DialAttempt(ContentProviders.LanSource, "nobody there answers")];
        P2PException e = StallWatch.ToException(new SessionStatistics { Stall = SessionStall.NoProviders }, attempts, anythingReceived: false, Limit);
        Assert.AreEqual(P2PErrorCode.NotFound, e.Code);
        StringAssert.Contains(e.Message, "neither the DHT nor the local network");
    }

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
