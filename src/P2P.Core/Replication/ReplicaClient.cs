using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Exchange;
using P2P.Core.Identity;
using P2P.Core.Transport;

namespace P2P.Core.Replication;

/// <summary>Talks to holders: offers, audits, releases, and asks what they hold.</summary>
internal sealed class ReplicaClient(ConnectionPool pool, Bitswap bitswap, IdentityKey identity, ReplicationSettings settings, string network, TimeProvider time)
{

    /// <summary>Questions of one comparison (count): a part is cut in halves while there is too much in it.</summary>
    private const int MaxQuestions = 32;

    /// <summary>Below what holders allow, because messages do not arrive as evenly as they are sent.</summary>
    private const int RateMargin = 8;

    private readonly QuestionRates _rates = new(settings.CheckInterval, RateMargin, time);

    /// <summary>Offers blocks under a lease, this node's or another's.</summary>
    /// <returns>A receipt that was checked, or why there is none.</returns>
    /// <exception cref="IOException">It gave no sound answer in time.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task<OfferOutcome> OfferAsync(Contact holder, IReadOnlyList<ReplicaEntry> entries, ReadOnlyMemory<byte> lease, DialPurpose purpose, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(settings.OfferTimeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(holder, purpose, deadline.Token).ConfigureAwait(false);
            PeerStream stream = await connection.OpenStreamAsync(ReplicaProtocol.Id, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            byte[] nonce = RandomNumberGenerator.GetBytes(Receipt.NonceBytes);
            var offer = new ReplicaMessage.Types.Offer { Lease = ByteString.CopyFrom(lease.Span), Nonce = ByteString.CopyFrom(nonce) };
            offer.Entries.AddRange(entries.Select(static entry => entry.ToMessage()));
            await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Offer = offer }, deadline.Token).ConfigureAwait(false);
            while (await ReplicaProtocol.ReceiveAsync(stream, deadline.Token).ConfigureAwait(false) is { } answer)
            {
                if (answer.BodyCase == ReplicaMessage.BodyOneofCase.Receipt)
                    return new OfferOutcome(Check(answer.Receipt, holder, entries, lease.Span, nonce), RefusalReason.None, answer.Receipt.Memory);
                if (answer.BodyCase != ReplicaMessage.BodyOneofCase.Verdict || answer.Verdict.Answers.Length != entries.Count)
                    throw new PeerProtocolException("answered an offer with something else");
                if (answer.Verdict.Answers.Contains(ReplicaProtocol.Refuse))
                    return new OfferOutcome(null, answer.Verdict.Reason is > 0 and <= (uint)RefusalReason.Invalid ? (RefusalReason)answer.Verdict.Reason : RefusalReason.Policy);
            }

            throw new PeerProtocolException("ended the stream before it gave a receipt");
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not finish an offer within {settings.OfferTimeout.TotalMinutes:0} minutes");
        }
    }

    /// <summary>Asks a holder to prove that it can get a block.</summary>
    /// <param name="holder">The holder.</param>
    /// <param name="cid">The block.</param>
    /// <param name="block">Its bytes.</param>
    /// <param name="isPlain">Whether the block is asked for as anybody would; who is connected and does not send it lacks it.</param>
    /// <param name="purpose">Which dial budget pays.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">It gave no sound answer in time.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task<AuditOutcome> AuditAsync(Contact holder, Cid cid, BlockBuffer block, bool isPlain, DialPurpose purpose, CancellationToken cancellationToken)
    {
        Connection connection = await ConnectAsync(holder, purpose, cancellationToken).ConfigureAwait(false);
        await _rates.WaitForAuditAsync(connection, cancellationToken).ConfigureAwait(false);
        using Deadline deadline = new(settings.AuditTimeout, time, cancellationToken);
        try
        {
            if (isPlain)
            {
                await WantAsync(holder.Peer, cid, deadline.Token).ConfigureAwait(false);
                return AuditOutcome.Proved;
            }

            PeerStream stream = await connection.OpenStreamAsync(ReplicaProtocol.Id, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            byte[] nonce = RandomNumberGenerator.GetBytes(ReplicaProtocol.AuditNonceBytes);
            var audit = new ReplicaMessage.Types.Audit { Cid = ByteString.CopyFrom(cid.AsSpan()), Nonce = ByteString.CopyFrom(nonce) };
            await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Audit = audit }, deadline.Token).ConfigureAwait(false);
            ReplicaMessage? answer = await ReplicaProtocol.ReceiveAsync(stream, deadline.Token).ConfigureAwait(false);
            if (answer?.BodyCase != ReplicaMessage.BodyOneofCase.Proof)
                throw new PeerProtocolException("answered an audit with something else");
            byte[] expected = ReplicaProtocol.Proof(identity.PeerId, holder.Peer, nonce, block.Span);
            return CryptographicOperations.FixedTimeEquals(expected, answer.Proof.Span) ? AuditOutcome.Proved : AuditOutcome.Missing;
        }
        catch (OperationCanceledException) when (deadline.IsOver && isPlain && pool.TryGet(holder.Peer, out _))
        {
            return AuditOutcome.Missing; // it is there, and gives no block
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not answer an audit within {settings.AuditTimeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Asks a holder for a block as anybody would, and nobody else.</summary>
    /// <exception cref="IOException">It did not send it in time.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task WantAsync(Contact holder, Cid cid, DialPurpose purpose, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(settings.AuditTimeout, time, cancellationToken);
        try
        {
            await ConnectAsync(holder, purpose, deadline.Token).ConfigureAwait(false);
            await WantAsync(holder.Peer, cid, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not send a block within {settings.AuditTimeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Asks a holder which leases it holds on one run.</summary>
    /// <exception cref="IOException">It gave no sound answer in time.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task<IReadOnlyList<InventoryItem>> AskForRunAsync(Contact holder, DhtKey run, DialPurpose purpose, CancellationToken cancellationToken) =>
        (await CompareAsync(holder, new Inventory([], DhtPrefix.Of(run, DhtKey.Bits)), default, purpose, cancellationToken).ConfigureAwait(false)).Items;

    /// <summary>Compares what is held here in a part of the keyspace with what another holder says that it holds there.</summary>
    /// <inheritdoc cref="AskForRunAsync"/>
    public async Task<HolderInventory> CompareAsync(Contact holder, Inventory own, ReadOnlyMemory<byte> epoch, DialPurpose purpose, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(settings.AuditTimeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(holder, purpose, deadline.Token).ConfigureAwait(false);
            PeerStream stream = await connection.OpenStreamAsync(ReplicaProtocol.Id, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            List<InventoryItem> items = [];
            Stack<Inventory> parts = new([own]);
            ReadOnlyMemory<byte> theirEpoch = default;
            for (int question = 0; question < MaxQuestions && parts.TryPop(out Inventory? part); question++)
            {
                await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Digest = part.ToDigest(epoch.Span) }, deadline.Token).ConfigureAwait(false);
                ReplicaMessage? answer = await ReplicaProtocol.ReceiveAsync(stream, deadline.Token).ConfigureAwait(false);
                if (answer?.BodyCase != ReplicaMessage.BodyOneofCase.Inventory || answer.Inventory.Items.Count > Inventory.MaxItems)
                    throw new PeerProtocolException("answered a digest with something else");
                theirEpoch = answer.Inventory.StoreEpoch.ToByteArray();
                if (answer.Inventory.IsSame)
                    items.AddRange(part.Items);
                else if (answer.Inventory.Items.Count == 0 && answer.Inventory.Count > 0 && part.Part.Length < DhtKey.Bits)
                    PushHalves(parts, part);
                else
                    items.AddRange(answer.Inventory.Items.Select(InventoryItem.TryRead).OfType<InventoryItem>().Where(item => part.Part.Contains(item.RunKey)));
                deadline.Restart();
            }

            return new HolderInventory(theirEpoch, items);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not say within {settings.AuditTimeout.TotalSeconds:0} s what it holds");
        }
    }

    /// <summary>Tells a holder that a lease has ended.</summary>
    /// <inheritdoc cref="AuditAsync"/>
    public async Task ReleaseAsync(Contact holder, ReadOnlyMemory<byte> release, DialPurpose purpose, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(settings.AuditTimeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(holder, purpose, deadline.Token).ConfigureAwait(false);
            PeerStream stream = await connection.OpenStreamAsync(ReplicaProtocol.Id, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Release = ByteString.CopyFrom(release.Span) }, deadline.Token).ConfigureAwait(false);
            await stream.Output.CompleteAsync().ConfigureAwait(false);
            if (await ReplicaProtocol.ReceiveAsync(stream, deadline.Token).ConfigureAwait(false) is not null)
                throw new PeerProtocolException("answered a release");
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not take a release within {settings.AuditTimeout.TotalSeconds:0} s");
        }
    }

    private static void PushHalves(Stack<Inventory> parts, Inventory whole)
    {
        var left = DhtPrefix.Of(whole.Part.First, whole.Part.Length + 1);
        parts.Push(whole.Within(left.Sibling));
        parts.Push(whole.Within(left));
    }

    /// <summary>Asks for a block as anybody would, and this holder only.</summary>
    private async Task WantAsync(PeerId holder, Cid cid, CancellationToken cancellationToken)
    {
        BitswapSession session = bitswap.OpenSession(cid, source: null, askStore: false);
        await using ConfiguredAsyncDisposable closing = session.ConfigureAwait(false);
        session.AddProvider(holder);
        using BlockBuffer block = await session.GetAsync(cid, cancellationToken).ConfigureAwait(false); // verified, or it does not come
    }

    private async Task<Connection> ConnectAsync(Contact holder, DialPurpose purpose, CancellationToken cancellationToken) =>
        pool.TryGet(holder.Peer, out Connection? open)
            ? open
            : await pool.ConnectAsync(holder.Peer, holder.Addresses, AddressOrigin.Peer, purpose, cancellationToken).ConfigureAwait(false);

    /// <summary>A receipt counts only for this offer, this lease, this holder and all blocks.</summary>
    private Receipt Check(ByteString envelope, Contact holder, IReadOnlyList<ReplicaEntry> entries, ReadOnlySpan<byte> lease, ReadOnlySpan<byte> nonce) =>
        Receipt.TryOpen(envelope.Span, out Receipt? receipt)
        && receipt.Holder == holder.Peer && receipt.Network == network
        && receipt.Nonce.Span.SequenceEqual(nonce)
        && Lease.TryOpen(lease, out Lease? asked) && receipt.Publisher == asked.Publisher && receipt.Sequence == asked.Sequence && receipt.Until == asked.Until
        && receipt.LeaseDigest.Span.SequenceEqual(Lease.DigestOf(lease))
        && receipt.Count == asked.Count && receipt.Bytes == asked.Bytes
        && receipt.AcceptedDigest.Span.SequenceEqual(ReplicaEntry.Digest(entries))
            ? receipt
            : throw new PeerProtocolException("gave a receipt that is not for this offer");
}
