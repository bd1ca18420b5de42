using System.Buffers;
using System.Text;
using P2P.Core.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

[TestClass]
public sealed class MultistreamCodecTests
{
    [TestMethod]
    public void The_header_is_these_bytes()
    {
        byte[] expected = [0x13, .. "/multistream/1.0.0\n"u8];
        CollectionAssert.AreEqual(expected, MultistreamCodec.Encode(MultistreamCodec.Header));
        CollectionAssert.AreEqual(new byte[] { 0x03, (byte)'n', (byte)'a', (byte)'\n' }, MultistreamCodec.Encode(MultistreamCodec.NotAvailable));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(126)]
    [DataRow(127)]
    [DataRow(128)]
    [DataRow(1023)]
    public void A_message_split_at_every_byte_is_read_whole_or_not_at_all(int chars)
    {
        string token = new('x', chars);
        byte[] encoded = MultistreamCodec.Encode(token);
        for (int cut = 0; cut < encoded.Length; cut++)
        {
            Assert.AreEqual(OperationStatus.NeedMoreData, MultistreamCodec.TryRead(encoded.AsSpan(0, cut), out _, out int none));
            Assert.AreEqual(0, none);
            ReadOnlySequence<byte> parts = Sequences.Split([.. encoded, 0xff], cut);
            Assert.AreEqual(OperationStatus.Done, MultistreamCodec.TryRead(ref parts, out string read));
            Assert.AreEqual(token, read);
            Assert.AreEqual(1, parts.Length);
        }
    }

    [TestMethod]
    [DataRow(new byte[] { 0x00 }, DisplayName = "empty")]
    [DataRow(new byte[] { 0x01, (byte)'x' }, DisplayName = "no newline")]
    [DataRow(new byte[] { 0x81, 0x00 }, DisplayName = "padded length")]
    [DataRow(new byte[] { 0x81, 0x08 }, DisplayName = "1025 bytes")]
    [DataRow(new byte[] { 0x80, 0x80 }, DisplayName = "three length bytes")]
    [DataRow(new byte[] { 0xff, 0xff, 0xff, 0xff, 0x7f }, DisplayName = "huge length")]
    public void What_no_peer_may_send_is_refused_at_once(byte[] bytes) =>
        Assert.AreEqual(OperationStatus.InvalidData, MultistreamCodec.TryRead(bytes, out _, out _));

    [TestMethod]
    public void Random_bytes_never_throw_and_never_consume_without_a_message()
    {
        SeededRandom random = new(7);
        byte[] bytes = new byte[40];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            bytes[0] = (byte)random.Next(40);
            OperationStatus status = MultistreamCodec.TryRead(bytes, out string token, out int consumed);
            Assert.AreEqual(status == OperationStatus.Done, consumed > 0);
            Assert.IsLessThanOrEqualTo(40, Encoding.UTF8.GetByteCount(token) * (status == OperationStatus.Done ? 0 : 1));
        }
    }

    [TestMethod]
    public void A_name_that_is_too_long_is_the_callers_mistake() =>
        Assert.Throws<ArgumentException>(() => MultistreamCodec.Encode(new string('x', MultistreamCodec.MaxMessageBytes)));
}

/// <summary>Sequences in pieces.</summary>
internal static class Sequences
{
    public static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        Segment first = new(bytes.AsMemory(0, at), 0);
        Segment last = first.Append(bytes.AsMemory(at));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            Segment next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
