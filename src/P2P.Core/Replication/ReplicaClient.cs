using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Identity;
using P2P.Core.Transport;

namespace P2P.Core.Replication;

/// <summary>What a holder made of an offer.</summary>
/// <param name="Receipt">Its receipt; null: it refused.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct OfferOutcome(Receipt? Receipt, RefusalReason Reason);

/// <summary>What an audit found.</summary>
internal enum AuditOutcome
{
    /// <summary>The holder can get the block now.</summary>
    Proved,

    /// <summary>It answered, and cannot.</summary>
    Missing,
}

/// <summary>Talks to holders: offers, audits, releases.</summary>
internal sealed class ReplicaClient(ConnectionPool pool, IdentityKey identity, ReplicationSettings settings, string network, TimeProvider time)
{
    /// <summary>Offers a run.</summary>
    /// <returns>A receipt that was checked, or why there is none.</returns>
    /// <exception cref="IOException">It gave no sound answer in time.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task<OfferOutcome> OfferAsync(Contact holder, Run run, ReadOnlyMemory<byte> lease, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(settings.OfferTimeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(holder, deadline.Token).ConfigureAwait(false);
            PeerStream stream = await connection.OpenStreamAsync(ReplicaProtocol.Id, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            byte[] nonce = RandomNumberGenerator.GetBytes(Receipt.NonceBytes);
            var offer = new ReplicaMessage.Types.Offer { Lease = ByteString.CopyFrom(lease.Span), Nonce = ByteString.CopyFrom(nonce) };
            offer.Entries.AddRange(run.Entries.Select(static entry => new ReplicaMessage.Types.Entry { Cid = ByteString.CopyFrom(entry.Cid.AsSpan()), Size = (uint)entry.Size }));
            await ReplicaProtocol.SendAsync(stream, new ReplicaMessage { Offer = offer }, deadline.Token).ConfigureAwait(false);
            while (await ReplicaProtocol.ReceiveAsync(stream, deadline.Token).ConfigureAwait(false) is { } answer)
            {
                if (answer.BodyCase == ReplicaMessage.BodyOneofCase.Receipt)
                    return new OfferOutcome(Check(answer.Receipt, holder, run, lease.Span, nonce), RefusalReason.None);
                if (answer.BodyCase != ReplicaMessage.BodyOneofCase.Verdict || answer.Verdict.Answers.Length != run.Entries.Count)
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
    /// <exception cref="IOException">It gave no sound answer in time.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task<AuditOutcome> AuditAsync(Contact holder, Cid cid, BlockBuffer block, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(settings.AuditTimeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(holder, deadline.Token).ConfigureAwait(false);
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
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not answer an audit within {settings.AuditTimeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Tells a holder that a lease has ended.</summary>
    /// <inheritdoc cref="AuditAsync"/>
    public async Task ReleaseAsync(Contact holder, ReadOnlyMemory<byte> release, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(settings.AuditTimeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(holder, deadline.Token).ConfigureAwait(false);
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

    private async Task<Connection> ConnectAsync(Contact holder, CancellationToken cancellationToken) =>
        pool.TryGet(holder.Peer, out Connection? open)
            ? open
            : await pool.ConnectAsync(holder.Peer, holder.Addresses, AddressOrigin.Peer, cancellationToken).ConfigureAwait(false);

    /// <summary>A receipt counts only for this offer, this lease, this holder and all blocks.</summary>
    private Receipt Check(ByteString envelope, Contact holder, Run run, ReadOnlySpan<byte> lease, ReadOnlySpan<byte> nonce) =>
        Receipt.TryOpen(envelope.Span, out Receipt? receipt)
        && receipt.Holder == holder.Peer && receipt.Publisher == identity.PeerId && receipt.Network == network
        && receipt.Nonce.Span.SequenceEqual(nonce)
        && Lease.TryOpen(lease, out Lease? asked) && receipt.Sequence == asked.Sequence && receipt.Until == asked.Until
        && receipt.LeaseDigest.Span.SequenceEqual(Lease.DigestOf(lease))
        && receipt.Count == run.Entries.Count && receipt.Bytes == run.Bytes
        && receipt.AcceptedDigest.Span.SequenceEqual(ReplicaEntry.Digest(run.Entries))
            ? receipt
            : throw new PeerProtocolException("gave a receipt that is not for this offer");
}
