using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Diagnostics;
using P2P.Core.Exchange;
using P2P.Core.Identity;
using P2P.Core.Store;
using P2P.Core.Transport;

namespace P2P.Core.Replication;

/// <summary>
/// Keeps blocks for others: judges offers, pulls what it wants over the same connection, signs a receipt when all is flushed, answers audits, and lets go when
/// a lease ends.
/// </summary>
internal sealed class ReplicaHolder : IDisposable
{
    /// <summary>The holders closest to a run that keep it; who is farther refuses (count).</summary>
    public const int CloseHolders = 20;

    private const string EpochSetting = "replica/epoch";

    /// <summary>Streams of one peer (count), and pulls of all of them at once.</summary>
    private const int MaxInboundPerPeer = 16, MaxPulls = 8;

    /// <summary>Blocks asked for at once in one pull (count).</summary>
    private const int PullWindow = 16;

    /// <summary>Audits that one connection may ask for at once, and then each second.</summary>
    private const int AuditBurst = 64, AuditsPerSecond = 1;

    private const int BytesPerCommit = 32 << 20;

    private static readonly TimeSpan MessageTimeout = TimeSpan.FromSeconds(30);

    /// <summary>What was promised without progress is free again after this.</summary>
    private static readonly TimeSpan PullPatience = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromMinutes(5);

    private readonly ConnectionPool _pool;
    private readonly BlockStore _store;
    private readonly Bitswap _bitswap;
    private readonly IdentityKey _identity;
    private readonly IHolderDirectory _directory;
    private readonly HolderSettings _settings;
    private readonly HolderPolicy _policy;
    private readonly string _network;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<Cid> _onHeld;
    private readonly SemaphoreSlim _pulls = new(MaxPulls);
    private readonly ConditionalWeakTable<Connection, TokenBucket> _audits = [];
    private readonly Lock _gate = new(); // guards each bucket
    private byte[] _epoch = [];

    /// <summary>Prepares it; nothing happens before <see cref="StartAsync"/>.</summary>
    public ReplicaHolder(
        ConnectionPool pool, BlockStore store, Bitswap bitswap, IdentityKey identity, IHolderDirectory directory, HolderSettings settings, string network, Action<Cid> onHeld, TimeProvider time, ILoggerFactory loggers)
    {
        (_pool, _store, _bitswap, _identity, _directory, _settings, _network, _onHeld, _time) = (pool, store, bitswap, identity, directory, settings, network, onHeld, time);
        _policy = new HolderPolicy(settings, network);
        _logger = loggers.CreateLogger("P2P.Core.Replication");
        Leases = new HeldLeases(store, lease => !settings.Admitted.Contains(lease.Publisher) && settings.Audience == OfferAudience.Anyone);
    }

    /// <summary>What is held.</summary>
    public HeldLeases Leases { get; }

    /// <summary>Starts to take offers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (PinId older in Leases.Load())
            await _store.RemovePinAsync(older, cancellationToken).ConfigureAwait(false);
        if (_store.GetSetting(EpochSetting) is not { } epoch)
        {
            epoch = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Receipt.EpochBytes));
            await _store.SetSettingAsync(EpochSetting, epoch, cancellationToken).ConfigureAwait(false);
        }

        _epoch = Convert.FromHexString(epoch);
        _pool.Handle(ReplicaProtocol.Id, ServeAsync, MaxInboundPerPeer);
        ReplicationLog.Offering(_logger, _settings.OfferBytes, _settings.Audience);
    }

    /// <summary>Lets go of what is over, now and then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            DateTimeOffset now = _time.GetUtcNow();
            int ended = 0;
            foreach (HeldLease held in Leases.All.Where(held => held.Lease.Until <= now))
                ended += await Leases.RemoveAsync(held, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            if (ended > 0)
                ReplicationLog.LeasesEnded(_logger, ended);
            await Task.Delay(ExpiryInterval, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _pulls.Dispose();

    private async Task ServeAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            using Deadline deadline = new(MessageTimeout, _time, cancellationToken);
            if (await ReplicaProtocol.ReceiveAsync(stream, deadline.Token).ConfigureAwait(false) is not { } message)
                return;
            switch (message.BodyCase)
            {
                case ReplicaMessage.BodyOneofCase.Offer:
                    await TakeOfferAsync(stream, message.Offer, cancellationToken).ConfigureAwait(false);
                    break;
                case ReplicaMessage.BodyOneofCase.Release:
                    await ReleaseAsync(message.Release, cancellationToken).ConfigureAwait(false);
                    break;
                case ReplicaMessage.BodyOneofCase.Audit:
                    await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Proof = await ProveAsync(stream.Connection, message.Audit, deadline.Token).ConfigureAwait(false) }, deadline.Token).ConfigureAwait(false);
                    break;
                default:
                    throw new PeerProtocolException("sent a replica message that asks for nothing");
            }
        }
    }

    private async Task TakeOfferAsync(PeerStream stream, ReplicaMessage.Types.Offer offer, CancellationToken cancellationToken)
    {
        if (offer.Nonce.Length != Receipt.NonceBytes || ReplicaProtocol.ReadEntries(offer.Entries) is not { } entries || !Lease.TryOpen(offer.Lease.Span, out Lease? lease))
            throw new PeerProtocolException("sent an offer that is not sound");
        PeerId sender = stream.Connection.RemotePeer;
        HeldLease? before = Leases.Find(lease.Publisher, lease.RunKey);
        using IDisposable? room = Leases.TryReserve(
            lease,
            held => before is not null && before.Lease.Sequence > lease.Sequence ? RefusalReason.Invalid : _policy.Judge(lease, entries, sender, stream.Connection.RemoteAddress, held, _time.GetUtcNow()),
            out RefusalReason reason);
        if (reason == RefusalReason.None)
            reason = JudgePlace(lease, entries[0].Cid);
        if (reason != RefusalReason.None)
        {
            await RefuseAsync(stream, entries.Count, lease, reason, cancellationToken).ConfigureAwait(false);
            return;
        }

        await _pulls.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            bool[] here = await LookAsync(entries, sender, cancellationToken).ConfigureAwait(false);
            await ReplicaProtocol.SendAsync(stream, VerdictOf(here.Select(static one => one ? ReplicaProtocol.Have : ReplicaProtocol.Want), RefusalReason.None), cancellationToken).ConfigureAwait(false);
            await PullAsync(stream.Connection, lease, offer.Lease.Memory, entries, here, cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException error)
        {
            ReplicationLog.PullFailed(_logger, lease.Publisher, lease.Bytes, UntrustedText.Clean(error.Message));
            await RefuseAsync(stream, entries.Count, lease, error.Code is P2PErrorCode.Quota or P2PErrorCode.NoSpace ? RefusalReason.Full : RefusalReason.Policy, cancellationToken).ConfigureAwait(false);
            return;
        }
        finally
        {
            _pulls.Release();
        }

        var receipt = new Receipt
        {
            Network = _network,
            Holder = _identity.PeerId,
            StoreEpoch = _epoch,
            Publisher = lease.Publisher,
            LeaseDigest = Lease.DigestOf(offer.Lease.Span),
            Sequence = lease.Sequence,
            Nonce = offer.Nonce.Memory,
            AcceptedDigest = lease.EntriesDigest,
            Count = lease.Count,
            Bytes = lease.Bytes,
            Issued = StatementTime.Truncate(_time.GetUtcNow()),
            Until = lease.Until,
        };
        await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Receipt = ByteString.CopyFrom(receipt.Seal(_identity)) }, cancellationToken).ConfigureAwait(false);
        _onHeld(entries[0].Cid);
    }

    /// <summary>Whether the run belongs here: at its own place, or at one of those that inner nodes have besides. The key follows from the first block, so nobody aims a run at a holder.</summary>
    private RefusalReason JudgePlace(Lease lease, Cid first)
    {
        byte[] head = new byte[first.Key.ByteLength];
        first.Key.CopyTo(head);
        if (lease.RunKey != DhtKey.Of(head))
            return RefusalReason.Invalid;
        return _directory.IsAmongClosest(lease.RunKey, CloseHolders)
            || Enumerable.Range(1, Run.ExtraPlaces).Any(i => _directory.IsAmongClosest(DhtKey.Of(Run.PlaceName(head, i)), CloseHolders))
                ? RefusalReason.None
                : RefusalReason.TooFar;
    }

    private async Task RefuseAsync(PeerStream stream, int count, Lease lease, RefusalReason reason, CancellationToken cancellationToken)
    {
        ReplicationLog.Refused(_logger, lease.Publisher, lease.Bytes, reason);
        await ReplicaProtocol.SendAsync(stream, VerdictOf(Enumerable.Repeat(ReplicaProtocol.Refuse, count), reason), cancellationToken).ConfigureAwait(false);
    }

    private static ReplicaMessage VerdictOf(IEnumerable<byte> answers, RefusalReason reason) =>
        new() { Verdict = new ReplicaMessage.Types.Verdict { Answers = ByteString.CopyFrom([.. answers]), Reason = (uint)reason } };

    /// <summary>Which blocks are here and sound: each is read and hashed again. One that the sender may not have is treated as one that is not here.</summary>
    private async Task<bool[]> LookAsync(List<ReplicaEntry> entries, PeerId sender, CancellationToken cancellationToken)
    {
        bool[] here = new bool[entries.Count];
        for (int i = 0; i < entries.Count; i++)
        {
            if (!_store.IsOwned(entries[i].Cid) || !_store.MayServe(entries[i].Cid, sender))
                continue;
            using BlockBuffer? block = await _store.ReadAsync(entries[i].Cid, cancellationToken).ConfigureAwait(false);
            here[i] = block?.Length == entries[i].Size;
        }

        return here;
    }

    /// <summary>Brings all blocks under a pin that carries the lease, and flushes.</summary>
    private async Task PullAsync(Connection connection, Lease lease, ReadOnlyMemory<byte> envelope, List<ReplicaEntry> entries, bool[] here, CancellationToken cancellationToken)
    {
        using Deadline patience = new(PullPatience, _time, cancellationToken);
        var pin = new Pin { Kind = PinKind.Temporary, Root = entries[0].Cid, Name = $"for {lease.Publisher.ToShortString()}" };
        PinId id = await _store.AddPinAsync(pin, patience.Token).ConfigureAwait(false);
        bool isDone = false;
        try
        {
            BitswapSession session = _bitswap.OpenSession(entries[0].Cid, source: null, askStore: false);
            await using (session.ConfigureAwait(false))
            {
                session.AddProvider(connection.RemotePeer);
                using StoreBatch batch = _store.BeginBatch(id);
                await PullAsync(session, batch, entries, here, patience).ConfigureAwait(false);
                batch.UpdatePin(pin with { Id = id, Kind = PinKind.Held, Hints = envelope, Bytes = lease.Bytes, Blocks = lease.Count });
                await batch.CommitAsync(Durability.Flushed, cancellationToken).ConfigureAwait(false);
            }

            isDone = true;
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw new P2PException(P2PErrorCode.Unreachable, $"The blocks of an offer did not come within {PullPatience.TotalMinutes:0} minutes.") { IsTransient = true };
        }
        finally
        {
            if (!isDone)
                await _store.RemovePinAsync(id, CancellationToken.None).ConfigureAwait(false);
        }

        if (Leases.Set(new HeldLease(lease, envelope, id, entries[0].Cid)) is { } other)
            await _store.RemovePinAsync(other, CancellationToken.None).ConfigureAwait(false); // the same blocks are under the newer one
        foreach (ReplicaEntry entry in entries)
            _bitswap.OnBlockAvailable(entry.Cid);
        ReplicationLog.Holding(_logger, lease.Publisher, lease.Count, lease.Bytes, lease.Until);
    }

    private async Task PullAsync(BitswapSession session, StoreBatch batch, List<ReplicaEntry> entries, bool[] here, Deadline patience)
    {
        Queue<(ReplicaEntry Entry, Task<BlockBuffer> Load)> loads = new();
        int next = 0;
        long inBatch = 0;
        try
        {
            while (true)
            {
                for (; loads.Count < PullWindow && next < entries.Count; next++)
                {
                    if (!here[next] || !batch.AddExisting(entries[next].Cid))
                        loads.Enqueue((entries[next], session.GetAsync(entries[next].Cid, patience.Token).AsTask()));
                }

                if (!loads.TryDequeue(out (ReplicaEntry Entry, Task<BlockBuffer> Load) first))
                    return;
                using BlockBuffer block = await first.Load.ConfigureAwait(false);
                if (block.Length != first.Entry.Size)
                    throw new P2PException(P2PErrorCode.Integrity, $"Block {first.Entry.Cid.ToShortString()} has {block.Length} bytes where its offer says {first.Entry.Size}.");
                await _store.MakeRoomAsync(block.Length, patience.Token).ConfigureAwait(false);
                batch.AddOwned(first.Entry.Cid, block.Span);
                inBatch += block.Length;
                patience.Restart();
                if (inBatch < BytesPerCommit)
                    continue;
                await batch.CommitAsync(Durability.Visible, patience.Token).ConfigureAwait(false);
                inBatch = 0;
            }
        }
        finally
        {
            foreach ((_, Task<BlockBuffer> load) in loads)
            {
                _ = load.ContinueWith(static done => { if (done.IsCompletedSuccessfully) done.Result.Dispose(); else _ = done.Exception; }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    private async Task ReleaseAsync(ByteString envelope, CancellationToken cancellationToken)
    {
        if (!Lease.TryOpen(envelope.Span, out Lease? lease) || lease.Until > _time.GetUtcNow())
            throw new PeerProtocolException("sent a release that is not sound");
        if (Leases.Find(lease.Publisher, lease.RunKey) is { } held && lease.Sequence > held.Lease.Sequence && lease.Network == _network
            && await Leases.RemoveAsync(held, cancellationToken).ConfigureAwait(false))
            ReplicationLog.Released(_logger, lease.Publisher, held.Lease.Bytes);
    }

    /// <summary>What an auditor asked for: empty when the block is not here, or when it is nobody's business.</summary>
    private async Task<ByteString> ProveAsync(Connection connection, ReplicaMessage.Types.Audit audit, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            TokenBucket rate = _audits.GetValue(connection, _ => new TokenBucket(AuditBurst, AuditsPerSecond, _time.TimestampFrequency));
            if (rate.TryTake(_time.GetTimestamp()) > TimeSpan.Zero)
                throw new PeerProtocolException("audits too often");
        }

        if (audit.Nonce.Length != ReplicaProtocol.AuditNonceBytes || !Cid.TryFromBytes(audit.Cid.Span, out Cid cid, out _))
            throw new PeerProtocolException("sent an audit that is not sound");
        if (!Leases.HasPublisher(connection.RemotePeer) || !_store.MayServe(cid, connection.RemotePeer))
            return ByteString.Empty;
        using BlockBuffer? block = await _store.ReadAsync(cid, cancellationToken).ConfigureAwait(false);
        return block is null ? ByteString.Empty : ByteString.CopyFrom(ReplicaProtocol.Proof(connection.RemotePeer, _identity.PeerId, audit.Nonce.Span, block.Span));
    }
}
