using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Primitives;

[TestClass]
public sealed class ProtobufTests
{
    [TestMethod]
    public void A_known_message_has_its_known_bytes()
    {
        // the example of the protobuf documentation: field 1 = 150, field 2 = "testing"
        byte[] bytes = new byte[ProtobufWriter.SizeOfVarintField(1, 150) + ProtobufWriter.SizeOfBytesField(2, 7)];
        var writer = new ProtobufWriter(bytes);
        writer.WriteVarintField(1, 150);
        writer.WriteBytesField(2, "testing"u8);
        Assert.AreEqual("08960112" + "0774657374696e67", Convert.ToHexStringLower(bytes));
        Assert.AreEqual(bytes.Length, writer.Position);
    }

    [TestMethod]
    public void What_is_written_is_read_back()
    {
        Prop.ForAll<ulong, byte[], byte>((number, data, rawField) =>
        {
            int field = rawField + 1;
            byte[] bytes = new byte[ProtobufWriter.SizeOfVarintField(field, number) + ProtobufWriter.SizeOfBytesField(field + 1, data.Length)];
            var writer = new ProtobufWriter(bytes);
            writer.WriteVarintField(field, number);
            writer.WriteBytesField(field + 1, data);

            var reader = new ProtobufReader(bytes);
            return writer.Position == bytes.Length &&
                reader.TryReadTag(out int first, out WireType firstType) && (first, firstType) == (field, WireType.Varint) &&
                reader.TryReadVarint(out ulong readNumber) && readNumber == number &&
                reader.TryReadTag(out int second, out WireType secondType) && (second, secondType) == (field + 1, WireType.Bytes) &&
                reader.TryReadBytes(out ReadOnlySpan<byte> readData) && readData.SequenceEqual(data) && reader.IsAtEnd;
        }).QuickCheckThrowOnFailure();
    }

    [TestMethod]
    public void A_message_cut_anywhere_is_never_read_past_its_end()
    {
        byte[] bytes = Convert.FromHexString("0896011207" + "74657374696e67" + "1d01020304" + "21" + "0102030405060708");
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            var reader = new ProtobufReader(bytes.AsSpan(0, cut));
            while (!reader.IsAtEnd && reader.TryReadTag(out _, out WireType type) && reader.TrySkip(type))
            {
            }

            Assert.IsLessThanOrEqualTo(cut, reader.Position);
        }
    }

    [TestMethod]
    [DataRow("00", DisplayName = "field number 0")]
    [DataRow("0b", DisplayName = "start of a group")]
    [DataRow("0c", DisplayName = "end of a group")]
    [DataRow("0e", DisplayName = "unknown wire type 6")]
    [DataRow("ffffffffffffffffff01", DisplayName = "tag over 32 bits")]
    [DataRow("80", DisplayName = "cut")]
    public void Malformed_tags_are_refused(string hex)
    {
        var reader = new ProtobufReader(Convert.FromHexString(hex));
        Assert.IsFalse(reader.TryReadTag(out _, out _));
    }

    [TestMethod]
    [DataRow("ffffffffffffffffff01", ulong.MaxValue)]
    [DataRow("8000", 0UL, DisplayName = "a longer form than needed is tolerated here")]
    public void Ten_byte_varints_are_read(string hex, ulong expected)
    {
        var reader = new ProtobufReader(Convert.FromHexString(hex));
        Assert.IsTrue(reader.TryReadVarint(out ulong value));
        Assert.AreEqual(expected, value);
    }

    [TestMethod]
    [DataRow("ffffffffffffffffff02", DisplayName = "bit 65")]
    [DataRow("8080808080808080808000", DisplayName = "eleven bytes")]
    public void Varints_beyond_64_bits_are_refused(string hex)
    {
        var reader = new ProtobufReader(Convert.FromHexString(hex));
        Assert.IsFalse(reader.TryReadVarint(out _));
    }

    [TestMethod]
    public void A_length_over_what_is_there_is_refused_whatever_its_size()
    {
        foreach (string length in (string[])["02", "ffffffff07", "ffffffff0f", "ffffffffffffffffff01"])
        {
            var reader = new ProtobufReader(Convert.FromHexString(length + "00"));
            Assert.IsFalse(reader.TryReadBytes(out ReadOnlySpan<byte> value), length);
            Assert.AreEqual(0, value.Length);
        }
    }
}
