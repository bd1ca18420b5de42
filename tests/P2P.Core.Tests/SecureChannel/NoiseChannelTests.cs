using System.Buffers.Binary;
using P2P.Core.SecureChannel;
using P2P.Core.Transport;

namespace P2P.Core.Tests.SecureChannel;

[TestClass]
public sealed class NoiseChannelTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [TestMethod]
    [DataRow(1, DisplayName = "one byte at a time")]
    [DataRow(16_000)]
    [DataRow(1 << 20, DisplayName = "as sent")]
    public async Task Frames_of_all_sizes_arrive_whole_and_in_order(int pieceBytes)
    {
        await using var pair = await Pair.NewAsync(pieceBytes);
        int[] sizes = pieceBytes == 1 ? [0, 1, 2, 0, 700] : [0, 1, 65519, 0, 0, 65519, 16_384, 17, 65518, 3];
        var random = new Random(11);
        var expected = new List<byte>();
        foreach (int size in sizes)
        {
            var plaintext = new byte[size];
            random.NextBytes(plaintext);
            expected.AddRange(plaintext);
            pair.Dialer.Append(plaintext);
        }
        Assert.AreEqual(expected.Count + (18 * sizes.Length), pair.Dialer.UnflushedBytes);
        await pair.Dialer.FlushAsync(CancellationToken.None);
        Assert.AreEqual(0, pair.Dialer.UnflushedBytes);
        CollectionAssert.AreEqual(expected, await ReadAsync(pair.Listener, expected.Count));
        await pair.Dialer.FlushAsync(CancellationToken.None); // nothing appended: waits for the sending
        Assert.IsFalse(pair.Dialer.IsSending);
        await pair.Dialer.DisposeAsync();
        Assert.IsTrue((await pair.Listener.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience)).IsEmpty);
    }

    [TestMethod]
    public async Task Many_batches_in_both_directions_grow_and_shrink_the_buffers_without_a_change()
    {
        await using var pair = await Pair.NewAsync();
        var random = new Random(12);
        foreach (int size in new[] { 10, 65_519, 100, 30_000, 65_519, 65_519, 20 })
        {
            for (int round = 0; round < 25; round++)
            {
                var plaintext = new byte[size];
                random.NextBytes(plaintext);
                foreach ((NoiseChannel from, NoiseChannel to) in new[] { (pair.Dialer, pair.Listener), (pair.Listener, pair.Dialer) })
                {
                    from.Append(plaintext);
                    from.Append(plaintext.AsSpan(0, 1));
                    Task flushing = from.FlushAsync(CancellationToken.None).AsTask();
                    CollectionAssert.AreEqual((byte[])[.. plaintext, plaintext[0]], await ReadAsync(to, size + 1));
                    await flushing.WaitAsync(Patience);
                }
            }
        }
    }

    [TestMethod]
    public async Task A_flipped_bit_anywhere_in_a_frame_breaks_the_channel_for_good()
    {
        for (int at = 2; at < 40; at += 3)
        {
            await using var pair = await Pair.NewAsync();
            int position = at;
            pair.DialerConnection.Tamper = bytes => bytes.Span[position] ^= 1;
            pair.Dialer.Append(new byte[22]);
            pair.Dialer.Append(new byte[22]);
            await pair.Dialer.FlushAsync(CancellationToken.None);
            await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => pair.Listener.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
            await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => pair.Listener.ReadAsync(CancellationToken.None).AsTask(), "the good frame behind it counts no more");
            await Assert.ThrowsAsync<IOException>(async () =>
            {
                // The connection is gone for both.
                await pair.Dialer.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
            });
        }
    }

    [TestMethod]
    public async Task A_replayed_frame_breaks_the_channel()
    {
        await using var pair = await Pair.NewAsync();
        byte[]? first = null;
        pair.DialerConnection.Tamper = bytes =>
        {
            first ??= bytes.ToArray();
            first.CopyTo(bytes);
        };
        for (int i = 0; i < 2; i++)
        {
            pair.Dialer.Append(new byte[5]);
            await pair.Dialer.FlushAsync(CancellationToken.None);
        }
        await ReadAsync(pair.Listener, 5);
        await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => pair.Listener.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(15)]
    public async Task A_frame_too_short_for_its_tag_breaks_the_channel(int length)
    {
        await using var pair = await Pair.NewAsync();
        var frame = new byte[2 + length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)length);
        await pair.DialerConnection.SendAsync(frame, CancellationToken.None);
        await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => pair.Listener.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
    }

    [TestMethod]
    public async Task The_end_within_a_frame_is_a_fault()
    {
        await using var pair = await Pair.NewAsync();
        await pair.DialerConnection.SendAsync(new byte[] { 0, 100, 1, 2, 3 }, CancellationToken.None);
        await pair.DialerConnection.DisposeAsync();
        await Assert.ThrowsExactlyAsync<PeerProtocolException>(() => pair.Listener.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
    }

    [TestMethod]
    public async Task What_does_not_fit_is_refused()
    {
        await using var pair = await Pair.NewAsync();
        Assert.AreEqual(65519, pair.Dialer.MaxAppendBytes);
        Assert.ThrowsExactly<ArgumentException>(() => pair.Dialer.Append(new byte[65520]));
        for (int left = pair.Dialer.SendBufferBytes; left >= 65537; left -= 65537)
            pair.Dialer.Append(new byte[65519]);
        Assert.ThrowsExactly<ArgumentException>(() => pair.Dialer.Append(new byte[65519]));
    }

    [TestMethod]
    public async Task An_abort_ends_a_waiting_read_and_a_flush_that_waits_for_the_peer()
    {
        await using var pair = await Pair.NewAsync();
        Task<ReadOnlyMemory<byte>> reading = pair.Dialer.ReadAsync(CancellationToken.None).AsTask();
        // The memory connection holds 256 KiB: the first batch is on its way for ever, the second flush waits for it.
        for (int batch = 0; batch < 2; batch++)
        {
            for (int i = 0; i < 7; i++)
                pair.Dialer.Append(new byte[65519]);
            if (batch == 0)
                await pair.Dialer.FlushAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
        }
        Assert.IsTrue(pair.Dialer.IsSending);
        Task flushing = pair.Dialer.FlushAsync(CancellationToken.None).AsTask();
        Assert.IsFalse(flushing.IsCompleted);
        pair.Dialer.Abort();
        await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(Patience));
        await Assert.ThrowsAsync<IOException>(() => flushing.WaitAsync(Patience));
    }

    private static async Task<List<byte>> ReadAsync(NoiseChannel channel, int count)
    {
        var bytes = new List<byte>();
        while (bytes.Count < count)
        {
            ReadOnlyMemory<byte> chunk = await channel.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
            Assert.IsFalse(chunk.IsEmpty, "the channel ended early");
            bytes.AddRange(chunk.Span);
        }
        return bytes;
    }

    private sealed record Pair(NoiseChannel Dialer, NoiseChannel Listener, PiecewiseConnection DialerConnection) : IAsyncDisposable
    {
        public static async Task<Pair> NewAsync(int pieceBytes = 1 << 20)
        {
            using NoiseUpgradeTests.Side a = new(pieceBytes), b = new(pieceBytes);
            (NoiseChannel dialer, NoiseChannel listener) = await NoiseUpgradeTests.UpgradeAsync(a, b, [], [], null);
            return new Pair(dialer, listener, (PiecewiseConnection)a.Connection!);
        }

        public async ValueTask DisposeAsync()
        {
            await Dialer.DisposeAsync();
            await Listener.DisposeAsync();
        }
    }

    [TestMethod]
    public void Nobody_gets_a_large_buffer_during_the_handshake()
    {
        NoiseReceiveBuffer buffer = new([]);
        for (int i = 0; i < 3; i++)
        {
            Memory<byte> room = buffer.MakeRoom(100);
            Assert.IsLessThanOrEqualTo(NoiseReceiveBuffer.SmallBytes, room.Length);
            buffer.Added(room.Length); // a flood fills whatever there is
            buffer.Consume(buffer.Pending.Length - 50);
        }

        buffer.MayGrow = true;
        Assert.IsGreaterThan(NoiseReceiveBuffer.SmallBytes, buffer.MakeRoom(100).Length);
        buffer.Release();
    }
}
