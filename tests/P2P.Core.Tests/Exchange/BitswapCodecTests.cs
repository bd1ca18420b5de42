using System.Buffers;
using System.Text;
using P2P.Core.Blocks;
using P2P.Core.Exchange;
using P2P.Core.Primitives;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

// Goal: the bytes on the wire are exactly bitswap's, and no cut, order or length of theirs confuses the reader.
// Method: pinned hex dumps, each message split at every byte, seeded garbage.
[TestClass]
public sealed class BitswapCodecTests
{
    private readonly BlockBufferPool _buffers = new();

    [TestMethod]
    public void A_wantlist_is_these_bytes()
    {
        Cid cid = Cid.OfRaw("hello"u8);
        var output = new ArrayBufferWriter<byte>();
        BitswapWriter.WriteWantlist(output, [new WantEntry(cid, 7, WantKind.Have, Cancel: false, SendDontHave: true), WantEntry.ForCancel(cid)], full: true);
        Assert.AreEqual(
            "5c" // message of 92 bytes
            + "0a5a" // field 1, wantlist of 90 bytes
            + "0a2c" + "0a24" + "01551220" + "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // entry: CIDv1 raw sha2-256
            + "1007" // priority 7
            + "2001" // want-have
            + "2801" // sendDontHave
            + "0a28" + "0a24" + "01551220" + "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
            + "1801" // cancel
            + "1001", // full
            Hex(output));
    }

    [TestMethod]
    public void A_response_is_these_bytes()
    {
        Cid cid = Cid.OfRaw("hello"u8);
        Cid version0 = Cid.Parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n");
        var output = new ArrayBufferWriter<byte>();
        WriteResponse(output, [(version0, false), (cid, true)], [(cid, "hello"u8.ToArray())]);
        Assert.AreEqual(
            "5f"
            + "2226" + "0a22" + Convert.ToHexStringLower(version0.ToArray()) + "1001" // field 4: dont have
            + "2226" + "0a24" + Convert.ToHexStringLower(cid.ToArray()) // have is the default
            + "1a0d" + "0a04" + "01551220" + "1205" + "68656c6c6f", // field 3: prefix, data
            Hex(output));
    }

    [TestMethod]
    public void Every_message_survives_being_split_at_every_byte()
    {
        byte[] message = AMessage(out string expected);
        for (int split = 0; split <= message.Length; split++)
            Assert.AreEqual(expected, Describe(Pieces(message, split)), $"split at {split}");
        Assert.AreEqual(expected, Describe([.. message.Select(static each => new[] { each })]), "one byte at a time");
        Assert.AreEqual(expected, Describe([message[..5], [], message[5..]]), "an empty segment");
        Assert.IsEmpty(_buffers.DescribeRented());
    }

    [TestMethod]
    public void Several_messages_follow_each_other_on_one_stream()
    {
        byte[] message = AMessage(out string expected);
        Assert.AreEqual(expected + expected, Describe([[.. message, .. message]]));
    }

    [TestMethod]
    public void Unknown_fields_of_any_length_are_skipped()
    {
        byte[] known = Concat(Tagged(0x0a, Tagged(0x0a, Tagged(0x0a, Cid.OfRaw("x"u8).ToArray()))));
        byte[] unknown = Concat(
            [0x28, 0xff, 0xff, 0xff, 0xff, 0x07], // pendingBytes
            Tagged(0x7a, new byte[3_000]), // field 15, longer than any small field
            [0x79, 1, 2, 3, 4, 5, 6, 7, 8],
            [0x7d, 1, 2, 3, 4],
            Tagged(0x0a, [0x58, 0x05, 0x7a, 0x02, 0x01, 0x02]), // a wantlist with only unknown fields
            known);
        Assert.AreEqual("end full=False;want " + Cid.OfRaw("x"u8) + " 0 Block False False;end full=False;.;", Describe([Framed(unknown)]));
    }

    [TestMethod]
    public void An_empty_block_has_no_data_field_and_is_a_block()
    {
        Assert.AreEqual("start 0;block 1/55/12/32 ;.;", Describe([Framed(Tagged(0x1a, Tagged(0x0a, [0x01, 0x55, 0x12, 0x20])))]));
    }

    [TestMethod]
    public void The_blocks_of_version_1_0_0_are_read()
    {
        Assert.AreEqual("start 2;block 0/70/12/32 6869;start 0;block 0/70/12/32 ;.;", Describe([Framed(Concat(Tagged(0x12, "hi"u8.ToArray()), Tagged(0x12, [])))]));
    }

    [TestMethod]
    public void Data_may_come_before_its_prefix_and_the_last_data_counts()
    {
        byte[] block = Tagged(0x1a, Concat(Tagged(0x12, "no"u8.ToArray()), Tagged(0x12, "hi"u8.ToArray()), Tagged(0x0a, [0x01, 0x55, 0x12, 0x20])));
        Assert.AreEqual("start 2;start 2;block 1/55/12/32 6869;.;", Describe([Framed(block)]));
        Assert.IsEmpty(_buffers.DescribeRented());
    }

    [TestMethod]
    public void A_block_that_is_not_accepted_is_read_and_forgotten()
    {
        byte[] message = AMessage(out _);
        using var reader = new BitswapReader();
        var input = new ReadOnlySequence<byte>(message);
        int starts = 0, blocks = 0;
        while (reader.TryRead(ref input, out BitswapPart part) == OperationStatus.Done)
        {
            starts += part.Kind == BitswapPartKind.BlockStart ? 1 : 0;
            blocks += part.Kind == BitswapPartKind.Block ? 1 : 0;
            if (part.Kind == BitswapPartKind.BlockStart)
                reader.Accept(null);
        }

        Assert.AreEqual(2, starts);
        Assert.AreEqual(0, blocks);
        Assert.IsTrue(reader.IsBetweenMessages);
        Assert.AreEqual(0, reader.AcceptedBytes);
    }

    [TestMethod]
    [DataRow("8180800200", DisplayName = "a message of 4 MiB + 1")]
    [DataRow("ffffffffffffffffffff01", DisplayName = "an endless length")]
    [DataRow("020a05", DisplayName = "a wantlist longer than its message")]
    [DataRow("040a020a05", DisplayName = "an entry longer than its wantlist")]
    [DataRow("030a0101", DisplayName = "half a tag at the end of a wantlist")]
    [DataRow("0103", DisplayName = "a group")]
    [DataRow("0200 00", DisplayName = "field number 0")]
    [DataRow("040a020a00", DisplayName = "an entry without a CID")]
    [DataRow("022200", DisplayName = "a presence without a CID")]
    [DataRow("060a040a020a00", DisplayName = "an empty CID")]
    [DataRow("080a060a040a020155", DisplayName = "a cut CID")]
    [DataRow("041a021200", DisplayName = "a block without a prefix")]
    [DataRow("061a040a020155", DisplayName = "a cut prefix")]
    [DataRow("031a0112", DisplayName = "a block that ends inside a field")]
    [DataRow("0a0a86040a8304", DisplayName = "an entry of 515 bytes")]
    public void What_is_malformed_is_refused(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.EndsWith("invalid", Describe([[.. bytes, .. new byte[1024]]]));
        Assert.IsEmpty(_buffers.DescribeRented());
    }

    [TestMethod]
    public void An_end_inside_a_message_shows()
    {
        byte[] message = AMessage(out _);
        for (int length = 1; length < message.Length; length++)
        {
            using var reader = new BitswapReader();
            var input = new ReadOnlySequence<byte>(message, 0, length);
            while (reader.TryRead(ref input, out BitswapPart part) == OperationStatus.Done)
            {
                if (part.Kind == BitswapPartKind.BlockStart)
                    reader.Accept(null);
            }

            Assert.IsFalse(reader.IsBetweenMessages, $"{length}");
        }
    }

    [TestMethod]
    public void Garbage_never_does_more_than_be_refused()
    {
        byte[] message = AMessage(out _);
        for (int seed = 0; seed < 3_000; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            byte[] bytes = [.. message];
            for (int changes = random.Next(1, 6); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Describe(Pieces(bytes, random.Next(bytes.Length)));
        }

        Assert.IsEmpty(_buffers.DescribeRented());
    }

    [TestMethod]
    public void A_prefix_hashes_only_what_we_accept()
    {
        Assert.IsTrue(new BlockPrefix(1, Cid.RawCodec, Multihash.Sha2_256, 32).TryHash("hello"u8, out MultihashKey key));
        Assert.AreEqual(Cid.OfRaw("hello"u8).Key, key);
        Assert.IsTrue(new BlockPrefix(1, Cid.RawCodec, Multihash.Sha2_512, 64).TryHash("hello"u8, out _));
        Assert.IsFalse(new BlockPrefix(1, Cid.RawCodec, Multihash.Sha2_256, 20).TryHash("hello"u8, out _));
        Assert.IsFalse(new BlockPrefix(1, Cid.RawCodec, Multihash.Sha1, 20).TryHash("hello"u8, out _));
        Assert.IsFalse(new BlockPrefix(1, Cid.RawCodec, Multihash.Identity, 5).TryHash("hello"u8, out _));
    }

    internal static void WriteResponse(IBufferWriter<byte> output, (Cid Cid, bool Have)[] presences, (Cid Cid, byte[] Data)[] blocks)
    {
        int length = presences.Sum(static each => BitswapWriter.SizeOfPresence(each.Cid, each.Have)) + blocks.Sum(static each => BitswapWriter.SizeOfBlock(each.Cid, each.Data.Length));
        BitswapWriter.WriteMessageLength(output, length);
        foreach ((Cid cid, bool have) in presences)
            BitswapWriter.WritePresence(output, cid, have);
        foreach ((Cid cid, byte[] data) in blocks)
        {
            BitswapWriter.WriteBlockHeader(output, cid, data.Length);
            output.Write(data);
        }
    }

    /// <summary>Everything at once, in one message: nobody sends that, everybody may.</summary>
    private static byte[] AMessage(out string expected)
    {
        Cid a = Cid.OfRaw("a"u8), b = Cid.OfDagPb("b"u8);
        byte[] data = [.. Enumerable.Range(0, 300).Select(static each => (byte)each)];
        var wantlist = new ArrayBufferWriter<byte>();
        BitswapWriter.WriteWantlist(wantlist, [new WantEntry(a, -5, WantKind.Block, Cancel: false, SendDontHave: true), WantEntry.ForCancel(b)], full: false);
        var response = new ArrayBufferWriter<byte>();
        WriteResponse(response, [(a, true), (b, false)], [(a, data), (b, [])]);
        UVarint.TryRead(response.WrittenSpan, out _, out int header);
        expected = $"want {a} -5 Block False True;want {b} 0 Block True False;end full=False;"
            + $"presence {a} True;presence {b} False;start 300;block 1/55/12/32 {Convert.ToHexStringLower(data)};start 0;block 1/70/12/32 ;.;";
        return Framed([.. wantlist.WrittenSpan[1..], .. response.WrittenSpan[header..]]);
    }

    private string Describe(byte[][] pieces)
    {
        var text = new StringBuilder();
        using var reader = new BitswapReader();
        ReadOnlySequence<byte> input = Sequence(pieces);
        while (true)
        {
            OperationStatus status = reader.TryRead(ref input, out BitswapPart part);
            if (status == OperationStatus.InvalidData)
                return text.Append("invalid").ToString();
            if (status == OperationStatus.NeedMoreData)
            {
                Assert.IsTrue(input.IsEmpty, "all input is consumed");
                return text.ToString();
            }

            switch (part.Kind)
            {
                case BitswapPartKind.Want:
                    text.Append($"want {part.Want.Cid} {part.Want.Priority} {part.Want.Kind} {part.Want.Cancel} {part.Want.SendDontHave};");
                    break;
                case BitswapPartKind.WantlistEnd:
                    text.Append($"end full={part.Flag};");
                    break;
                case BitswapPartKind.Presence:
                    text.Append($"presence {part.Cid} {part.Flag};");
                    break;
                case BitswapPartKind.BlockStart:
                    text.Append($"start {part.Length};");
                    reader.Accept(part.Length <= BlockVerification.MaxBlockBytes ? _buffers.Rent(part.Length) : null);
                    break;
                case BitswapPartKind.Block:
                    text.Append($"block {part.Prefix.Version}/{part.Prefix.Codec:x}/{part.Prefix.HashCode:x}/{part.Prefix.DigestBytes} {Convert.ToHexStringLower(part.Buffer!.Span)};");
                    part.Buffer.Dispose();
                    break;
                default:
                    text.Append(".;");
                    break;
            }
        }
    }

    private static byte[][] Pieces(byte[] bytes, int split) => [bytes[..split], bytes[split..]];

    private static byte[] Framed(byte[] body)
    {
        byte[] length = new byte[UVarint.SizeOf((ulong)body.Length)];
        UVarint.Write(length, (ulong)body.Length);
        return [.. length, .. body];
    }

    private static byte[] Tagged(byte tag, byte[] body) => [tag, .. Framed(body)];

    private static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(static each => each)];

    private static string Hex(ArrayBufferWriter<byte> output) => Convert.ToHexStringLower(output.WrittenSpan);

    private static ReadOnlySequence<byte> Sequence(byte[][] pieces)
    {
        var first = new Segment(pieces[0]);
        Segment last = first;
        foreach (byte[] piece in pieces.Skip(1))
            last = last.Append(piece);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes) => Memory = bytes;

        public Segment Append(byte[] bytes)
        {
            var next = new Segment(bytes) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
