using System.Globalization;
using System.Runtime.CompilerServices;
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

    /// <summary>How many leases of strangers of a network ran their course, by which it may use more.</summary>
    private const string CoursesSetting = "replica/courses/";

    /// <summary>Streams of one peer (count), pulls of all of them at once, and of one peer.</summary>
    private const int MaxInboundPerPeer = 16, MaxPulls = 8, MaxPullsPerPeer = 3;

    private static readonly TimeSpan MessageTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromMinutes(5);

    private readonly ConnectionPool _pool;
    private readonly BlockStore _store;
    private readonly ReplicaPull _pull;
    private readonly IdentityKey _identity;
    private readonly IHolderDirectory _directory;
    private readonly HolderSettings _settings;
    private readonly HolderPolicy _policy;
    private readonly string _network;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<Cid> _onHeld;
    private readonly SemaphoreSlim _pulls = new(MaxPulls);
    private readonly ConditionalWeakTable<Connection, SemaphoreSlim> _pullsOf = [];
    private readonly QuestionRates _rates;

    /// <summary>Prepares it; nothing happens before <see cref="StartAsync"/>.</summary>
    public ReplicaHolder(
        ConnectionPool pool, BlockStore store, Bitswap bitswap, IdentityKey identity, IHolderDirectory directory, HolderSettings settings, string network, Action<Cid> onHeld, TimeProvider time, ILoggerFactory loggers)
    {
        (_pool, _store, _identity, _directory, _settings, _network, _onHeld, _time) = (pool, store, identity, directory, settings, network, onHeld, time);
        _policy = new HolderPolicy(settings, network);
        _logger = loggers.CreateLogger("P2P.Core.Replication");
        _rates = new QuestionRates(settings.CheckInterval, margin: 0, time);
        Leases = new HeldLeases(store, time);
        _pull = new ReplicaPull(store, bitswap, Leases, time);
    }

    /// <summary>What is held.</summary>
    public HeldLeases Leases { get; }

    /// <summary>Which life of the store this is.</summary>
    public ReadOnlyMemory<byte> Epoch { get; private set; }

    /// <summary>Starts to take offers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Leases.Load();
        Epoch = await _store.GetEpochAsync(cancellationToken).ConfigureAwait(false);
        if (_settings.OfferBytes == 0)
            return; // what is held from when it did is kept to its end
        _pool.Handle(ReplicaProtocol.Id, ServeAsync, MaxInboundPerPeer);
        ReplicationLog.Offering(_logger, _settings.OfferBytes, _settings.Audience);
    }

    /// <summary>Lets go of what is over, now and then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            IReadOnlyList<HeldLease> over = await Leases.RemoveEndedAsync(cancellationToken).ConfigureAwait(false);
            foreach (LeaseOrigin origin in over.Select(static held => held.Origin).Where(static origin => origin.IsStranger))
                await _store.SetSettingAsync(CoursesSetting + origin, (CoursesOf(origin) + 1).ToString(CultureInfo.InvariantCulture), cancellationToken).ConfigureAwait(false);
            if (over.Count > 0)
                ReplicationLog.LeasesEnded(_logger, over.Count);
            await Task.Delay(ExpiryInterval, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pulls.Dispose();
        Leases.Dispose();
    }

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
                case ReplicaMessage.BodyOneofCase.Digest:
                    await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Inventory = AnswerTo(stream.Connection, message.Digest) }, deadline.Token).ConfigureAwait(false);
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
        Multiaddress from = stream.Connection.RemoteAddress;
        LeaseOrigin origin = _policy.OriginOf(lease, sender, from, Leases.HasFriend(lease.Publisher));
        int courses = origin.IsStranger ? CoursesOf(origin) : 0;
        using HeldRoom? room = Leases.TryReserve(lease, origin, held => _policy.Judge(lease, entries, origin, held, courses, _time.GetUtcNow()), out RefusalReason reason);
        if (reason == RefusalReason.None)
            reason = JudgePlace(lease, entries[0].Cid);
        if (reason == RefusalReason.None)
            reason = await PullAsync(stream, new HeldLease(lease, offer.Lease.Memory, default, entries[0].Cid, origin), entries, room!, cancellationToken).ConfigureAwait(false);
        if (reason != RefusalReason.None)
        {
            ReplicationLog.Refused(_logger, lease.Publisher, lease.Bytes, reason);
            await ReplicaProtocol.SendAsync(stream, VerdictOf(Enumerable.Repeat(ReplicaProtocol.Refuse, entries.Count), reason), cancellationToken).ConfigureAwait(false);
            return;
        }

        ReplicationLog.Holding(_logger, lease.Publisher, lease.Count, lease.Bytes, lease.Until);
        var receipt = new Receipt
        {
            Network = _network,
            Holder = _identity.PeerId,
            StoreEpoch = Epoch,
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

    /// <summary>Says what is wanted, and brings it.</summary>
    private async Task<RefusalReason> PullAsync(PeerStream stream, HeldLease lease, List<ReplicaEntry> entries, HeldRoom room, CancellationToken cancellationToken)
    {
        SemaphoreSlim ofPeer = _pullsOf.GetValue(stream.Connection, static _ => new SemaphoreSlim(MaxPullsPerPeer)); // no handle is ever made of it
        await ofPeer.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _pulls.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                bool[] here = await _pull.LookAsync(entries, stream.Connection.RemotePeer, cancellationToken).ConfigureAwait(false);
                await ReplicaProtocol.SendAsync(stream, VerdictOf(here.Select(static one => one ? ReplicaProtocol.Have : ReplicaProtocol.Want), RefusalReason.None), cancellationToken).ConfigureAwait(false);
                return await _pull.RunAsync(stream.Connection, lease, entries, here, room, cancellationToken).ConfigureAwait(false) ? RefusalReason.None : RefusalReason.Invalid;
            }
            finally
            {
                _pulls.Release();
            }
        }
        catch (P2PException error)
        {
            ReplicationLog.PullFailed(_logger, lease.Lease.Publisher, lease.Lease.Bytes, UntrustedText.Clean(error.Message));
            return error.Code is P2PErrorCode.Quota or P2PErrorCode.NoSpace ? RefusalReason.Full : RefusalReason.Policy;
        }
        finally
        {
            ofPeer.Release();
        }
    }

    private int CoursesOf(LeaseOrigin origin) => int.TryParse(_store.GetSetting(CoursesSetting + origin), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 0;

    /// <summary>What is held in a part of the keyspace. One run anybody may ask for who can name it; a whole part is for holders, now and then.</summary>
    private ReplicaMessage.Types.Inventory AnswerTo(Connection asker, ReplicaMessage.Types.Digest digest)
    {
        if (Inventory.PartOf(digest) is not { } part)
            throw new PeerProtocolException("sent a digest that is not sound");
        if (!(part.Length == DhtKey.Bits ? _rates.MayAskForRun(asker) : _rates.MayCompare(asker)))
            throw new PeerProtocolException("compares too often");
        return new Inventory(Leases.All, part).AnswerTo(digest, Epoch.Span);
    }

    private static ReplicaMessage VerdictOf(IEnumerable<byte> answers, RefusalReason reason) =>
        new() { Verdict = new ReplicaMessage.Types.Verdict { Answers = ByteString.CopyFrom([.. answers]), Reason = (uint)reason } };

    private async Task ReleaseAsync(ByteString envelope, CancellationToken cancellationToken)
    {
        if (!Lease.TryOpen(envelope.Span, out Lease? lease) || lease.Until > _time.GetUtcNow())
            throw new PeerProtocolException("sent a release that is not sound");
        if (Leases.Find(lease.Publisher, lease.RunKey) is { } held && lease.Sequence > held.Lease.Sequence && lease.Network == _network
            && await Leases.EndAsync(held, lease.Sequence, envelope.Memory, cancellationToken).ConfigureAwait(false))
            ReplicationLog.Released(_logger, lease.Publisher, held.Lease.Bytes);
    }

    /// <summary>What an auditor asked for: empty when the block is not here, or when it is nobody's business.</summary>
    private async Task<ByteString> ProveAsync(Connection connection, ReplicaMessage.Types.Audit audit, CancellationToken cancellationToken)
    {
        if (!_rates.MayAudit(connection))
            throw new PeerProtocolException("audits too often");
        if (audit.Nonce.Length != ReplicaProtocol.AuditNonceBytes || !Cid.TryFromBytes(audit.Cid.Span, out Cid cid, out _))
            throw new PeerProtocolException("sent an audit that is not sound");
        if (!(Leases.HasPublisher(connection.RemotePeer) || _directory.IsHolder(connection.RemotePeer)) || !_store.MayServe(cid, connection.RemotePeer) || !_store.IsOwned(cid))
            return ByteString.Empty;
        using BlockBuffer? block = await _store.ReadAsync(cid, cancellationToken).ConfigureAwait(false);
        return block is null ? ByteString.Empty : ByteString.CopyFrom(ReplicaProtocol.Proof(connection.RemotePeer, _identity.PeerId, audit.Nonce.Span, block.Span));
    }
}
