using Google.Protobuf;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Identity;
using P2P.Core.Replication;
using P2P.Core.Tests.Connections;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Replication;

/// <summary>Goal: nothing that a holder says counts unless it is true of this very question. Method: a holder that speaks the protocol and lies.</summary>
[TestClass]
public sealed class HostileHolderTests : IAsyncDisposable
{
    private const string Network = "p2p";

    private static readonly byte[] Content = [.. "a block"u8];
    private static readonly ReplicaEntry[] Entries = [new(Cid.OfRaw("a block"u8), 7)];
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly VirtualTime _time = new();
    private readonly MemoryNetwork _network = new();
    private readonly IdentityKey _stranger = IdentityKey.Generate();
    private TestPeer? _publisher, _holder;

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_receipt_counts_for_the_offer_that_it_answers_and_for_no_other()
    {
        ReplicaClient client = await StartAsync((stream, offer) => AnswerOfferAsync(stream, offer, static receipt => receipt));
        OfferOutcome honest = await OfferAsync(client);
        Assert.AreEqual(_holder!.Id, honest.Receipt!.Holder);

        foreach ((string what, Func<Receipt, Receipt> lie) in new (string, Func<Receipt, Receipt>)[]
        {
            ("another nonce", static receipt => receipt with { Nonce = new byte[Receipt.NonceBytes] }),
            ("another lease", static receipt => receipt with { LeaseDigest = new byte[32] }),
            ("other blocks", static receipt => receipt with { AcceptedDigest = new byte[32] }),
            ("fewer blocks", static receipt => receipt with { Count = 0 }),
            ("fewer bytes", static receipt => receipt with { Bytes = 1 }),
            ("a shorter time", static receipt => receipt with { Until = receipt.Until.AddDays(-1) }),
            ("an older lease", static receipt => receipt with { Sequence = receipt.Sequence - 1 }),
            ("another network", static receipt => receipt with { Network = "other" }),
            ("another holder", receipt => receipt with { Holder = _stranger.PeerId }),
            ("another publisher", receipt => receipt with { Publisher = _stranger.PeerId }),
        })
        {
            _holder!.Pool.Unhandle(ReplicaProtocol.Id);
            Serve((stream, offer) => AnswerOfferAsync(stream, offer, lie));
            await Assert.ThrowsAsync<PeerProtocolException>(() => OfferAsync(client), what);
        }

        _holder!.Pool.Unhandle(ReplicaProtocol.Id);
        Serve((stream, offer) => AnswerOfferAsync(stream, offer, static receipt => receipt, _stranger)); // signed by somebody else
        await Assert.ThrowsAsync<PeerProtocolException>(() => OfferAsync(client));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_verdict_is_for_all_blocks_and_a_refusal_says_why()
    {
        ReplicaClient client = await StartAsync((stream, _) => SendAsync(stream, new ReplicaMessage { Verdict = Verdict(RefusalReason.Full, ReplicaProtocol.Refuse) }));
        Assert.AreEqual((null, RefusalReason.Full), ((await OfferAsync(client)).Receipt, (await OfferAsync(client)).Reason));
        foreach (ReplicaMessage answer in new[]
        {
            new ReplicaMessage { Verdict = Verdict(RefusalReason.None, ReplicaProtocol.Have, ReplicaProtocol.Have) },
            new ReplicaMessage { Proof = ByteString.CopyFrom(new byte[32]) },
            new ReplicaMessage(),
        })
        {
            _holder!.Pool.Unhandle(ReplicaProtocol.Id);
            Serve((stream, _) => SendAsync(stream, answer));
            await Assert.ThrowsAsync<IOException>(() => OfferAsync(client));
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Whoever_drips_an_answer_is_left_when_the_time_is_over()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ReplicaClient client = await StartAsync(async (stream, _) =>
        {
            asked.TrySetResult();
            byte[] drop = [0x90];
            while (true)
            {
                await stream.Output.WriteAsync(drop, TestContext.CancellationToken); // a length that never ends, a byte a second
                await stream.Output.FlushAsync(TestContext.CancellationToken);
                await Task.Delay(TimeSpan.FromSeconds(1), _time, TestContext.CancellationToken);
            }
        });
        Task<OfferOutcome> offer = OfferAsync(client);
        await asked.Task;
        while (!offer.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            await Task.Delay(1, TestContext.CancellationToken);
        }

        await Assert.ThrowsAsync<IOException>(() => offer);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_message_that_says_to_be_huge_is_refused_before_it_comes()
    {
        ReplicaClient client = await StartAsync(async (stream, _) =>
        {
            byte[] length = [0x81, 0x80, 0x80, 0x80, 0x08]; // 2 GiB and one byte
            await stream.Output.WriteAsync(length, TestContext.CancellationToken);
            await stream.Output.FlushAsync(TestContext.CancellationToken);
        });
        await Assert.ThrowsAsync<PeerProtocolException>(() => OfferAsync(client));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_audit_is_passed_by_the_proof_of_this_question_alone()
    {
        byte[]? old = null;
        Func<ReplicaMessage.Types.Audit, byte[]> prove = audit => ReplicaProtocol.Proof(_publisher!.Id, _holder!.Id, audit.Nonce.Span, Content);
        ReplicaClient client = await StartAsync(async (stream, message) => await SendAsync(stream, new ReplicaMessage { Proof = ByteString.CopyFrom(prove(message.Audit)) }));
        using var buffers = new Borrowed(Content);
        Assert.AreEqual(AuditOutcome.Proved, await AuditAsync());

        prove = audit => old = ReplicaProtocol.Proof(_stranger.PeerId, _holder!.Id, audit.Nonce.Span, Content);
        Assert.AreEqual(AuditOutcome.Missing, await AuditAsync(), "made for somebody else");
        prove = audit => old ?? [];
        Assert.AreEqual(AuditOutcome.Missing, await AuditAsync(), "that of another question");
        prove = audit => ReplicaProtocol.Proof(_publisher!.Id, _stranger.PeerId, audit.Nonce.Span, Content);
        Assert.AreEqual(AuditOutcome.Missing, await AuditAsync(), "another holder's");
        prove = static _ => [];
        Assert.AreEqual(AuditOutcome.Missing, await AuditAsync(), "none");
        prove = audit => ReplicaProtocol.Proof(_publisher!.Id, _holder!.Id, audit.Nonce.Span, "another block"u8);
        Assert.AreEqual(AuditOutcome.Missing, await AuditAsync(), "of other bytes");

        Task<AuditOutcome> AuditAsync() => client.AuditAsync(Contact, Entries[0].Cid, buffers.Block, isPlain: false, DialPurpose.Awaited, TestContext.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_publisher is not null)
            await _publisher.DisposeAsync();
        if (_holder is not null)
            await _holder.DisposeAsync();
        _stranger.Dispose();
        GC.SuppressFinalize(this);
    }

    private Contact Contact => new(_holder!.Id, [_holder.Pool.ListenAddresses[0]]);

    private async Task<ReplicaClient> StartAsync(Func<PeerStream, ReplicaMessage, Task> answer)
    {
        _publisher = await TestPeer.InMemory(_network, time: _time).ListenAsync(TestContext.CancellationToken);
        _holder = await TestPeer.InMemory(_network, time: _time).ListenAsync(TestContext.CancellationToken);
        Serve(answer);
        var settings = new ReplicationSettings
        {
            Grace = TimeSpan.FromMinutes(15),
            CheckInterval = TimeSpan.FromHours(1),
            DelayedRepairWait = TimeSpan.FromHours(6),
            LeaseDuration = TimeSpan.FromDays(7),
        };
        return new ReplicaClient(_publisher.Pool, bitswap: null!, _publisher.Identity, settings, Network, _time); // no plain wants here
    }

    private void Serve(Func<PeerStream, ReplicaMessage, Task> answer) => _holder!.Pool.Handle(
        ReplicaProtocol.Id,
        async (stream, token) => await answer(stream, (await ReplicaProtocol.ReceiveAsync(stream, token))!),
        maxInboundPerPeer: 16);

    private byte[] NewLease() => new Lease
    {
        Network = Network,
        Publisher = _publisher!.Id,
        RunKey = DhtKey.Of(Entries[0].Cid.MultihashSpan),
        EntriesDigest = ReplicaEntry.Digest(Entries),
        Count = 1,
        Bytes = 7,
        Issued = Now,
        Until = Now.AddDays(7),
        Min = 1,
        Target = 1,
        Max = 4,
        Sequence = 5,
    }.Seal(_publisher.Identity);

    private Task<OfferOutcome> OfferAsync(ReplicaClient client) => client.OfferAsync(Contact, Entries, NewLease(), DialPurpose.Awaited, TestContext.CancellationToken);

    private async Task AnswerOfferAsync(PeerStream stream, ReplicaMessage message, Func<Receipt, Receipt> change, IdentityKey? signer = null)
    {
        await SendAsync(stream, new ReplicaMessage { Verdict = Verdict(RefusalReason.None, ReplicaProtocol.Have) });
        Assert.IsTrue(Lease.TryOpen(message.Offer.Lease.Span, out Lease? lease));
        var receipt = new Receipt
        {
            Network = Network,
            Holder = _holder!.Id,
            StoreEpoch = new byte[Receipt.EpochBytes],
            Publisher = lease.Publisher,
            LeaseDigest = Lease.DigestOf(message.Offer.Lease.Span),
            Sequence = lease.Sequence,
            Nonce = message.Offer.Nonce.Memory,
            AcceptedDigest = lease.EntriesDigest,
            Count = lease.Count,
            Bytes = lease.Bytes,
            Issued = Now,
            Until = lease.Until,
        };
        await SendAsync(stream, new ReplicaMessage { Receipt = ByteString.CopyFrom(change(receipt).Seal(signer ?? _holder.Identity)) });
    }

    private Task SendAsync(PeerStream stream, ReplicaMessage message) => ReplicaProtocol.SendAsync(stream, message, TestContext.CancellationToken);

    private static ReplicaMessage.Types.Verdict Verdict(RefusalReason reason, params byte[] answers) => new() { Answers = ByteString.CopyFrom(answers), Reason = (uint)reason };

    private sealed class Borrowed : IDisposable
    {
        private readonly BlockBufferPool _pool = new();

        public Borrowed(ReadOnlySpan<byte> content)
        {
            Block = _pool.Rent(content.Length);
            content.CopyTo(Block.Memory.Span);
        }

        public BlockBuffer Block { get; }

        public void Dispose() => Block.Dispose();
    }
}
