using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Muxer;

namespace P2P.Core.Tests.Muxer;

/// <summary>Two sessions that behave, over a channel that cuts their bytes anywhere.</summary>
[TestClass]
public sealed class YamuxSessionTests
{
    private static TimeSpan Patience => SessionPair.Patience;

    [TestMethod]
    public async Task A_hundred_streams_both_ways_keep_their_bytes_apart_and_whole()
    {
        const int Seed = 20240611;
        await using var pair = new SessionPair(chunkSeed: Seed);
        Task echo = EchoAllAsync(pair.Listener);
        Task[] streams = [.. Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            var random = new Random(Seed + i);
            await using YamuxStream stream = await pair.Dialer.OpenStreamAsync(CancellationToken.None);
            Task<(long, string)> reading = SessionPair.ReadAllAsync(stream.Input);
            long count = random.Next(5) == 0 ? random.Next(1_500_000) : random.Next(40_000);
            string hash = await SessionPair.WriteRandomAsync(stream.Output, count, random);
            await stream.Output.CompleteAsync();
            Assert.AreEqual((count, hash), await reading, $"stream {stream.Id}, seed {Seed + i}");
        }))];
        await Task.WhenAll(streams).WaitAsync(Patience);
        await pair.Dialer.CloseAsync(CancellationToken.None).WaitAsync(Patience);
        await echo.WaitAsync(Patience);
        Assert.AreEqual(0, pair.Listener.StreamCount);
        Assert.AreEqual(0, pair.Listener.Scheduler.BufferedBytes);
    }

    [TestMethod]
    public async Task Each_side_may_finish_first()
    {
        await using var pair = new SessionPair();
        foreach (bool openerFirst in new[] { true, false })
        {
            (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
            (YamuxStream first, YamuxStream second) = openerFirst ? (opened, accepted) : (accepted, opened);
            await first.Output.WriteAsync(new byte[] { 1, 2, 3 });
            await first.Output.CompleteAsync();
            Assert.AreEqual(3, (await SessionPair.ReadAllAsync(second.Input)).Count);
            // The other direction is still open.
            await second.Output.WriteAsync(new byte[70_000]);
            await second.Output.CompleteAsync();
            Assert.AreEqual(70_000, (await SessionPair.ReadAllAsync(first.Input)).Count);
            await first.DisposeAsync();
            await second.DisposeAsync();
            await AssertEventuallyAsync(() => pair.Dialer.StreamCount == 0 && pair.Listener.StreamCount == 0);
        }
    }

    [TestMethod]
    public async Task A_reset_by_either_side_shows_on_both_ends()
    {
        await using var pair = new SessionPair();
        foreach (bool byOpener in new[] { true, false })
        {
            (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
            (YamuxStream resetting, YamuxStream other) = byOpener ? (opened, accepted) : (accepted, opened);
            ValueTask<ReadResult> pending = other.Input.ReadAsync();
            resetting.Reset();
            await Assert.ThrowsExactlyAsync<StreamResetException>(() => pending.AsTask().WaitAsync(Patience));
            await Assert.ThrowsExactlyAsync<StreamResetException>(() => other.Output.WriteAsync(new byte[1]).AsTask().WaitAsync(Patience));
            await Assert.ThrowsExactlyAsync<StreamResetException>(() => resetting.Input.ReadAsync().AsTask().WaitAsync(Patience));
            await Assert.ThrowsExactlyAsync<StreamResetException>(() => resetting.Output.WriteAsync(new byte[1]).AsTask().WaitAsync(Patience));
            await opened.DisposeAsync();
            await accepted.DisposeAsync();
            Assert.AreEqual(0, pair.Dialer.StreamCount + pair.Listener.StreamCount);
        }
    }

    [TestMethod]
    public async Task A_writer_waits_when_its_reader_does_not_read_and_goes_on_when_it_does()
    {
        await using var pair = new SessionPair();
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        int written = 0;
        ValueTask<FlushResult> flush;
        while (true)
        {
            opened.Output.GetSpan(60_000)[..60_000].Fill((byte)written);
            opened.Output.Advance(60_000);
            written += 60_000;
            flush = opened.Output.FlushAsync();
            if (!flush.IsCompleted)
            {
                // Either it waits for the loop, which is quick, or for the reader, which does nothing.
                Task<FlushResult> task = flush.AsTask();
                if (await Task.WhenAny(task, Task.Delay(300)) != task)
                {
                    Assert.IsTrue(written < 3_000_000, $"{written} bytes were taken before the writer had to wait");
                    (long read, _) = await DrainAsync(accepted.Input, written);
                    Assert.AreEqual(written, read);
                    await task.WaitAsync(Patience);
                    return;
                }
            }
            Assert.IsTrue(written < 3_000_000, "the writer never waits");
        }
    }

    [TestMethod]
    public async Task A_waiting_flush_can_be_cancelled_and_what_was_written_still_arrives()
    {
        await using var pair = new SessionPair();
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        using var cancel = new CancellationTokenSource();
        int written = 0;
        OperationCanceledException? cancelled = null;
        cancel.CancelAfter(300);
        try
        {
            while (written < 3_000_000)
            {
                opened.Output.GetSpan(60_000);
                opened.Output.Advance(60_000);
                written += 60_000;
                await opened.Output.FlushAsync(cancel.Token).AsTask().WaitAsync(Patience);
            }
        }
        catch (OperationCanceledException exception)
        {
            cancelled = exception;
        }
        Assert.IsNotNull(cancelled);
        Task<(long Count, string)> reading = SessionPair.ReadAllAsync(accepted.Input);
        await opened.Output.CompleteAsync();
        Assert.AreEqual(written, (await reading).Count);
    }

    [TestMethod]
    public async Task A_stream_whose_reader_sleeps_does_not_stop_the_others()
    {
        await using var pair = new SessionPair();
        (YamuxStream blocked, YamuxStream sleeper) = await pair.OpenAsync();
        Task<string> stuck = SessionPair.WriteRandomAsync(blocked.Output, 2_000_000, new Random(1));
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        Task<(long, string)> reading = SessionPair.ReadAllAsync(accepted.Input);
        string hash = await SessionPair.WriteRandomAsync(opened.Output, 3_000_000, new Random(2));
        await opened.Output.CompleteAsync();
        Assert.AreEqual((3_000_000L, hash), await reading);
        Assert.IsFalse(stuck.IsCompleted);
        sleeper.Reset();
        await Assert.ThrowsExactlyAsync<StreamResetException>(() => stuck.WaitAsync(Patience));
    }

    [TestMethod]
    public async Task A_granted_window_lets_that_much_come_before_anything_is_read()
    {
        await using var pair = new SessionPair();
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        accepted.GrantReceiveWindow(4_000_000);
        await SessionPair.WriteRandomAsync(opened.Output, 4_000_000, new Random(3));
        await AssertEventuallyAsync(() => accepted.OutstandingCredit == 0, "all of it is there");
        (long count, _) = await DrainAsync(accepted.Input, 4_000_000);
        Assert.AreEqual(4_000_000, count);
    }

    [TestMethod]
    public async Task A_full_slab_fills_one_frame_of_the_channel()
    {
        await using var pair = new SessionPair();
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        Memory<byte> slab = opened.Output.GetMemory(SendSlab.MaxPayloadBytes);
        Assert.AreEqual(65507, slab.Length);
        opened.Output.Advance(slab.Length);
        await opened.Output.FlushAsync();
        await DrainAsync(accepted.Input, slab.Length);
        Assert.AreEqual(65519, pair.DialerChannel.LargestAppend);
    }

    [TestMethod]
    public async Task A_short_message_holds_little_memory()
    {
        await using var pair = new SessionPair();
        (YamuxStream opened, _) = await pair.OpenAsync();
        opened.Output.GetMemory(1);
        Assert.AreEqual(SendSlab.SmallBytes - YamuxHeader.Bytes, opened.Output.GetMemory(1).Length);
        opened.Output.Advance(1);
        Assert.AreEqual(1, opened.Output.UnflushedBytes);
        await opened.Output.FlushAsync();
        Assert.AreEqual(SendSlab.MaxPayloadBytes, opened.Output.GetMemory(10_000).Length);
    }

    [TestMethod]
    public async Task Leaving_a_stream_whose_peer_still_sends_resets_it_after_our_last_words()
    {
        await using var pair = new SessionPair();
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        await accepted.Output.WriteAsync("last words"u8.ToArray());
        await accepted.DisposeAsync();
        Assert.AreEqual(10, (await SessionPair.ReadAllAsync(opened.Input)).Count);
        // It learns that nobody listens by sending.
        await Assert.ThrowsExactlyAsync<StreamResetException>(async () =>
        {
            while (true)
            {
                await opened.Output.WriteAsync(new byte[1000]).AsTask().WaitAsync(Patience);
                await Task.Yield();
            }
        });
        await opened.DisposeAsync();
        Assert.AreEqual(0, pair.Dialer.StreamCount + pair.Listener.StreamCount);
    }

    [TestMethod]
    public async Task Closing_ends_both_sides_and_says_why()
    {
        await using var pair = new SessionPair();
        (YamuxStream opened, YamuxStream accepted) = await pair.OpenAsync();
        await opened.Output.WriteAsync(new byte[100]);
        await opened.Output.CompleteAsync();
        await pair.Dialer.CloseAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.AreEqual("closed by this side", await pair.Dialer.Completion);
        Assert.AreEqual("the peer ended the session (Normal)", await pair.Listener.Completion.WaitAsync(Patience));
        // What had been finished before can still be read.
        Assert.AreEqual(100, (await SessionPair.ReadAllAsync(accepted.Input)).Count);
        await Assert.ThrowsExactlyAsync<StreamResetException>(() => accepted.Output.WriteAsync(new byte[1]).AsTask());
        await Assert.ThrowsExactlyAsync<StreamResetException>(() => opened.Input.ReadAsync().AsTask());
        await Assert.ThrowsExactlyAsync<IOException>(() => pair.Listener.OpenStreamAsync(CancellationToken.None).AsTask());
        Assert.IsNull(await pair.Listener.AcceptStreamAsync(CancellationToken.None));
        await Assert.ThrowsExactlyAsync<IOException>(() => pair.Listener.PingAsync(CancellationToken.None));
    }

    [TestMethod]
    public async Task A_ping_measures_the_round_trip()
    {
        await using var pair = new SessionPair();
        TimeSpan first = await pair.Dialer.PingAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.IsTrue(first > TimeSpan.Zero && first < Patience);
        Task<TimeSpan>[] shared = [pair.Listener.PingAsync(CancellationToken.None), pair.Listener.PingAsync(CancellationToken.None)];
        await Task.WhenAll(shared).WaitAsync(Patience);
        Assert.IsNotNull(pair.Listener.RoundTripTime);
    }

    [TestMethod]
    public async Task Opening_waits_for_acknowledgements_beyond_the_backlog()
    {
        await using var pair = new SessionPair(new YamuxOptions { AckBacklog = 3 });
        for (int i = 0; i < 3; i++)
            await pair.Dialer.OpenStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
        Task<YamuxStream> fourth = pair.Dialer.OpenStreamAsync(CancellationToken.None).AsTask();
        Assert.IsFalse(fourth.IsCompleted);
        Assert.IsNotNull(await pair.Listener.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
        Assert.AreEqual(7u, (await fourth.WaitAsync(Patience)).Id);
        using var cancel = new CancellationTokenSource();
        Task<YamuxStream> fifth = pair.Dialer.OpenStreamAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => fifth.WaitAsync(Patience));
        Task<YamuxStream> sixth = pair.Dialer.OpenStreamAsync(CancellationToken.None).AsTask();
        pair.Dialer.Abort("enough");
        await Assert.ThrowsExactlyAsync<IOException>(() => sixth.WaitAsync(Patience));
    }

    [TestMethod]
    public async Task Disposing_a_session_that_never_started_closes_its_channel()
    {
        (PlainChannel own, PlainChannel theirs) = PlainChannel.NewPair();
        var session = new YamuxSession(own, true, new YamuxOptions(), TimeProvider.System, NullLogger.Instance);
        await session.DisposeAsync();
        Assert.IsTrue((await theirs.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience)).IsEmpty);
        Assert.ThrowsExactly<InvalidOperationException>(session.Start);
    }

    internal static async Task AssertEventuallyAsync(Func<bool> condition, string? message = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
        {
            Assert.IsFalse(limit.IsCancellationRequested, message ?? "it did not come true");
            await Task.Delay(5);
        }
    }

    private static async Task<(long Count, bool Ended)> DrainAsync(PipeReader reader, long count)
    {
        long total = 0;
        while (total < count)
        {
            ReadResult read = await reader.ReadAsync().AsTask().WaitAsync(Patience);
            total += read.Buffer.Length;
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return (total, true);
        }
        return (total, false);
    }

    private static async Task EchoAllAsync(YamuxSession session)
    {
        var handlers = new List<Task>();
        while (await session.AcceptStreamAsync(CancellationToken.None) is { } stream)
        {
            handlers.Add(Task.Run(async () =>
            {
                await using (stream)
                    await stream.Input.CopyToAsync(stream.Output);
            }));
        }
        await Task.WhenAll(handlers);
    }
}
