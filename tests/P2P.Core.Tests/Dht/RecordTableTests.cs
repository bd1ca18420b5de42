using System.Text;
using P2P.Core.Dht;
using P2P.Core.Identity;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: only what its namespace takes is stored, and the better of two stays. Method: records of other implementations, and some made here.</summary>
[TestClass]
public sealed class RecordTableTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly IdentityKey Key = IdentityKey.FromSeed([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    [TestMethod]
    [Vectors]
    [DataRow("_v1", false)]
    [DataRow("_v1-v2", true)]
    [DataRow("_v1-v2-broken-v1-value", false)]
    [DataRow("_v1-v2-broken-signature-v2", false)]
    [DataRow("_v1-v2-broken-signature-v1", true)]
    [DataRow("_v2", true)]
    public void Names_of_other_implementations_are_judged_as_they_judge_them(string suffix, bool isValid)
    {
        string file = Directory.GetFiles(Vectors.Path("gateway-conformance", "fixtures", "ipns_records"), $"*{suffix}.ipns-record").Single(path => Path.GetFileName(path)[62..] == $"{suffix}.ipns-record");
        var record = new DhtRecord(NameOf(PeerId.Parse(Path.GetFileName(file)[..62])), File.ReadAllBytes(file));
        Assert.AreEqual(isValid ? RecordOutcome.Stored : RecordOutcome.Invalid, new RecordTable().TryPut(record, Now));
        Assert.AreEqual(RecordOutcome.Invalid, new RecordTable().TryPut(record with { Key = NameOf(Key.PeerId) }, Now), "under another name");
        Assert.AreEqual(RecordOutcome.Invalid, new RecordTable().TryPut(record, Now.AddYears(100)), "after its end");
    }

    [TestMethod]
    public void The_newer_of_two_names_stays()
    {
        var table = new RecordTable();
        DhtRecord first = Name(sequence: 1, until: "2027-01-01T00:00:00Z"), second = Name(sequence: 2, until: "2026-06-01T00:00:00.123456789Z"), longer = Name(sequence: 2, until: "2026-07-01T00:00:00Z");
        Assert.AreEqual(RecordOutcome.Stored, table.TryPut(second, Now));
        Assert.AreEqual(RecordOutcome.Worse, table.TryPut(first, Now));
        Assert.AreEqual(RecordOutcome.Stored, table.TryPut(longer, Now));
        Assert.AreEqual(RecordOutcome.Worse, table.TryPut(second, Now));
        Assert.AreEqual(RecordOutcome.Stored, table.TryPut(longer, Now), "the same again");
        Assert.IsTrue(table.Get(second.Key.Span, Now)!.Value.Span.SequenceEqual(longer.Value.Span));
        Assert.IsNull(table.Get(second.Key.Span, Now.AddDays(3)), "48 hours after it was received");
    }

    [TestMethod]
    public void A_name_that_was_changed_after_signing_is_refused()
    {
        DhtRecord record = Name(sequence: 1, until: "2027-01-01T00:00:00Z");
        byte[] value = record.Value.ToArray();
        for (int i = 0; i < value.Length; i += 7)
        {
            byte[] changed = [.. value];
            changed[i] ^= 1;
            Assert.AreEqual(RecordOutcome.Invalid, new RecordTable().TryPut(record with { Value = changed }, Now), $"byte {i}");
        }

        Assert.AreEqual(RecordOutcome.Invalid, new RecordTable().TryPut(record with { Value = new byte[IpnsValidator.MaxRecordBytes + 1] }, Now));
    }

    [TestMethod]
    public void A_public_key_stands_under_its_own_name_only()
    {
        byte[] value = Key.PublicKey.Encode();
        var record = new DhtRecord((byte[])[.. "/pk/"u8, .. Key.PeerId.ToArray()], value);
        var table = new RecordTable();
        Assert.AreEqual(RecordOutcome.Stored, table.TryPut(record, Now));
        Assert.StartsWith("2026-01-01T00:00:00", table.Get(record.Key.Span, Now)!.TimeReceived);
        using IdentityKey other = IdentityKey.Generate();
        Assert.AreEqual(RecordOutcome.Invalid, table.TryPut(record with { Value = other.PublicKey.Encode() }, Now));
        Assert.AreEqual(RecordOutcome.Invalid, table.TryPut(new DhtRecord("/other/x"u8.ToArray(), value), Now));
    }

    [TestMethod]
    public void The_table_is_bounded()
    {
        var table = new RecordTable();
        for (int i = 0; i < 1_100; i++)
        {
            using IdentityKey key = IdentityKey.FromSeed([.. BitConverter.GetBytes(i), .. new byte[28]]);
            Assert.AreEqual(RecordOutcome.Stored, table.TryPut(new DhtRecord((byte[])[.. "/pk/"u8, .. key.PeerId.ToArray()], key.PublicKey.Encode()), Now.AddSeconds(i)));
        }

        Assert.AreEqual(1_024, table.Count);
    }

    private static byte[] NameOf(PeerId peer) => [.. "/ipns/"u8, .. peer.ToArray()];

    /// <summary>A record with a signature of version 2 only.</summary>
    private static DhtRecord Name(byte sequence, string until)
    {
        byte[] value = Encoding.ASCII.GetBytes("/ipfs/bafkqaaa"), date = Encoding.ASCII.GetBytes(until);
        byte[] data =
        [
            0xa5,
            0x63, .. "TTL"u8, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0,
            0x65, .. "Value"u8, 0x40 + 14, .. value,
            0x68, .. "Sequence"u8, sequence,
            0x68, .. "Validity"u8, 0x58, (byte)date.Length, .. date,
            0x6c, .. "ValidityType"u8, 0,
        ];
        byte[] signature = Key.Sign([.. "ipns-signature:"u8, .. data]);
        byte[] record = [0x42, (byte)signature.Length, .. signature, 0x4a, (byte)(data.Length & 0x7f | 0x80), (byte)(data.Length >> 7), .. data];
        return new DhtRecord(NameOf(Key.PeerId), record);
    }
}
