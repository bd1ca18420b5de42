using System.Buffers.Binary;
using P2P.Core.Identity;
using P2P.Core.SecureChannel;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.SecureChannel;

[TestClass]
public sealed class NoiseUpgradeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly string[] Yamux = ["/yamux/1.0.0"];

    [TestMethod]
    [DataRow(1, DisplayName = "one byte at a time")]
    [DataRow(7)]
    [DataRow(1 << 20, DisplayName = "as sent")]
    public async Task Both_sides_learn_who_the_other_is_however_the_bytes_are_cut(int pieceBytes)
    {
        using var a = new Side(pieceBytes);
        using var b = new Side(pieceBytes);
        (NoiseChannel dialer, NoiseChannel listener) = await UpgradeAsync(a, b, Yamux, Yamux, expected: b.Identity.PeerId);
        await using (dialer)
        await using (listener)
        {
            Assert.AreEqual(b.Identity.PeerId, dialer.RemotePeer);
            Assert.AreEqual(a.Identity.PeerId, listener.RemotePeer);
            Assert.AreEqual(b.Identity.PublicKey, dialer.RemoteKey);
            Assert.AreEqual("/yamux/1.0.0", dialer.Muxer);
            Assert.AreEqual("/yamux/1.0.0", listener.Muxer);
        }
    }

    [TestMethod]
    public async Task Another_peer_than_expected_is_refused_before_it_learns_who_we_are()
    {
        using Side a = new(), b = new();
        using var other = IdentityKey.Generate();
        (Task<NoiseChannel> dialing, Task<NoiseChannel> listening) = Start(a, b, Yamux, Yamux, other.PeerId);
        PeerProtocolException failure = await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => dialing.WaitAsync(Patience));
        StringAssert.Contains(failure.Message, b.Identity.PeerId.ToString());
        a.Connection!.Abort();
        await Assert.ThrowsAsync<IOException>(() => listening.WaitAsync(Patience));
    }

    [TestMethod]
    public async Task The_muxer_is_the_first_of_the_dialers_list_that_the_listener_has()
    {
        using Side a = new(), b = new();
        (NoiseChannel dialer, NoiseChannel listener) = await UpgradeAsync(a, b, ["/other", "/b", "/a"], ["/a", "/b"], null);
        Assert.AreEqual("/b", dialer.Muxer);
        Assert.AreEqual("/b", listener.Muxer);
    }

    [TestMethod]
    public async Task A_side_without_a_list_leaves_the_muxer_open()
    {
        using Side a = new(), b = new();
        (NoiseChannel dialer, NoiseChannel listener) = await UpgradeAsync(a, b, Yamux, [], null);
        Assert.IsNull(dialer.Muxer);
        Assert.IsNull(listener.Muxer);
    }

    [TestMethod]
    public async Task Disjoint_lists_fail()
    {
        using Side a = new(), b = new();
        (Task<NoiseChannel> dialing, Task<NoiseChannel> listening) = Start(a, b, ["/a"], ["/b"], null);
        await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => dialing.WaitAsync(Patience));
        a.Connection!.Abort();
        await Assert.ThrowsAsync<IOException>(() => listening.WaitAsync(Patience));
    }

    [TestMethod]
    public async Task The_negotiation_may_travel_with_the_handshake()
    {
        using Side a = new(), b = new();
        (MemoryConnection dialer, MemoryConnection listener) = MemoryConnection.NewPair();
        byte[] proposal = "proposal"u8.ToArray(), answer = "answer"u8.ToArray();
        Task<NoiseChannel> dialing = a.Upgrade.SecureAsync(dialer, true, null, Yamux, default, proposal, answer, CancellationToken.None);
        // The listener's negotiation read the proposal and, by accident, a part of message 1.
        var read = new byte[proposal.Length + 5];
        for (int at = 0; at < read.Length;)
            at += await listener.ReceiveAsync(read.AsMemory(at), CancellationToken.None).AsTask().WaitAsync(Patience);
        CollectionAssert.AreEqual(proposal, read[..proposal.Length]);
        await listener.SendAsync(answer, CancellationToken.None);
        await using NoiseChannel accepted = await b.Upgrade
            .SecureAsync(listener, false, null, Yamux, read.AsMemory(proposal.Length), default, default, CancellationToken.None).WaitAsync(Patience);
        await using NoiseChannel dialed = await dialing.WaitAsync(Patience);
        Assert.AreEqual(a.Identity.PeerId, accepted.RemotePeer);
    }

    [TestMethod]
    public async Task Another_answer_than_expected_means_that_the_peer_does_not_speak_it()
    {
        using Side a = new();
        (MemoryConnection dialer, MemoryConnection listener) = MemoryConnection.NewPair();
        Task<NoiseChannel> dialing = a.Upgrade.SecureAsync(dialer, true, null, Yamux, default, default, "answer"u8.ToArray(), CancellationToken.None);
        await listener.SendAsync("answeR"u8.ToArray(), CancellationToken.None);
        await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => dialing.WaitAsync(Patience));
    }

    [TestMethod]
    public async Task A_handshake_that_stalls_is_cut_by_its_deadline()
    {
        var time = new VirtualTime();
        using Side a = new(time: time);
        (MemoryConnection dialer, _) = MemoryConnection.NewPair();
        Task<NoiseChannel> dialing = a.Upgrade.SecureAsync(dialer, true, null, Yamux, default, default, default, CancellationToken.None);
        await time.AdvanceAsync(TimeSpan.FromSeconds(9.5));
        Assert.IsFalse(dialing.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        PeerProtocolException failure = await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => dialing.WaitAsync(Patience));
        StringAssert.Contains(failure.Message, "10 s");
    }

    [TestMethod]
    public async Task A_message_beyond_4_KiB_is_refused_by_its_length_alone()
    {
        using Side b = new();
        (MemoryConnection dialer, MemoryConnection listener) = MemoryConnection.NewPair();
        Task<NoiseChannel> listening = b.Upgrade.SecureAsync(listener, false, null, Yamux, default, default, default, CancellationToken.None);
        await dialer.SendAsync(new byte[] { 0x10, 0x01 }, CancellationToken.None);
        await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => listening.WaitAsync(Patience));
    }

    [TestMethod]
    [DataRow(true, DisplayName = "signed by another key")]
    [DataRow(false, DisplayName = "no payload at all")]
    public async Task A_static_key_that_its_identity_did_not_sign_is_refused(bool withPayload)
    {
        using Side a = new();
        using IdentityKey claimed = IdentityKey.Generate(), signer = IdentityKey.Generate();
        (MemoryConnection dialer, MemoryConnection listener) = MemoryConnection.NewPair();
        Task<NoiseChannel> dialing = a.Upgrade.SecureAsync(dialer, true, null, Yamux, default, default, default, CancellationToken.None);
        using NoiseKeyPair keys = NoiseKeyPair.Generate();
        using var responder = new NoiseHandshake(false, [], keys, NoiseKeyPair.Generate());
        byte[] first = await ReadFrameAsync(listener);
        Assert.IsTrue(responder.TryReadMessage(first, new byte[100], out _));
        byte[] payload = withPayload
            ? new NoisePayload(claimed.PublicKey.Encode(), signer.Sign(NoisePayload.SignedBytes(keys.PublicKey)), Yamux).Encode()
            : [];
        var second = new byte[2 + payload.Length + NoiseHandshake.MaxOverheadBytes];
        Assert.IsTrue(responder.TryWriteMessage(payload, second.AsSpan(2), out int length));
        BinaryPrimitives.WriteUInt16BigEndian(second, (ushort)length);
        await listener.SendAsync(second.AsMemory(0, 2 + length), CancellationToken.None);
        await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => dialing.WaitAsync(Patience));
    }

    internal static async Task<(NoiseChannel Dialer, NoiseChannel Listener)> UpgradeAsync(
        Side a, Side b, IReadOnlyList<string> dialersMuxers, IReadOnlyList<string> listenersMuxers, PeerId? expected)
    {
        (Task<NoiseChannel> dialing, Task<NoiseChannel> listening) = Start(a, b, dialersMuxers, listenersMuxers, expected);
        return (await dialing.WaitAsync(Patience), await listening.WaitAsync(Patience));
    }

    private static (Task<NoiseChannel> Dialing, Task<NoiseChannel> Listening) Start(
        Side a, Side b, IReadOnlyList<string> dialersMuxers, IReadOnlyList<string> listenersMuxers, PeerId? expected)
    {
        (MemoryConnection dialer, MemoryConnection listener) = MemoryConnection.NewPair();
        a.Connection = new PiecewiseConnection(dialer, a.PieceBytes);
        b.Connection = new PiecewiseConnection(listener, b.PieceBytes);
        return (
            a.Upgrade.SecureAsync(a.Connection, true, expected, dialersMuxers, default, default, default, CancellationToken.None),
            b.Upgrade.SecureAsync(b.Connection, false, null, listenersMuxers, default, default, default, CancellationToken.None));
    }

    private static async Task<byte[]> ReadFrameAsync(ITransportConnection connection)
    {
        var header = new byte[2];
        await ReadAsync(connection, header);
        var frame = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
        await ReadAsync(connection, frame);
        return frame;
    }

    private static async Task ReadAsync(ITransportConnection connection, byte[] target)
    {
        for (int at = 0; at < target.Length;)
            at += await connection.ReceiveAsync(target.AsMemory(at), CancellationToken.None).AsTask().WaitAsync(Patience);
    }

    internal sealed class Side(int pieceBytes = 1 << 20, TimeProvider? time = null) : IDisposable
    {
        private NoiseUpgrade? _upgrade;

        public int PieceBytes => pieceBytes;

        public IdentityKey Identity { get; } = IdentityKey.Generate();

        public NoiseUpgrade Upgrade => _upgrade ??= new NoiseUpgrade(Identity, new NoiseOptions(), time ?? TimeProvider.System);

        public ITransportConnection? Connection { get; set; }

        public void Dispose()
        {
            _upgrade?.Dispose();
            Identity.Dispose();
        }
    }
}
