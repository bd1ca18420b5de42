using P2P.Core.Muxer;
using P2P.Testing;

namespace P2P.Core.Tests.Muxer;

[TestClass]
public sealed class YamuxTimeTests
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    [TestMethod]
    public async Task An_idle_session_pings_every_30_seconds_and_lives_as_long_as_it_is_answered()
    {
        var time = new VirtualTime();
        // A busy machine may take long, in this fast time, to answer: only the count of pings is looked at here.
        var patient = new YamuxOptions { WriteStallTimeout = TimeSpan.FromHours(1) };
        await using var pair = new SessionPair(patient, time);
        await YamuxSessionTests.AssertEventuallyAsync(() => pair.Dialer.RoundTripTime is not null && pair.Listener.RoundTripTime is not null);
        for (int ping = 1; ping <= 3; ping++)
        {
            // Each side has sent its first ping and the answer to the other's, and now as many again.
            int bytes = 2 * (ping + 1) * YamuxHeader.Bytes;
            Assert.AreEqual(bytes - (2 * YamuxHeader.Bytes), pair.Dialer.BytesSent);
            await time.AdvanceAsync(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10));
            await YamuxSessionTests.AssertEventuallyAsync(() => pair.Dialer.BytesReceived == bytes && pair.Listener.BytesReceived == bytes);
        }
        Assert.IsFalse(pair.Dialer.Completion.IsCompleted);
    }

    [TestMethod]
    public async Task A_peer_that_answers_nothing_is_given_up()
    {
        var time = new VirtualTime();
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair(time: time);
        await using (session)
        {
            await peer.ReadAsync();
            await time.AdvanceAsync(TimeSpan.FromSeconds(9), Step);
            Assert.IsFalse(session.Completion.IsCompleted);
            await time.AdvanceUntilAsync(() => session.Completion.IsCompleted, Step, TimeSpan.FromSeconds(6));
            Assert.AreEqual("no sign of life for 10 s", await session.Completion);
        }
    }

    [TestMethod]
    public async Task A_send_that_makes_no_progress_for_10_seconds_ends_the_session()
    {
        var time = new VirtualTime();
        await using var pair = new SessionPair(time: time);
        await YamuxSessionTests.AssertEventuallyAsync(() => pair.Dialer.RoundTripTime is not null);
        (YamuxStream opened, _) = await pair.OpenAsync();
        pair.DialerChannel.IsStalled = true;
        await opened.Output.WriteAsync(new byte[1]);
        await Task.Delay(50); // the writer loop takes it up
        await time.AdvanceAsync(TimeSpan.FromSeconds(8), Step);
        Assert.IsFalse(pair.Dialer.Completion.IsCompleted);
        await time.AdvanceUntilAsync(() => pair.Dialer.Completion.IsCompleted, Step, TimeSpan.FromSeconds(6));
        Assert.AreEqual("a send made no progress for 10 s", await pair.Dialer.Completion);
        await Assert.ThrowsExactlyAsync<StreamResetException>(() => opened.Input.ReadAsync().AsTask());
    }

    [TestMethod]
    public async Task A_stream_left_by_us_and_never_ended_by_the_peer_is_reset_in_the_end()
    {
        var time = new VirtualTime();
        await using var pair = new SessionPair(time: time);
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        await opened.DisposeAsync();
        Assert.AreEqual(0, (await SessionPair.ReadAllAsync(accepted.Input)).Count);
        Assert.AreEqual(1, pair.Dialer.StreamCount);
        await time.AdvanceUntilAsync(() => pair.Dialer.StreamCount == 0, Step, TimeSpan.FromSeconds(15));
        await YamuxSessionTests.AssertEventuallyAsync(() => pair.Listener.StreamCount == 0);
        await Assert.ThrowsExactlyAsync<StreamResetException>(() => accepted.Output.WriteAsync(new byte[1]).AsTask());
    }

    [TestMethod]
    public async Task A_peer_that_does_not_hang_up_after_our_goodbye_is_left_after_a_moment()
    {
        var time = new VirtualTime();
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair(time: time);
        await using (session)
        {
            Task closing = session.CloseAsync(CancellationToken.None);
            Assert.AreEqual((uint)YamuxGoAway.Normal, (await peer.ExpectGoAwayAsync()).Length);
            await Task.Delay(50);
            Assert.IsFalse(closing.IsCompleted);
            await time.AdvanceUntilAsync(() => closing.IsCompleted, TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(3));
            await closing;
        }
    }

    [TestMethod]
    public async Task Two_that_say_goodbye_at_the_same_time_do_not_wait_for_each_other()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair(time: new VirtualTime());
        await using (session)
        {
            Task closing = session.CloseAsync(CancellationToken.None);
            await peer.ExpectGoAwayAsync();
            // what was on its way to us still comes before the peer's goodbye, and is of no interest
            await peer.SendDataAsync(1, new byte[100], YamuxFlags.Syn);
            await peer.SendAsync(YamuxFrameType.Ping, YamuxFlags.Syn, 0, 7);
            await peer.SendAsync(YamuxFrameType.GoAway, YamuxFlags.None, 0, 0);
            await closing.WaitAsync(RawPeer.Patience);
        }
    }
}
