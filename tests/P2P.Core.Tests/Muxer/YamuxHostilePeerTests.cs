using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Muxer;

namespace P2P.Core.Tests.Muxer;

/// <summary>A session against a peer that breaks the rules, or keeps them in ways that our own side does not use. The peer dials, so its streams are odd.</summary>
[TestClass]
public sealed class YamuxHostilePeerTests
{
    private static TimeSpan Patience => RawPeer.Patience;

    [TestMethod]
    public async Task The_opening_ping_asks_for_the_round_trip()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            (YamuxHeader ping, _) = (await peer.ReadAsync())!.Value;
            Assert.AreEqual((YamuxFrameType.Ping, YamuxFlags.Syn, 0u), (ping.Type, ping.Flags, ping.StreamId));
            Assert.IsNull(session.RoundTripTime);
            await peer.SendAsync(YamuxFrameType.Ping, YamuxFlags.Ack, 0, ping.Length + 1); // not asked for: ignored
            await peer.SendAsync(YamuxFrameType.Ping, YamuxFlags.Ack, 0, ping.Length);
            await YamuxSessionTests.AssertEventuallyAsync(() => session.RoundTripTime is not null);
        }
    }

    [TestMethod]
    public async Task A_stream_opened_by_data_or_by_a_window_update_is_the_same()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            await peer.SendDataAsync(1, [1, 2, 3], YamuxFlags.Syn | YamuxFlags.Fin);
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 3, 1000);
            await peer.SendDataAsync(3, [4]);
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Fin, 3, 0);
            for (uint id = 1; id <= 3; id += 2)
            {
                YamuxStream? stream = await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
                Assert.AreEqual(id, stream!.Id);
                Assert.AreEqual(id == 1 ? 3 : 1, (await SessionPair.ReadAllAsync(stream.Input)).Count);
                Assert.AreEqual(new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Ack, id, 0), (await peer.ExpectAsync()).Header);
                await stream.Output.CompleteAsync();
                Assert.AreEqual(new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Fin, id, 0), (await peer.ExpectAsync()).Header);
            }
            Assert.AreEqual(0, session.StreamCount);
        }
    }

    [TestMethod]
    public async Task Our_stream_begins_with_a_SYN_and_the_credit_in_the_ACK_counts()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair(sessionDials: true);
        await using (session)
        {
            await using YamuxStream stream = await session.OpenStreamAsync(CancellationToken.None);
            YamuxHeader opening = (await peer.ExpectAsync()).Header;
            Assert.AreEqual((1u, YamuxFlags.Syn, 0u), (opening.StreamId, opening.Flags, opening.Length));
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Ack, 1, 1000);
            Task<string> writing = SessionPair.WriteRandomAsync(stream.Output, 2_000_000, new Random(4));
            int got = 0;
            while (got < 262_144 + 1000)
                got += (await peer.ExpectAsync()).Payload.Length;
            Assert.AreEqual(262_144 + 1000, got, "exactly the credit, and then nothing");
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.None, 1, 7);
            Assert.AreEqual(7, (await peer.ExpectAsync()).Payload.Length);
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, 1, 42);
            await Assert.ThrowsExactlyAsync<StreamResetException>(() => writing.WaitAsync(Patience));
            Assert.AreEqual(0, session.StreamCount);
        }
    }

    [TestMethod]
    public async Task The_number_in_a_reset_is_no_credit_and_both_forms_of_reset_end_the_stream()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            foreach (YamuxFrameType type in new[] { YamuxFrameType.WindowUpdate, YamuxFrameType.Data })
            {
                uint id = type == YamuxFrameType.Data ? 3u : 1u;
                await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, id, 0);
                YamuxStream? stream = await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
                if (type == YamuxFrameType.Data)
                    await peer.SendDataAsync(id, new byte[10], YamuxFlags.Rst);
                else
                    await peer.SendAsync(type, YamuxFlags.Rst, id, uint.MaxValue);
                await Assert.ThrowsExactlyAsync<StreamResetException>(() => stream!.Input.ReadAsync().AsTask().WaitAsync(Patience));
                await stream!.DisposeAsync();
            }
            await AssertAliveAsync(peer, session);
        }
    }

    [TestMethod]
    public async Task A_frame_as_long_as_the_whole_window_is_streamed()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1, 0);
            YamuxStream stream = (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!;
            stream.GrantReceiveWindow(3_000_000);
            YamuxHeader update = await peer.ExpectAsync(header => header.Length > 0);
            Assert.AreEqual(3_000_000u - 262_144, update.Length);
            var payload = new byte[3_000_000];
            new Random(5).NextBytes(payload);
            Task sending = peer.SendDataAsync(1, payload, YamuxFlags.Fin);
            // The first part is there before the frame is complete.
            ReadResult read = await stream.Input.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.IsTrue(read.Buffer.Length > 0);
            stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.Start);
            Assert.AreEqual(
                (3_000_000L, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(payload))), await SessionPair.ReadAllAsync(stream.Input));
            await sending;
        }
    }

    [TestMethod]
    public async Task Reading_makes_the_session_announce_new_credit()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            await peer.SendDataAsync(1, new byte[200_000], YamuxFlags.Syn);
            YamuxStream stream = (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!;
            await SessionPair.ReadAsync(stream.Input, 200_000);
            uint credit = 0;
            while (credit < 131_072)
                credit += (await peer.ExpectAsync(header => header.Type == YamuxFrameType.WindowUpdate && header.Length > 0)).Length;
            Assert.IsTrue(credit <= 200_000);
        }
    }

    [TestMethod]
    [DataRow("01000000 00000001 00000000", DisplayName = "another version")]
    [DataRow("00040000 00000001 00000000", DisplayName = "an unknown type")]
    [DataRow("00000001 00000002 00000000", DisplayName = "a SYN with a number of ours")]
    [DataRow("00000001 00000000 00000000", DisplayName = "a SYN without a number")]
    [DataRow("00010001 00000001 00000000 00010001 00000001 00000000", DisplayName = "a SYN on an open stream")]
    [DataRow("00000001 00000001 00040001", DisplayName = "data one byte beyond the window")]
    [DataRow("00010001 00000001 7fffffff", DisplayName = "a window beyond 2 GiB")]
    [DataRow("00000000 00000009 00100001", DisplayName = "a flood for a stream that never was")]
    public async Task A_broken_rule_ends_the_session_with_GoAway_1(string hex)
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            await peer.SendRawAsync(Convert.FromHexString(hex.Replace(" ", "")));
            YamuxHeader goodbye = await peer.ExpectGoAwayAsync();
            Assert.AreEqual((0u, 1u), (goodbye.StreamId, goodbye.Length));
            await session.Completion.WaitAsync(Patience);
        }
    }

    [TestMethod]
    public async Task Frames_for_closed_streams_are_dropped_within_what_they_had_been_granted()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            for (uint id = 1; id < 20; id += 2)
            {
                await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, id, 0);
                YamuxStream stream = (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!;
                stream.Reset();
                await peer.ExpectAsync(header => header.Flags == YamuxFlags.Rst && header.StreamId == id);
                // On its way before the peer saw the reset.
                await peer.SendDataAsync(id, new byte[262_144]);
                await stream.DisposeAsync();
            }
            await AssertAliveAsync(peer, session);
        }
    }

    [TestMethod]
    public async Task Streams_beyond_the_limit_are_refused_and_room_comes_back_when_handlers_finish()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair(new YamuxOptions { MaxInboundStreams = 2 });
        await using (session)
        {
            for (uint id = 1; id <= 5; id += 2)
                await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, id, 0);
            Assert.AreEqual(new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, 5, 0), (await peer.ExpectAsync()).Header);
            YamuxStream first = (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!;
            // The peer's own reset makes no room while our handler is at work: opening and resetting in turn gains nothing.
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, 1, 0);
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 7, 0);
            await peer.ExpectAsync(header => header is { Flags: YamuxFlags.Rst, StreamId: 7 });
            await first.DisposeAsync();
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 9, 0);
            Assert.AreEqual(3u, (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!.Id);
            Assert.AreEqual(9u, (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!.Id);
        }
    }

    [TestMethod]
    public async Task What_nobody_reads_is_bounded_for_all_streams_together()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair(new YamuxOptions { MaxUnreadBytes = 500_000 });
        await using (session)
        {
            for (uint id = 1; id <= 5; id += 2)
                await peer.SendDataAsync(id, new byte[200_000], YamuxFlags.Syn);
            await peer.ExpectAsync(header => header is { Flags: YamuxFlags.Rst, StreamId: 5 });
            var streams = new List<YamuxStream>();
            while (streams.Count < 2)
                streams.Add((await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!);
            await SessionPair.ReadAsync(streams[0].Input, 200_000);
            // Room again.
            await peer.SendDataAsync(7, new byte[200_000], YamuxFlags.Syn);
            streams.Add((await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!);
            await SessionPair.ReadAsync(streams[2].Input, 200_000);
            foreach (YamuxStream stream in streams)
                await stream.DisposeAsync();
            Assert.AreEqual(0, session.UnreadBytes);
            await AssertAliveAsync(peer, session);
        }
    }

    [TestMethod]
    public async Task A_flood_of_SYNs_and_resets_leaves_nothing_behind()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair(new YamuxOptions { MaxInboundStreams = 16 });
        await using (session)
        {
            var flood = new byte[2 * YamuxHeader.Bytes * 64];
            for (uint round = 0; round < 200; round++)
            {
                for (uint i = 0; i < 64; i++)
                {
                    uint id = (((round * 64) + i) * 2) + 1;
                    Span<byte> at = flood.AsSpan((int)i * 2 * YamuxHeader.Bytes);
                    new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, id, 0).Write(at);
                    new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, id, 0).Write(at[YamuxHeader.Bytes..]);
                }
                await peer.SendRawAsync(flood);
                await AssertAliveAsync(peer, session);
                Assert.AreEqual(0, session.StreamCount);
            }
            using var none = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            await Assert.ThrowsAsync<OperationCanceledException>(() => session.AcceptStreamAsync(none.Token).AsTask(), "all that came were gone again");
            // The sixteen that were queued are given up by accepting, so there is room again.
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1_000_001, 0);
            Assert.AreEqual(1_000_001u, (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!.Id);
        }
    }

    [TestMethod]
    public async Task A_flood_of_pings_and_window_updates_is_answered_within_bounds()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1, 0);
            int pongs = 0;
            Task reading = Task.Run(async () =>
            {
                while (await peer.ReadAsync() is { } frame)
                {
                    if (frame.Header is { Type: YamuxFrameType.Ping, Flags: YamuxFlags.Ack })
                        pongs++;
                }
            });
            for (uint i = 0; i < 20_000; i++)
            {
                await peer.SendAsync(YamuxFrameType.Ping, YamuxFlags.Syn, 0, i);
                await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.None, 1, 1);
            }
            await YamuxSessionTests.AssertEventuallyAsync(() => session.BytesReceived >= 40_001 * YamuxHeader.Bytes);
            Assert.IsFalse(session.Completion.IsCompleted);
            await session.CloseAsync(CancellationToken.None).WaitAsync(Patience);
            await reading.WaitAsync(Patience);
            Assert.IsTrue(pongs is > 0 and <= 20_000);
        }
    }

    [TestMethod]
    public async Task A_peer_that_takes_no_answers_cannot_make_us_keep_more_than_a_few()
    {
        (PlainChannel own, PlainChannel theirs) = PlainChannel.NewPair();
        theirs.IsStalled = true;
        var session = new YamuxSession(theirs, isDialer: false, new YamuxOptions { MaxInboundStreams = 1 }, TimeProvider.System, NullLogger.Instance);
        session.Start();
        await using (session)
        {
            var peer = new RawPeer(own);
            for (uint id = 1; id < 4000 && !session.Completion.IsCompleted; id += 2)
                await peer.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, id, 0);
            // Null after the first stream says that the session has ended, though its writer is still stuck.
            await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
            Assert.IsNull(await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
            theirs.Abort();
            Assert.AreEqual("streams are opened faster than they can be refused", await session.Completion.WaitAsync(Patience));
        }
    }

    [TestMethod]
    public async Task Frames_at_random_end_the_session_or_not_but_never_by_our_fault()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            (RawPeer peer, YamuxSession session) = RawPeer.NewPair(new YamuxOptions { MaxInboundStreams = 8, CloseGrace = TimeSpan.FromMilliseconds(5) });
            await using (session)
            {
                Task reading = Task.Run(async () =>
                {
                    while (await peer.ReadAsync() is not null)
                    {
                    }
                });
                Task handling = Task.Run(async () =>
                {
                    while (await session.AcceptStreamAsync(CancellationToken.None) is { } stream)
                    {
                        await stream.Output.WriteAsync(new byte[100]).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
                        if (stream.Id % 3 == 0)
                            stream.Reset();
                        await stream.DisposeAsync();
                    }
                });
                try
                {
                    uint nextId = 1;
                    var batch = new List<byte>();
                    for (int frame = 1; frame <= 500 && !session.Completion.IsCompleted; frame++)
                    {
                        // Mostly sound, so that sessions live to see much; now and then anything at all.
                        bool wild = random.Next(400) == 0;
                        var type = (YamuxFrameType)(wild ? random.Next(256) : random.Next(3));
                        var flags = (YamuxFlags)(wild ? random.Next(65536) : random.Next(4) == 0 ? 1 << random.Next(4) : 0);
                        if (!wild && type != YamuxFrameType.Ping && (flags == YamuxFlags.Syn || nextId == 1))
                        {
                            flags |= YamuxFlags.Syn;
                            nextId += 2;
                        }
                        uint id = type == YamuxFrameType.Ping ? 0 : (flags & YamuxFlags.Syn) != 0 ? nextId - 2 : ((uint)random.Next((int)(nextId / 2) + 1) * 2) + 1;
                        byte[] payload = type == YamuxFrameType.Data ? new byte[random.Next(2000)] : [];
                        uint length = type == YamuxFrameType.Data ? (uint)payload.Length : (uint)random.Next(100_000);
                        batch.AddRange(RawPeer.Frame(type, flags, id, length, payload));
                        if (frame % 25 != 0)
                            continue;
                        await peer.SendRawAsync([.. batch]);
                        batch.Clear();
                    }
                }
                catch (IOException)
                {
                    // The session ended while we wrote.
                }
                await session.CloseAsync(CancellationToken.None).WaitAsync(Patience);
                Assert.AreNotEqual("an internal error", await session.Completion, $"seed {seed}");
                await handling.WaitAsync(Patience);
                await reading.WaitAsync(Patience).ContinueWith(_ => { }, TaskScheduler.Default);
                Assert.AreEqual(0, session.StreamCount, $"seed {seed}");
                Assert.AreEqual(0, session.UnreadBytes, $"seed {seed}");
                Assert.AreEqual(0, session.Scheduler.BufferedBytes, $"seed {seed}");
            }
        }
    }

    [TestMethod]
    public async Task Bytes_left_over_from_the_negotiation_come_first()
    {
        (PlainChannel own, PlainChannel theirs) = PlainChannel.NewPair();
        var leftover = new byte[YamuxHeader.Bytes + 2];
        new YamuxHeader(YamuxFrameType.Data, YamuxFlags.Syn, 1, 5).Write(leftover);
        await using var session = new YamuxSession(theirs, false, new YamuxOptions(), TimeProvider.System, NullLogger.Instance, leftover);
        session.Start();
        await new RawPeer(own).SendRawAsync([7, 8, 9]);
        YamuxStream stream = (await session.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience))!;
        CollectionAssert.AreEqual(new byte[] { 0, 0, 7, 8, 9 }, await SessionPair.ReadAsync(stream.Input, 5));
    }

    [TestMethod]
    public async Task Our_numbers_go_up_by_two_from_our_own_first()
    {
        (RawPeer peer, YamuxSession session) = RawPeer.NewPair();
        await using (session)
        {
            for (uint id = 2; id <= 6; id += 2)
            {
                await session.OpenStreamAsync(CancellationToken.None);
                Assert.AreEqual(id, (await peer.ExpectAsync()).Header.StreamId);
            }
        }
    }

    private static async Task AssertAliveAsync(RawPeer peer, YamuxSession session)
    {
        await peer.SendAsync(YamuxFrameType.Ping, YamuxFlags.Syn, 0, 77);
        await peer.ExpectAsync(header => header is { Type: YamuxFrameType.Ping, Flags: YamuxFlags.Ack, Length: 77 });
        Assert.IsFalse(session.Completion.IsCompleted);
    }
}
