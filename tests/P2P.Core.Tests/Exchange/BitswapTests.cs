using System.Buffers;
using System.IO.Pipelines;
using P2P.Core.Blocks;
using P2P.Core.Exchange;
using P2P.Core.Primitives;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

// Goal: two and three whole exchanges deliver blocks to each other, and only to whom they may. Method: real code over pipes.
[TestClass]
public sealed class BitswapTests
{
    private const int MiB = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancellation => TestContext.CancellationToken;

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(1_024)]
    [DataRow(65_536)]
    [DataRow(65_537)]
    [DataRow(MiB)]
    [DataRow(2 * MiB)]
    public async Task A_block_of_any_size_is_fetched(int length)
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        network.Connect(a.Id, b.Id);
        byte[] data = Bytes(length, 1);
        Cid cid = a.Add(data);
        await using BitswapSession session = b.Bitswap.OpenSession(cid, null, askStore: false);
        session.AddProvider(a.Id);
        using BlockBuffer block = await session.GetAsync(cid, Cancellation).AsTask().WaitAsync(Patience, Cancellation);
        CollectionAssert.AreEqual(data, block.Span.ToArray());
        Assert.AreEqual(length, session.BytesByPeer[a.Id]);
        await UntilAsync(() => a.Bitswap.BytesServedTo(b.Id) == length);
    }

    [TestMethod]
    public async Task Many_blocks_arrive_whole_and_the_buffers_go_back()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        network.Connect(a.Id, b.Id);
        List<Cid> cids = [.. Enumerable.Range(0, 96).Select(each => a.Add(Bytes(each % 3 == 0 ? 300_000 : MiB, each)))];
        await FetchAllAsync(b, cids, [a.Id]);
        Assert.AreEqual(0, b.Buffers.RentedCount);
        Assert.AreEqual(b.Bitswap.BytesFetched, a.Bitswap.BytesServed);
        await UntilAsync(() => a.Buffers.RentedCount == 0);
        Assert.IsLessThanOrEqualTo(2, b.Host.OpenedTo[a.Id], "one stream carries the wants");
        Assert.IsLessThanOrEqualTo(2, a.Host.OpenedTo[b.Id], "one stream carries the blocks");
    }

    [TestMethod]
    public async Task Ten_thousand_small_blocks_arrive()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        network.Connect(a.Id, b.Id);
        List<Cid> cids = [.. Enumerable.Range(0, 10_000).Select(each => a.Add(Bytes(1_000, each)))];
        await FetchAllAsync(b, cids, [a.Id]);
        Assert.AreEqual(10_000 * 1_000, b.Bitswap.BytesFetched);
    }

    [TestMethod]
    public async Task Two_providers_are_both_used()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode(), c = network.AddNode();
        network.Connect(a.Id, c.Id);
        network.Connect(b.Id, c.Id);
        List<Cid> cids = [.. Enumerable.Range(0, 200).Select(each => a.Add(Bytes(500_000, each)))];
        for (int i = 0; i < 200; i++)
            b.Add(Bytes(500_000, i));
        IReadOnlyDictionary<PeerId, long> from = await FetchAllAsync(c, cids, [a.Id, b.Id]);
        Assert.HasCount(2, from);
        Assert.AreEqual(200L * 500_000, from.Values.Sum());
        Assert.IsGreaterThan(10L * 500_000, from.Values.Min());
    }

    [TestMethod]
    public async Task Each_provider_gives_what_it_has()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode(), c = network.AddNode();
        network.Connect(a.Id, c.Id);
        network.Connect(b.Id, c.Id);
        List<Cid> cids = [.. Enumerable.Range(0, 60).Select(each => (each % 2 == 0 ? a : b).Add(Bytes(200_000, each)))];
        IReadOnlyDictionary<PeerId, long> from = await FetchAllAsync(c, cids, [a.Id, b.Id]);
        Assert.AreEqual(30L * 200_000, from[a.Id]);
        Assert.AreEqual(30L * 200_000, from[b.Id]);
    }

    [TestMethod]
    public async Task The_same_block_asked_for_many_times_crosses_the_network_once()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        network.Connect(a.Id, b.Id);
        Cid cid = a.Add(Bytes(2_000, 1));
        await using BitswapSession session = b.Bitswap.OpenSession(cid, null, askStore: false);
        var sink = new CollectingSink();
        for (int tag = 0; tag < 1_000; tag++)
            await session.RequestAsync(cid, 2_000, sink, tag, Cancellation);
        session.AddProvider(a.Id);
        await sink.WaitAsync(1_000);
        Assert.HasCount(1_000, sink.Blocks);
        Assert.AreEqual(2_000, b.Bitswap.BytesFetched);
    }

    [TestMethod]
    public async Task What_is_not_for_the_asker_looks_as_if_it_were_not_there()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode();
        List<string> answers = [];
        PipeHost prober = network.AddRaw((_, stream, cancellationToken) => ReadAnswersAsync(stream, answers, cancellationToken));
        network.Connect(a.Id, prober.Id);
        Cid secret = a.Add(Bytes(100, 1)), absent = Cid.OfRaw("absent"u8), open = a.Add(Bytes(5_000, 2));
        a.Policy = (cid, asker) => cid != secret && asker == prober.Id;
        await SendWantsAsync(prober, a.Id, WantEntry.ForBlock(secret, 9), WantEntry.ForHave(secret, 8), WantEntry.ForBlock(absent, 7), WantEntry.ForHave(open, 6));
        await UntilAsync(() => Count(answers) == 3);
        lock (answers)
            CollectionAssert.AreEquivalent(new[] { $"lack {secret}", $"lack {absent}", $"have {open}" }, answers);
        Assert.AreEqual(0, a.Bitswap.BytesServed);
    }

    [TestMethod]
    public async Task A_small_block_answers_a_question_for_its_presence()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode();
        List<string> answers = [];
        PipeHost asker = network.AddRaw((_, stream, cancellationToken) => ReadAnswersAsync(stream, answers, cancellationToken));
        network.Connect(a.Id, asker.Id);
        Cid small = a.Add(Bytes(1_024, 1)), large = a.Add(Bytes(1_025, 2));
        await SendWantsAsync(asker, a.Id, WantEntry.ForHave(small, 2), WantEntry.ForHave(large, 1));
        await UntilAsync(() => Count(answers) == 2);
        lock (answers)
            CollectionAssert.AreEquivalent(new[] { "block 1024", $"have {large}" }, answers);
    }

    [TestMethod]
    public async Task A_want_that_may_stay_unanswered_is_served_when_the_block_arrives()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode();
        List<string> answers = [];
        PipeHost asker = network.AddRaw((_, stream, cancellationToken) => ReadAnswersAsync(stream, answers, cancellationToken));
        network.Connect(a.Id, asker.Id);
        byte[] data = Bytes(2_000, 1);
        Cid later = Cid.OfRaw(data), marker = a.Add(Bytes(50, 2));
        await SendWantsAsync(asker, a.Id, new WantEntry(later, 5, WantKind.Block, Cancel: false, SendDontHave: false), WantEntry.ForBlock(marker, 1));
        await UntilAsync(() => Count(answers) == 1);
        a.Add(data);
        a.Bitswap.OnBlockAvailable(later);
        await UntilAsync(() => Count(answers) == 2);
        lock (answers)
            CollectionAssert.AreEqual(new[] { "block 50", "block 2000" }, answers);
    }

    [TestMethod]
    public async Task A_block_asked_for_again_is_hashed_before_it_is_sent_again()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode();
        List<string> answers = [];
        PipeHost asker = network.AddRaw((_, stream, cancellationToken) => ReadAnswersAsync(stream, answers, cancellationToken));
        network.Connect(a.Id, asker.Id);
        Cid cid = a.Add(Bytes(2_000, 1));
        await SendWantsAsync(asker, a.Id, WantEntry.ForBlock(cid, 1));
        await UntilAsync(() => Count(answers) == 1);
        a.Corrupt(cid, Bytes(2_000, 2));
        await SendWantsAsync(asker, a.Id, WantEntry.ForBlock(cid, 1));
        await UntilAsync(() => Count(answers) == 2);
        lock (answers)
            CollectionAssert.AreEqual(new[] { "block 2000", $"lack {cid}" }, answers);
        CollectionAssert.AreEqual(new[] { (cid, false), (cid, true) }, a.Opened.ToArray());
    }

    [TestMethod]
    public async Task Wrong_bytes_from_the_only_provider_are_an_integrity_failure()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        network.Connect(a.Id, b.Id);
        Cid cid = a.Add(Bytes(5_000, 1));
        a.Corrupt(cid, Bytes(5_000, 2));
        await using BitswapSession session = b.Bitswap.OpenSession(cid, null, askStore: false);
        session.AddProvider(a.Id);
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => session.GetAsync(cid, Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
        Assert.Contains("match", session.Attempts.Single().Error);
    }

    [TestMethod]
    [DataRow(false, DisplayName = "told at once")]
    [DataRow(true, DisplayName = "told after the streams broke")]
    public async Task A_lost_provider_is_dialed_again_and_goes_on(bool toldLate)
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        List<Cid> cids = [.. Enumerable.Range(0, 300).Select(each => a.Add(Bytes(200_000, each)))];
        var source = new DialingSource(network, b.Id, a.Id);
        await using BitswapSession session = b.Bitswap.OpenSession(cids[0], source, askStore: false);
        var severed = new TaskCompletionSource();
        // in the midst of it: not even the largest window holds as much as is wanted
        var sink = new CollectingSink
        {
            OnCall = call =>
            {
                if (call != 20)
                    return;
                network.Sever(a.Id, b.Id);
                severed.SetResult();
            },
        };
        Task requesting = RequestAllAsync(session, cids, sink);
        await severed.Task.WaitAsync(Patience, Cancellation);
        if (toldLate)
            await UntilAsync(() => source.Reconnects > 0);
        network.TellDisconnected(a.Id, b.Id);
        await sink.WaitAsync(300);
        await requesting;
        Assert.HasCount(300, sink.Blocks);
        Assert.IsGreaterThan(1, source.Reconnects);
    }

    [TestMethod]
    public async Task Nobody_who_has_it_shows_as_that()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        network.Connect(a.Id, b.Id);
        Cid cid = Cid.OfRaw("nobody has this"u8);
        await using BitswapSession session = b.Bitswap.OpenSession(cid, null, askStore: false);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<BlockBuffer> get = session.GetAsync(cid, cancel.Token).AsTask();
        Assert.AreEqual(SessionStall.NoProviders, session.Statistics.Stall);
        session.AddProvider(a.Id);
        await UntilAsync(() => session.Statistics.Stall == SessionStall.NobodyHasIt);
        Assert.AreEqual("does not have it", session.Attempts.Single().Error);
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => get);
        Assert.AreEqual(0, session.Statistics.OpenWants);
    }

    [TestMethod]
    public async Task What_the_store_has_is_not_asked_of_anybody()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        network.Connect(a.Id, b.Id);
        byte[] mine = Bytes(3_000, 1), broken = Bytes(3_000, 2);
        Cid here = b.Add(mine), damaged = b.Add(broken);
        a.Add(broken);
        b.Corrupt(damaged, Bytes(3_000, 3));
        await using BitswapSession session = b.Bitswap.OpenSession(here, null, askStore: true);
        session.AddProvider(a.Id);
        using (BlockBuffer block = await session.GetAsync(here, Cancellation))
            CollectionAssert.AreEqual(mine, block.Span.ToArray());
        Assert.AreEqual(0, b.Bitswap.BytesFetched);
        using (BlockBuffer block = await session.GetAsync(damaged, Cancellation).AsTask().WaitAsync(Patience, Cancellation))
            CollectionAssert.AreEqual(broken, block.Span.ToArray());
        Assert.AreEqual(3_000, b.Bitswap.BytesFetched);
    }

    [TestMethod]
    public async Task A_session_that_ends_fails_what_is_open_and_cancels_it()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode b = network.AddNode();
        List<WantEntry> wants = [];
        PipeHost silent = network.AddRaw((_, stream, cancellationToken) => RawBitswap.ReadWantsAsync(stream, want => AddAsync(wants, want), cancellationToken));
        network.Connect(silent.Id, b.Id);
        Cid cid = Cid.OfRaw("never sent"u8);
        var sink = new CollectingSink();
        BitswapSession session = b.Bitswap.OpenSession(cid, null, askStore: false);
        session.AddProvider(silent.Id);
        await session.RequestAsync(cid, 10, sink, 7, Cancellation);
        await UntilAsync(() => Count(wants) == 1);
        await session.DisposeAsync();
        Assert.IsInstanceOfType<OperationCanceledException>(sink.Failures[7]);
        await UntilAsync(() => Count(wants) == 2);
        lock (wants)
            Assert.IsTrue(wants[1].Cancel);
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => session.GetAsync(cid, Cancellation).AsTask());
    }

    [TestMethod]
    public async Task A_session_that_ends_takes_nothing_back_that_another_waits_for()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode b = network.AddNode();
        List<WantEntry> wants = [];
        PipeHost silent = network.AddRaw((_, stream, cancellationToken) => RawBitswap.ReadWantsAsync(stream, want => AddAsync(wants, want), cancellationToken));
        network.Connect(silent.Id, b.Id);
        byte[] data = Bytes(2_000, 1);
        Cid both = Cid.OfRaw(data), later = Cid.OfRaw("asked last"u8), alone = Cid.OfRaw("of one session"u8);
        await using BitswapSession stays = b.Bitswap.OpenSession(both, null, askStore: false);
        stays.AddProvider(silent.Id);
        Task<BlockBuffer> get = stays.GetAsync(both, Cancellation).AsTask();
        var sink = new CollectingSink();
        BitswapSession ends = b.Bitswap.OpenSession(both, null, askStore: false);
        ends.AddProvider(silent.Id);
        await ends.RequestAsync(both, 2_000, sink, 1, Cancellation);
        await ends.RequestAsync(alone, 10, sink, 2, Cancellation);
        await UntilAsync(() => Last(alone) is not null && Last(both) is not null);
        await ends.DisposeAsync();
        await stays.RequestAsync(later, 10, sink, 3, Cancellation);
        await UntilAsync(() => Last(later) is not null);
        Assert.IsTrue(Last(alone)!.Value.Cancel);
        Assert.IsFalse(Last(both)!.Value.Cancel);
        await RawBitswap.SendAsync(silent, b.Id, [], [(both, data)], Cancellation);
        (await get.WaitAsync(Patience, Cancellation)).Dispose();

        WantEntry? Last(Cid cid)
        {
            lock (wants)
                return wants.Exists(want => want.Cid == cid) ? wants.FindLast(want => want.Cid == cid) : null;
        }
    }

    [TestMethod]
    public async Task The_others_are_told_when_a_block_has_arrived()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode();
        List<WantEntry> wants = [];
        PipeHost silent = network.AddRaw((_, stream, cancellationToken) => RawBitswap.ReadWantsAsync(stream, want => AddAsync(wants, want), cancellationToken));
        network.Connect(silent.Id, b.Id);
        network.Connect(a.Id, b.Id);
        Cid cid = a.Add(Bytes(10_000, 1));
        await using BitswapSession session = b.Bitswap.OpenSession(cid, null, askStore: false);
        session.AddProvider(silent.Id);
        Task<BlockBuffer> get = session.GetAsync(cid, Cancellation).AsTask();
        await UntilAsync(() => Count(wants) == 1);
        session.AddProvider(a.Id);
        (await get.WaitAsync(Patience, Cancellation)).Dispose();
        await UntilAsync(() => Count(wants) == 2);
        lock (wants)
            Assert.IsTrue(wants[1].Cancel);
    }

    [TestMethod]
    public async Task Requests_wait_while_there_are_too_many()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode(ExchangeSettings.Default with { MaxRequests = 10 });
        network.Connect(a.Id, b.Id);
        List<Cid> cids = [.. Enumerable.Range(0, 11).Select(each => a.Add(Bytes(1_000, each)))];
        await using BitswapSession session = b.Bitswap.OpenSession(cids[0], null, askStore: false);
        var sink = new CollectingSink();
        for (int i = 0; i < 10; i++)
            Assert.IsTrue(session.RequestAsync(cids[i], 1_000, sink, i, Cancellation).AsTask().IsCompletedSuccessfully);
        Task eleventh = session.RequestAsync(cids[10], 1_000, sink, 10, Cancellation).AsTask();
        Assert.IsFalse(eleventh.IsCompleted);
        session.AddProvider(a.Id);
        await eleventh.WaitAsync(Patience, Cancellation);
        await sink.WaitAsync(11);
        Assert.HasCount(11, sink.Blocks);
    }

    [TestMethod]
    public async Task An_identity_cid_is_its_own_block_and_a_hash_that_cannot_be_checked_is_refused()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode b = network.AddNode();
        Cid.TryCreate(1, Cid.RawCodec, Multihash.Create(Multihash.Identity, "inside"u8), out Cid identity);
        Cid.TryCreate(1, Cid.RawCodec, Multihash.Create(Multihash.Sha1, new byte[20]), out Cid weak);
        await using BitswapSession session = b.Bitswap.OpenSession(identity, null, askStore: false);
        using (BlockBuffer block = await session.GetAsync(identity, Cancellation))
            CollectionAssert.AreEqual("inside"u8.ToArray(), block.Span.ToArray());
        var sink = new CollectingSink();
        await session.RequestAsync(identity, 6, sink, 1, Cancellation);
        Assert.HasCount(1, sink.Blocks);
        await using BitswapSession asking = b.Bitswap.OpenSession(identity, null, askStore: true);
        await asking.RequestAsync(identity, 6, sink, 2, Cancellation);
        Assert.HasCount(2, sink.Blocks);
        Assert.AreEqual(0, asking.Statistics.OpenWants, "what was answered is not asked of anybody");
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => session.GetAsync(weak, Cancellation).AsTask());
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
    }

    [TestMethod]
    public async Task Connected_peers_that_have_the_root_join_by_themselves()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode a = network.AddNode(), b = network.AddNode(), stranger = network.AddNode();
        network.Connect(a.Id, b.Id);
        network.Connect(stranger.Id, b.Id);
        b.Host.HidesPeers = false;
        Cid cid = a.Add(Bytes(100_000, 1));
        await using BitswapSession session = b.Bitswap.OpenSession(cid, null, askStore: false);
        (await session.GetAsync(cid, Cancellation).AsTask().WaitAsync(Patience, Cancellation)).Dispose();
        CollectionAssert.AreEqual(new[] { a.Id }, session.Providers.ToArray());
    }

    [TestMethod]
    public async Task Windows_are_granted_for_what_was_asked()
    {
        await using var network = new PipeNetwork();
        await using BitswapNode b = network.AddNode();
        var opened = new TaskCompletionSource<PipeStream>();
        PipeHost raw = network.AddRaw(static (_, stream, cancellationToken) => RawBitswap.ReadWantsAsync(stream, static _ => Task.CompletedTask, cancellationToken));
        network.Connect(raw.Id, b.Id);
        Func<IExchangeStream, CancellationToken, Task> receive = b.Host.Receive;
        b.Host.Receive = (stream, cancellationToken) =>
        {
            opened.TrySetResult((PipeStream)stream);
            return receive(stream, cancellationToken);
        };
        await using BitswapSession session = b.Bitswap.OpenSession(Cid.OfRaw("root"u8), null, askStore: false);
        session.AddProvider(raw.Id);
        var sink = new CollectingSink();
        for (int i = 0; i < 4; i++)
            await session.RequestAsync(Cid.OfRaw(Bytes(4, i)), MiB, sink, i, Cancellation);
        PipeStream near = network.Open(raw, b.Id);
        PipeStream stream = await opened.Task.WaitAsync(Patience, Cancellation);
        await UntilAsync(() => stream.Granted == 4 * MiB);
        for (int i = 4; i < 8; i++)
            await session.RequestAsync(Cid.OfRaw(Bytes(4, i)), MiB, sink, i, Cancellation);
        await UntilAsync(() => stream.Granted == 8 * MiB);
        await near.DisposeAsync();
    }

    internal static byte[] Bytes(int length, int seed)
    {
        // different for each seed is all that hashes need, and much faster than random
        byte[] data = new byte[length];
        data.AsSpan().Fill((byte)seed);
        new SeededRandom((ulong)seed).NextBytes(data.AsSpan(0, Math.Min(length, 16)));
        return data;
    }

    internal static async Task RequestAllAsync(BitswapSession session, List<Cid> cids, CollectingSink sink)
    {
        for (int i = 0; i < cids.Count; i++)
            await session.RequestAsync(cids[i], 0, sink, i, CancellationToken.None);
    }

    internal static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(2, limit.Token);
    }

    private static async Task<IReadOnlyDictionary<PeerId, long>> FetchAllAsync(BitswapNode node, List<Cid> cids, PeerId[] providers)
    {
        await using BitswapSession session = node.Bitswap.OpenSession(cids[0], null, askStore: false);
        foreach (PeerId provider in providers)
            session.AddProvider(provider);
        var sink = new CollectingSink();
        await RequestAllAsync(session, cids, sink);
        await sink.WaitAsync(cids.Count);
        Assert.HasCount(cids.Count, sink.Blocks);
        Assert.AreEqual(0, session.Statistics.OpenWants);
        return session.BytesByPeer;
    }

    private static int Count<T>(List<T> list)
    {
        lock (list)
            return list.Count;
    }

    private static Task AddAsync(List<WantEntry> wants, WantEntry want)
    {
        lock (wants)
            wants.Add(want);
        return Task.CompletedTask;
    }

    private static async Task SendWantsAsync(PipeHost host, PeerId to, params WantEntry[] wants)
    {
        await using PipeStream stream = host.Network.Open(host, to);
        BitswapWriter.WriteWantlist(stream.Output, wants, full: false);
        await stream.Output.FlushAsync();
    }

    private static async Task ReadAnswersAsync(IExchangeStream stream, List<string> answers, CancellationToken cancellationToken)
    {
        using var reader = new BitswapReader();
        while (true)
        {
            ReadResult read = await stream.Input.ReadAsync(cancellationToken);
            ReadOnlySequence<byte> rest = read.Buffer;
            while (reader.TryRead(ref rest, out BitswapPart part) == OperationStatus.Done)
            {
                lock (answers)
                {
                    if (part.Kind == BitswapPartKind.Presence)
                        answers.Add($"{(part.Flag ? "have" : "lack")} {part.Cid}");
                    if (part.Kind == BitswapPartKind.BlockStart)
                        answers.Add($"block {part.Length}");
                }

                if (part.Kind == BitswapPartKind.BlockStart)
                    reader.Accept(null);
            }

            stream.Input.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                return;
        }
    }

    private sealed class DialingSource(PipeNetwork network, PeerId self, PeerId provider) : IProviderSource
    {
        private int _reconnects;
        private bool _found;

        public int Reconnects => Volatile.Read(ref _reconnects);

        public IReadOnlyList<DialAttempt> Attempts => [];

        public async IAsyncEnumerable<PeerId> FindAsync(Cid root, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            if (_found)
                yield break; // a lost one comes back by being dialed again, not by being found again
            _found = true;
            network.Connect(self, provider);
            yield return provider;
        }

        public Task<bool> ReconnectAsync(PeerId peer, CancellationToken cancellationToken)
        {
            bool isSecond = Interlocked.Increment(ref _reconnects) > 1;
            if (isSecond)
                network.Connect(self, peer);
            return Task.FromResult(isSecond);
        }
    }
}
