using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using P2P.Core.Exchange;
using P2P.Core.Primitives;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

// Goal: whatever one peer does, memory stays bounded and the others are served. Method: raw peers that speak bad bitswap to whole exchanges.
[TestClass]
public sealed class HostilePeerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancellation => TestContext.CancellationToken;

    [TestMethod]
    [DataRow("nothing", DisplayName = "claims to have everything and sends nothing")]
    [DataRow("trickle", DisplayName = "sends a byte now and then")]
    [DataRow("stall", DisplayName = "stalls in the middle of its fifth block")]
    [DataRow("wrong", DisplayName = "sends wrong bytes")]
    [DataRow("garbage", DisplayName = "sends random bytes")]
    [DataRow("reset", DisplayName = "resets every stream")]
    public async Task A_liar_beside_an_honest_provider_hardly_matters(string lie)
    {
        await using var network = new PipeNetwork();
        await using BitswapNode honest = network.AddNode(), fetcher = network.AddNode();
        List<Cid> cids = [.. Enumerable.Range(0, 64).Select(each => honest.Add(BitswapTests.Bytes(400_000, each)))];
        PipeHost liar = network.AddRaw((host, stream, cancellationToken) => LieAsync(host, stream, lie, fetcher.Id, honest, cancellationToken));
        network.Connect(liar.Id, fetcher.Id);
        network.Connect(honest.Id, fetcher.Id);
        long started = Stopwatch.GetTimestamp();
        await using (BitswapSession session = fetcher.Bitswap.OpenSession(cids[0], null, askStore: false))
        {
            session.AddProvider(liar.Id);
            session.AddProvider(honest.Id);
            var sink = new CollectingSink();
            await BitswapTests.RequestAllAsync(session, cids, sink);
            await sink.WaitAsync(64);
            Assert.HasCount(64, sink.Blocks);
        }

        // it takes a second at most without the liar; the least patience with one that is not seen through would be two
        Assert.IsLessThan(8, Stopwatch.GetElapsedTime(started).TotalSeconds);
        await BitswapTests.UntilAsync(() => fetcher.Buffers.RentedCount <= 1);
    }

    [TestMethod]
    [DoNotParallelize] // memory is that of the whole process
    public async Task A_wantlist_of_a_million_lines_is_bounded_and_others_are_served()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode node = network.AddNode(), friend = network.AddNode();
        PipeHost flooder = network.AddRaw(static (_, stream, cancellationToken) => RawBitswap.ReadWantsAsync(stream, static _ => Task.CompletedTask, cancellationToken));
        network.Connect(flooder.Id, node.Id);
        network.Connect(friend.Id, node.Id);
        Cid cid = node.Add(BitswapTests.Bytes(50_000, 1));
        Task flood = Task.Run(() => FloodAsync(flooder, node.Id, 1_000_000, Cancellation), Cancellation);
        await Task.Yield();
        await using BitswapSession session = friend.Bitswap.OpenSession(cid, null, askStore: false);
        session.AddProvider(node.Id);
        (await session.GetAsync(cid, Cancellation).AsTask().WaitAsync(Patience, Cancellation)).Dispose();
        await flood.WaitAsync(Patience, Cancellation);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await FloodAsync(flooder, node.Id, 100_000, Cancellation);
        Assert.IsLessThan(before + (4 << 20), GC.GetTotalMemory(forceFullCollection: true));
    }

    [TestMethod]
    public async Task Messages_that_are_too_long_or_malformed_hold_up_nobody_else()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode node = network.AddNode(), friend = network.AddNode();
        PipeHost raw = network.AddRaw(static (_, _, _) => Task.CompletedTask);
        network.Connect(raw.Id, node.Id);
        network.Connect(friend.Id, node.Id);
        foreach (byte[] bytes in new byte[][] { [0x81, 0x80, 0x80, 0x02, 0], [0x02, 0x0a, 0x05], [.. Enumerable.Repeat((byte)0xff, 20)] })
        {
            PipeStream stream = network.Open(raw, node.Id);
            await stream.Output.WriteAsync(bytes, Cancellation);
            await Assert.ThrowsAsync<IOException>(async () => await stream.Input.ReadAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        }

        Cid cid = node.Add([1, 2, 3]);
        await using BitswapSession session = friend.Bitswap.OpenSession(cid, null, askStore: false);
        session.AddProvider(node.Id);
        (await session.GetAsync(cid, Cancellation).AsTask().WaitAsync(Patience, Cancellation)).Dispose();
    }

    [TestMethod]
    public async Task Who_asks_and_does_not_read_holds_up_nobody_and_is_dropped()
    {
        await using var network = new PipeNetwork();
        var time = new VirtualTime();
        await using BitswapNode node = network.AddNode(time: time), friend = network.AddNode();
        var opened = new TaskCompletionSource<IExchangeStream>();
        PipeHost deaf = network.AddRaw(async (_, stream, cancellationToken) =>
        {
            opened.TrySetResult(stream);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        });
        network.Connect(deaf.Id, node.Id);
        network.Connect(friend.Id, node.Id);
        List<Cid> cids = [.. Enumerable.Range(0, 8).Select(each => node.Add(BitswapTests.Bytes(1 << 20, each)))];
        await using (PipeStream stream = network.Open(deaf, node.Id))
        {
            BitswapWriter.WriteWantlist(stream.Output, [.. cids.Select(static cid => WantEntry.ForBlock(cid, 1))], full: false);
            await stream.Output.FlushAsync(Cancellation);
        }

        IExchangeStream answer = await opened.Task.WaitAsync(Patience, Cancellation);
        await using BitswapSession session = friend.Bitswap.OpenSession(cids[0], null, askStore: false);
        session.AddProvider(node.Id);
        var sink = new CollectingSink();
        await BitswapTests.RequestAllAsync(session, cids, sink);
        await sink.WaitAsync(8);
        Assert.HasCount(8, sink.Blocks);

        // after the write has made no progress for ten seconds the stream is reset
        await time.AdvanceAsync(TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(1));
        Assert.IsFalse(IsBroken(answer));
        await time.AdvanceAsync(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1));
        await BitswapTests.UntilAsync(() => IsBroken(answer));
        Assert.AreEqual(0, node.Bitswap.BytesServedTo(deaf.Id));
        Assert.IsLessThanOrEqualTo(1, node.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task Blocks_that_nobody_asked_for_are_not_kept_in_memory()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode node = network.AddNode();
        PipeHost pusher = network.AddRaw(static (_, _, _) => Task.CompletedTask);
        network.Connect(pusher.Id, node.Id);
        for (int i = 0; i < 20; i++)
        {
            byte[] data = BitswapTests.Bytes(2 << 20, i);
            await RawBitswap.SendAsync(pusher, node.Id, [], [(Cid.OfRaw(data), data)], Cancellation);
        }

        Assert.AreEqual(0, node.Buffers.RentedBytes);
        Assert.AreEqual(0, node.Buffers.KeptBytes, "no buffer was ever lent");
        Assert.AreEqual(0, node.Bitswap.BytesFetched);
    }

    [TestMethod]
    public async Task A_provider_may_fill_only_so_much_memory_with_half_blocks()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode node = network.AddNode();
        PipeHost pusher = network.AddRaw(static (_, stream, cancellationToken) => RawBitswap.ReadWantsAsync(stream, static _ => Task.CompletedTask, cancellationToken));
        network.Connect(pusher.Id, node.Id);
        await using BitswapSession session = node.Bitswap.OpenSession(Cid.OfRaw([9]), null, askStore: false);
        session.AddProvider(pusher.Id);
        await session.RequestAsync(Cid.OfRaw([9]), 2 << 20, new CollectingSink(), 0, Cancellation);
        List<PipeStream> streams = [];
        for (int i = 0; i < 32; i++)
        {
            PipeStream stream = network.Open(pusher, node.Id);
            BitswapWriter.WriteMessageLength(stream.Output, BitswapWriter.SizeOfBlock(Cid.OfRaw([9]), 2 << 20));
            BitswapWriter.WriteBlockHeader(stream.Output, Cid.OfRaw([9]), 2 << 20);
            await stream.Output.WriteAsync(new byte[1_000], Cancellation);
            streams.Add(stream);
        }

        await BitswapTests.UntilAsync(() => node.Buffers.RentedBytes >= 8 << 20);
        Assert.IsLessThanOrEqualTo(8 << 20, node.Buffers.RentedBytes);
        foreach (PipeStream stream in streams)
            stream.Reset();
        await BitswapTests.UntilAsync(() => node.Buffers.RentedCount == 0);
    }

    [TestMethod]
    public async Task A_block_that_is_begun_twice_takes_no_memory_from_others()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode node = network.AddNode();
        PipeHost pusher = network.AddRaw(static (_, stream, cancellationToken) => RawBitswap.ReadWantsAsync(stream, static _ => Task.CompletedTask, cancellationToken));
        network.Connect(pusher.Id, node.Id);
        byte[] data = BitswapTests.Bytes(2 << 20, 7);
        Cid cid = Cid.OfRaw(data);
        await using BitswapSession session = node.Bitswap.OpenSession(cid, null, askStore: false);
        session.AddProvider(pusher.Id);
        var sink = new CollectingSink();
        await session.RequestAsync(cid, data.Length, sink, 0, Cancellation);
        const int length = 2 << 20, again = 64 << 10;
        byte[] header = new byte[8];
        for (int i = 0; i < 6; i++)
        {
            // the data field of one block twice, and the end of the stream within the second
            PipeStream stream = network.Open(pusher, node.Id);
            int both = Header(header, field: 2, length) + length + Header(header, field: 2, again) + again;
            BitswapWriter.WriteMessageLength(stream.Output, Header(header, field: 3, both) + both);
            stream.Output.Write(header.AsSpan(0, Header(header, field: 3, both)));
            stream.Output.Write(header.AsSpan(0, Header(header, field: 2, length)));
            await stream.Output.WriteAsync(data.AsMemory(0, length), Cancellation);
            stream.Output.Write(header.AsSpan(0, Header(header, field: 2, again)));
            await stream.Output.WriteAsync(data.AsMemory(0, 1_000), Cancellation);
            await BitswapTests.UntilAsync(() => node.Buffers is { RentedCount: 1, RentedBytes: < length });
            stream.Reset();
            await BitswapTests.UntilAsync(() => node.Buffers.RentedCount == 0);
        }

        await RawBitswap.SendAsync(pusher, node.Id, [], [(cid, data)], Cancellation);
        await sink.WaitAsync(1);
        Assert.HasCount(1, sink.Blocks);

        static int Header(byte[] destination, int field, int length)
        {
            var writer = new ProtobufWriter(destination);
            writer.WriteBytesHeader(field, length);
            return writer.Position;
        }
    }

    [TestMethod]
    public async Task What_is_read_of_a_peer_that_has_left_begins_no_ledger()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode node = network.AddNode();
        PipeHost gone = network.AddRaw(static (_, _, _) => Task.CompletedTask), here = network.AddRaw(static (_, _, _) => Task.CompletedTask);
        network.Connect(here.Id, node.Id);
        foreach (PipeHost host in new[] { gone, here })
        {
            Pipe incoming = new(), outgoing = new();
            await using var stream = new PipeStream(host.Id, incoming, outgoing);
            BitswapWriter.WriteWantlist(incoming.Writer, [WantEntry.ForBlock(Cid.OfRaw([1]), 1) with { SendDontHave = false }], full: false);
            await incoming.Writer.CompleteAsync();
            await node.Bitswap.ReceiveAsync(stream, Cancellation);
        }

        Assert.AreEqual(1, node.Bitswap.AskingPeers, "only the one that is connected");
    }

    [TestMethod]
    public async Task A_stream_that_is_held_open_in_silence_is_reset()
    {
        await using var network = new PipeNetwork();
        var time = new VirtualTime();
        await using BitswapNode node = network.AddNode(time: time);
        PipeHost silent = network.AddRaw(static (_, _, _) => Task.CompletedTask);
        network.Connect(silent.Id, node.Id);
        PipeStream stream = network.Open(silent, node.Id);
        await stream.Output.WriteAsync(new byte[] { 2 }, Cancellation);
        await time.AdvanceAsync(TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(5));
        await stream.Output.WriteAsync(new byte[] { 0x0a }, Cancellation);
        await time.AdvanceAsync(TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(5));
        Assert.IsFalse(IsBroken(stream), "it said something");
        await time.AdvanceAsync(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(5));
        await BitswapTests.UntilAsync(() => IsBroken(stream));
    }

    private static bool IsBroken(IExchangeStream stream)
    {
        try
        {
            if (stream.Input.TryRead(out System.IO.Pipelines.ReadResult read))
                stream.Input.AdvanceTo(read.Buffer.Start);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Three messages full of wants, as many lines as asked for in all, in tiny CIDs.</summary>
    private static async Task FloodAsync(PipeHost host, PeerId to, int lines, CancellationToken cancellationToken)
    {
        const int linesPerMessage = 50_000; // fewer than what closes the connection: here the ledger is what bounds them
        await using PipeStream stream = host.Network.Open(host, to);
        var entries = new WantEntry[linesPerMessage];
        int made = 0;
        while (made < lines)
        {
            for (int i = 0; i < linesPerMessage; i++)
            {
                Cid.TryCreate(1, Cid.RawCodec, Multihash.Create(Multihash.Identity, BitConverter.GetBytes(made++)), out Cid cid);
                entries[i] = new WantEntry(cid, made, WantKind.Block, Cancel: false, SendDontHave: made % 2 == 0);
            }

            BitswapWriter.WriteWantlist(stream.Output, entries, full: false);
            await stream.Output.FlushAsync(cancellationToken);
        }
    }

    private static async Task LieAsync(PipeHost host, IExchangeStream stream, string lie, PeerId fetcher, BitswapNode honest, CancellationToken cancellationToken)
    {
        int blocks = 0;
        if (lie == "reset")
        {
            stream.Reset();
            return;
        }

        await RawBitswap.ReadWantsAsync(
            stream,
            async want =>
            {
                if (want.Cancel)
                    return;
                switch (lie)
                {
                    case "nothing":
                        await RawBitswap.SendAsync(host, fetcher, [(want.Cid, true)], [], cancellationToken);
                        break;
                    case "wrong":
                        byte[] wrong = BitswapTests.Bytes(400_000, 1_000 + blocks++);
                        await RawBitswap.SendAsync(host, fetcher, [], [(Cid.OfRaw(wrong), wrong)], cancellationToken);
                        break;
                    case "garbage":
                        await using (PipeStream garbage = host.Network.Open(host, fetcher))
                            await garbage.Output.WriteAsync(BitswapTests.Bytes(1_000, blocks++), cancellationToken);
                        break;
                    case "trickle" when blocks++ == 0:
                        await TrickleAsync(host, fetcher, want.Cid, wholeBytes: 0, cancellationToken);
                        break;
                    case "stall" when blocks++ < 4:
                        await RawBitswap.SendAsync(host, fetcher, [], [(want.Cid, Read(honest, want.Cid))], cancellationToken);
                        break;
                    case "stall" when blocks == 5:
                        await TrickleAsync(host, fetcher, want.Cid, wholeBytes: 200_000, cancellationToken);
                        break;
                }
            },
            cancellationToken);
    }

    private static async Task TrickleAsync(PipeHost host, PeerId to, Cid cid, int wholeBytes, CancellationToken cancellationToken)
    {
        PipeStream stream = host.Network.Open(host, to);
        BitswapWriter.WriteMessageLength(stream.Output, BitswapWriter.SizeOfBlock(cid, 400_000));
        BitswapWriter.WriteBlockHeader(stream.Output, cid, 400_000);
        await stream.Output.WriteAsync(new byte[wholeBytes], cancellationToken);
        _ = Task.Run(
            async () =>
            {
                while (!cancellationToken.IsCancellationRequested)
                {
                    await stream.Output.WriteAsync(new byte[1], cancellationToken);
                    await Task.Delay(100, cancellationToken);
                }
            },
            cancellationToken);
    }

    private static byte[] Read(BitswapNode node, Cid cid)
    {
        using IExchangeBlock block = node.Open(cid, verify: false)!;
        byte[] data = new byte[block.Length];
        block.Read(data, 0);
        return data;
    }
}
