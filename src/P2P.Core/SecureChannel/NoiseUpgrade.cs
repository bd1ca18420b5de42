using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using P2P.Core.Identity;
using P2P.Core.Transport;

namespace P2P.Core.SecureChannel;

/// <summary>Turns a connection into a <see cref="NoiseChannel"/>: runs the handshake and proves who is at the other end.</summary>
/// <remarks>
/// The static key is made once per instance, so once per run of a node, and never stored; its signature serves all handshakes. That keeps what an
/// unknown dialer can make us compute to the Diffie-Hellman operations. Dispose when no handshake runs any more.
/// </remarks>
internal sealed class NoiseUpgrade(IdentityKey identity, NoiseOptions options, TimeProvider time) : IDisposable
{
    /// <summary>The name in multistream-select.</summary>
    public const string ProtocolId = "/noise";

    /// <summary>Holds a handshake message of the largest size accepted besides what preceded it, and is then the channel's first receive buffer.</summary>
    private const int BufferBytes = NoiseReceiveBuffer.SmallBytes;

    private readonly NoiseKeyPair _staticKey = NoiseKeyPair.Generate();
    private readonly Lock _gate = new(); // guards _payload and _payloadMuxers
    private byte[]? _payload;
    private IReadOnlyList<string>? _payloadMuxers;

    /// <summary>Runs the handshake.</summary>
    /// <param name="connection">Belongs to the channel from here on; on failure the caller disposes it.</param>
    /// <param name="isInitiator">Whether we dialed.</param>
    /// <param name="expectedPeer">Whom the dialer wants; null accepts anyone.</param>
    /// <param name="muxers">Ours, by preference; empty leaves the choice to multistream-select.</param>
    /// <param name="alreadyReceived">What the negotiation read beyond its own end; copied.</param>
    /// <param name="sendBefore">Bytes that go out in one write with our first message: the negotiation's header and proposal.</param>
    /// <param name="expectBefore">The exact bytes that must precede the peer's first message: its header and echo.</param>
    /// <param name="cancellationToken">Not safe to cancel halfway: the connection is then only good to be closed.</param>
    /// <exception cref="PeerProtocolException">The peer broke the protocol, is another one than expected, or took too long.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    public async Task<NoiseChannel> SecureAsync(
        ITransportConnection connection,
        bool isInitiator,
        PeerId? expectedPeer,
        IReadOnlyList<string> muxers,
        ReadOnlyMemory<byte> alreadyReceived,
        ReadOnlyMemory<byte> sendBefore,
        ReadOnlyMemory<byte> expectBefore,
        CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.HandshakeTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var handshake = new NoiseHandshake(isInitiator, [], _staticKey, NoiseKeyPair.Generate());
        var received = new NoiseReceiveBuffer(alreadyReceived.Span);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(2 + options.MaxHandshakeMessageBytes + sendBefore.Length + NoiseHandshake.MaxOverheadBytes);
        try
        {
            byte[] ownPayload = OwnPayload(muxers);
            NoisePayload? theirs;
            if (isInitiator)
            {
                await WriteAsync(connection, handshake, sendBefore, [], scratch, linked.Token).ConfigureAwait(false);
                await ExpectAsync(connection, received, expectBefore, linked.Token).ConfigureAwait(false);
                theirs = await ReadAsync(connection, handshake, received, scratch, linked.Token).ConfigureAwait(false);
                // The peer is checked before it learns who we are.
                Proof proof = Check(theirs, handshake, expectedPeer);
                string? muxer = Choose(muxers, theirs!.Muxers);
                await WriteAsync(connection, handshake, default, ownPayload, scratch, linked.Token).ConfigureAwait(false);
                return NewChannel(connection, handshake, received, proof, muxer);
            }
            else
            {
                await ExpectAsync(connection, received, expectBefore, linked.Token).ConfigureAwait(false);
                await ReadAsync(connection, handshake, received, scratch, linked.Token).ConfigureAwait(false);
                await WriteAsync(connection, handshake, sendBefore, ownPayload, scratch, linked.Token).ConfigureAwait(false);
                theirs = await ReadAsync(connection, handshake, received, scratch, linked.Token).ConfigureAwait(false);
                Proof proof = Check(theirs, handshake, expectedPeer);
                string? muxer = Choose(theirs!.Muxers, muxers);
                return NewChannel(connection, handshake, received, proof, muxer);
            }
        }
        catch (OperationCanceledException exception) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PeerProtocolException($"the handshake took longer than {options.HandshakeTimeout.TotalSeconds:0.#} s", exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scratch);
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    public void Dispose() => _staticKey.Dispose();

    private static NoiseChannel NewChannel(ITransportConnection connection, NoiseHandshake handshake, NoiseReceiveBuffer received, Proof proof, string? muxer)
    {
        (NoiseCipher send, NoiseCipher receive) = handshake.Split();
        return new NoiseChannel(connection, send, receive, received, proof.Key, proof.Peer, muxer);
    }

    private static async ValueTask WriteAsync(
        ITransportConnection connection, NoiseHandshake handshake, ReadOnlyMemory<byte> before, byte[] payload, byte[] scratch, CancellationToken cancellationToken)
    {
        before.CopyTo(scratch);
        if (!handshake.TryWriteMessage(payload, scratch.AsSpan(before.Length + 2), out int written))
            throw new PeerProtocolException("the peer's handshake key is of small order");
        BinaryPrimitives.WriteUInt16BigEndian(scratch.AsSpan(before.Length), (ushort)written);
        await connection.SendAsync(scratch.AsMemory(0, before.Length + 2 + written), cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask ExpectAsync(ITransportConnection connection, NoiseReceiveBuffer received, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        await FillAsync(connection, received, expected.Length, cancellationToken).ConfigureAwait(false);
        if (!received.Pending[..expected.Length].SequenceEqual(expected.Span))
            throw new PeerProtocolException($"the peer does not speak {ProtocolId}");
        received.Consume(expected.Length);
    }

    /// <summary>Null for the first message, whose payload is empty or ignored.</summary>
    private async ValueTask<NoisePayload?> ReadAsync(
        ITransportConnection connection, NoiseHandshake handshake, NoiseReceiveBuffer received, byte[] scratch, CancellationToken cancellationToken)
    {
        await FillAsync(connection, received, 2, cancellationToken).ConfigureAwait(false);
        int length = BinaryPrimitives.ReadUInt16BigEndian(received.Pending);
        if (length > options.MaxHandshakeMessageBytes)
            throw new PeerProtocolException($"a handshake message of {length} bytes is too long");
        await FillAsync(connection, received, 2 + length, cancellationToken).ConfigureAwait(false);
        bool isFirst = handshake.IsAtStart;
        if (!handshake.TryReadMessage(received.Pending.Slice(2, length), scratch, out int payloadLength))
            throw new PeerProtocolException("a handshake message does not verify");
        received.Consume(2 + length);
        if (isFirst)
            return null;
        return NoisePayload.TryDecode(scratch.AsSpan(0, payloadLength), out NoisePayload? payload)
            ? payload
            : throw new PeerProtocolException("the handshake payload is malformed");
    }

    private static async ValueTask FillAsync(ITransportConnection connection, NoiseReceiveBuffer received, int count, CancellationToken cancellationToken)
    {
        if (count > BufferBytes)
            throw new ArgumentOutOfRangeException(nameof(count), "The handshake buffer is smaller.");
        while (received.Pending.Length < count)
        {
            int got = await connection.ReceiveAsync(received.MakeRoom(count), cancellationToken).ConfigureAwait(false);
            if (got == 0)
                throw new PeerProtocolException("the peer closed the connection during the handshake");
            received.Added(got);
        }
    }

    private static Proof Check(NoisePayload? payload, NoiseHandshake handshake, PeerId? expectedPeer)
    {
        if (!PublicKey.TryDecode(payload!.IdentityKey.Span, out PublicKey? key, out string? error))
            throw new PeerProtocolException($"the peer's identity key is not accepted: {error}");
        if (!key.Verify(NoisePayload.SignedBytes(handshake.RemoteStatic), payload.Signature.Span))
            throw new PeerProtocolException("the peer's identity signature does not verify");
        PeerId peer = key.ToPeerId();
        if (expectedPeer is { } expected && expected != peer)
            throw new PeerProtocolException($"another peer answers there: expected {expected}, found {peer}");
        return new Proof(key, peer);
    }

    /// <summary>The first of the initiator's list that the responder has; null when either side leaves the choice to multistream-select.</summary>
    private static string? Choose(IReadOnlyList<string> initiators, IReadOnlyList<string> responders)
    {
        if (initiators.Count == 0 || responders.Count == 0)
            return null;
        foreach (string muxer in initiators)
        {
            if (responders.Contains(muxer, StringComparer.Ordinal))
                return muxer;
        }
        throw new PeerProtocolException("the peer speaks none of our muxers");
    }

    private byte[] OwnPayload(IReadOnlyList<string> muxers)
    {
        lock (_gate)
        {
            if (_payload is null || !_payloadMuxers!.SequenceEqual(muxers, StringComparer.Ordinal))
            {
                _payload = NoisePayload.Create(identity, _staticKey.PublicKey, muxers);
                _payloadMuxers = [.. muxers];
            }
            return _payload;
        }
    }

    private readonly record struct Proof(PublicKey Key, PeerId Peer);
}
