using System.Buffers;
using System.IO.Pipelines;
using P2P.Core.Protocols;
using P2P.Core.Tests.Connections;
using P2P.Core.Transport;

namespace P2P.Core.Tests.Protocols;

[TestClass]
public sealed class LengthPrefixedTests
{
    public required TestContext TestContext { get; init; }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(127)]
    [DataRow(128)]
    [DataRow(300)]
    public void A_message_split_at_every_byte_is_read_whole_or_not_at_all(int length)
    {
        ArrayBufferWriter<byte> writer = new();
        byte[] message = [.. Enumerable.Range(0, length).Select(i => (byte)i)];
        LengthPrefixed.Write(writer, message);
        byte[] encoded = writer.WrittenSpan.ToArray();
        for (int cut = 0; cut < encoded.Length; cut++)
        {
            ReadOnlySequence<byte> part = new(encoded.AsMemory(0, cut));
            Assert.AreEqual(OperationStatus.NeedMoreData, LengthPrefixed.TryRead(ref part, 300, out _));
            Assert.AreEqual(cut, part.Length);
            ReadOnlySequence<byte> whole = Sequences.Split([.. encoded, 5], cut);
            Assert.AreEqual(OperationStatus.Done, LengthPrefixed.TryRead(ref whole, 300, out ReadOnlySequence<byte> read));
            CollectionAssert.AreEqual(message, read.ToArray());
            Assert.AreEqual(1, whole.Length);
        }
    }

    [TestMethod]
    public void A_length_over_the_limit_is_refused_before_the_message_comes()
    {
        ReadOnlySequence<byte> length = new(new byte[] { 0xad, 0x02 });
        Assert.AreEqual(OperationStatus.InvalidData, LengthPrefixed.TryRead(ref length, 300, out _));
        ReadOnlySequence<byte> padded = new(new byte[] { 0x81, 0x00 });
        Assert.AreEqual(OperationStatus.InvalidData, LengthPrefixed.TryRead(ref padded, 300, out _));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_reader_gets_each_message_then_the_end_and_an_early_end_is_a_fault()
    {
        Pipe pipe = new();
        LengthPrefixed.Write(pipe.Writer, [1, 2]);
        LengthPrefixed.Write(pipe.Writer, []);
        await pipe.Writer.CompleteAsync();
        CollectionAssert.AreEqual(new byte[] { 1, 2 }, await LengthPrefixed.ReadAsync(pipe.Reader, 10, TestContext.CancellationToken));
        Assert.IsEmpty((await LengthPrefixed.ReadAsync(pipe.Reader, 10, TestContext.CancellationToken))!);
        Assert.IsNull(await LengthPrefixed.ReadAsync(pipe.Reader, 10, TestContext.CancellationToken));

        Pipe cut = new();
        await cut.Writer.WriteAsync(new byte[] { 3, 1 }, TestContext.CancellationToken);
        await cut.Writer.CompleteAsync();
        await Assert.ThrowsAsync<PeerProtocolException>(async () => await LengthPrefixed.ReadAsync(cut.Reader, 10, TestContext.CancellationToken));
    }
}
