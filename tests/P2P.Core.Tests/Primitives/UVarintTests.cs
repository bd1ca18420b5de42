using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Primitives;

[TestClass]
public sealed class UVarintTests
{
    [TestMethod]
    [DataRow(0UL, "00")]
    [DataRow(1UL, "01")]
    [DataRow(127UL, "7f")]
    [DataRow(128UL, "8001")]
    [DataRow(255UL, "ff01")]
    [DataRow(300UL, "ac02")]
    [DataRow(16384UL, "808001")]
    [DataRow(UVarint.MaxValue, "ffffffffffffffff7f")]
    public void Known_values_have_their_known_bytes(ulong value, string hex)
    {
        byte[] bytes = new byte[UVarint.MaxBytes];
        int length = UVarint.Write(bytes, value);
        Assert.AreEqual(hex, Convert.ToHexStringLower(bytes.AsSpan(0, length)));
        Assert.AreEqual(length, UVarint.SizeOf(value));
        Assert.AreEqual(OperationStatus.Done, UVarint.TryRead(bytes, out ulong read, out int consumed));
        Assert.AreEqual((value, length), (read, consumed));
    }

    [TestMethod]
    public void Every_value_round_trips_and_every_cut_asks_for_more()
    {
        Prop.ForAll<ulong>(raw =>
        {
            // spread over all lengths
            ulong value = (raw >> (int)(raw % 63)) & UVarint.MaxValue;
            byte[] bytes = new byte[UVarint.SizeOf(value)];
            UVarint.Write(bytes, value);
            for (int cut = 0; cut < bytes.Length; cut++)
            {
                if (UVarint.TryRead(bytes.AsSpan(0, cut), out _, out int none) != OperationStatus.NeedMoreData || none != 0)
                {
                    return false;
                }
            }

            return UVarint.TryRead(bytes, out ulong read, out int consumed) == OperationStatus.Done && read == value && consumed == bytes.Length;
        }).QuickCheckThrowOnFailure();
    }

    [TestMethod]
    [DataRow("8000")]
    [DataRow("ff8000")]
    [DataRow("ffffffffffffffffff01")]
    [DataRow("808080808080808080")]
    [DataRow("80808080808080808000")]
    public void Longer_forms_than_needed_and_more_than_nine_bytes_are_refused(string hex)
    {
        Assert.AreEqual(OperationStatus.InvalidData, UVarint.TryRead(Convert.FromHexString(hex), out ulong value, out int consumed));
        Assert.AreEqual((0UL, 0), (value, consumed));
    }

    [TestMethod]
    public void Values_over_63_bits_cannot_be_written() =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => UVarint.Write(new byte[10], UVarint.MaxValue + 1));

    [TestMethod]
    public void A_sequence_split_anywhere_reads_like_a_span()
    {
        foreach (string hex in (string[])["ac02", "00", "ffffffffffffffff7f", "8000", "ffffffffffffffffff01", "8080"])
        {
            byte[] bytes = [.. Convert.FromHexString(hex), 0xAA, 0xBB];
            for (int split = 0; split <= bytes.Length; split++)
            {
                ReadOnlySequence<byte> sequence = Segments.Split(bytes, split);
                var reader = new SequenceReader<byte>(sequence);
                OperationStatus expected = UVarint.TryRead(bytes, out ulong expectedValue, out int expectedConsumed);
                OperationStatus actual = UVarint.TryRead(ref reader, out ulong value);
                Assert.AreEqual((expected, expectedValue, (long)expectedConsumed), (actual, value, reader.Consumed), $"{hex} split at {split}");
            }
        }
    }
}
