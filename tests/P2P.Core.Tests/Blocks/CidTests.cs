using System.Buffers;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Blocks;

[TestClass]
public sealed class CidTests
{
    // "hello world" as raw block and an empty UnixFS folder: known from every IPFS implementation
    private const string HelloRaw = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    private const string EmptyFolder = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    private const string EmptyFolderVersion1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";

    [TestMethod]
    public void Known_content_has_its_known_id()
    {
        Assert.AreEqual(HelloRaw, Cid.OfRaw("hello world"u8).ToString());
        Assert.AreEqual(EmptyFolderVersion1, Cid.OfDagPb([0x0a, 0x02, 0x08, 0x01]).ToString());
        Assert.AreEqual(Cid.OfRaw("hello world"u8), Cid.FromSha256(Cid.RawCodec, SHA256.HashData("hello world"u8)));
    }

    [TestMethod]
    public void A_version_0_id_is_read_and_printed_as_it_is()
    {
        Cid cid = Cid.Parse(EmptyFolder);
        Assert.AreEqual((0, Cid.DagPbCodec, Multihash.Sha2_256, 34), (cid.Version, cid.Codec, cid.MultihashCode, cid.ByteLength));
        Assert.AreEqual(EmptyFolder, cid.ToString());
        Assert.AreEqual(EmptyFolderVersion1, cid.ToVersion1().ToString());
    }

    [TestMethod]
    public void Ids_of_the_same_block_differ_but_share_their_key()
    {
        Cid version0 = Cid.Parse(EmptyFolder);
        Cid version1 = Cid.Parse(EmptyFolderVersion1);
        Cid raw = Cid.FromSha256(Cid.RawCodec, version0.Digest);
        Assert.AreNotEqual(version0, version1);
        Assert.AreNotEqual(version1, raw);
        Assert.AreEqual(version0.Key, version1.Key);
        Assert.AreEqual(version0.Key, raw.Key);
        Assert.AreEqual(version0.Key.GetHashCode(), raw.Key.GetHashCode());
    }

    [TestMethod]
    public void Every_text_encoding_of_an_id_is_read()
    {
        Cid cid = Cid.Parse(HelloRaw);
        foreach (MultibaseEncoding encoding in Enum.GetValues<MultibaseEncoding>())
        {
            Assert.AreEqual(cid, Cid.Parse(Multibase.Encode(encoding, cid.AsSpan())), encoding.ToString());
        }

        Assert.AreEqual(cid, Cid.Parse(HelloRaw.ToUpperInvariant()));
    }

    [TestMethod]
    public void Binary_and_text_round_trip()
    {
        Prop.ForAll<ulong, byte[]>((rawCodec, data) =>
        {
            ulong codec = rawCodec & UVarint.MaxValue;
            Cid cid = Cid.FromSha256(codec, SHA256.HashData(data));
            byte[] followed = [.. cid.ToArray(), .. data];
            return Cid.Parse(cid.ToString()) == cid && cid.Codec == codec && cid.Version == 1 &&
                Cid.TryFromBytes(followed, out Cid read, out int consumed) && read == cid && consumed == cid.ByteLength;
        }).QuickCheckThrowOnFailure();
    }

    [TestMethod]
    public void A_binary_id_cut_anywhere_asks_for_more()
    {
        byte[] identity = [1, 0x55, 0, 3, 7, 8, 9];
        foreach (byte[] bytes in (byte[][])[Cid.Parse(HelloRaw).ToArray(), Cid.Parse(EmptyFolder).ToArray(), identity])
        {
            for (int cut = 0; cut < bytes.Length; cut++)
            {
                Assert.AreEqual(OperationStatus.NeedMoreData, Cid.TryRead(bytes.AsSpan(0, cut), out Cid cid, out int consumed), $"cut at {cut}");
                Assert.AreEqual((true, 0), (cid.IsEmpty, consumed));
            }

            Assert.AreEqual(OperationStatus.Done, Cid.TryRead(bytes, out _, out int all));
            Assert.AreEqual(bytes.Length, all);
        }
    }

    [TestMethod]
    [DataRow("00551220", DisplayName = "version 0 spelled out")]
    [DataRow("02551220", DisplayName = "version 2")]
    [DataRow("1221", DisplayName = "version 0 with another length")]
    [DataRow("01d500", DisplayName = "codec longer than needed")]
    [DataRow("0155008101", DisplayName = "129 bytes inside")]
    public void Malformed_binary_ids_are_refused_before_their_end(string hex) =>
        Assert.AreEqual(OperationStatus.InvalidData, Cid.TryRead(Convert.FromHexString(hex), out _, out _));

    [TestMethod]
    [DataRow("", "a content id is missing")]
    [DataRow("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5", "it has 58 characters where 59 are usual; was it cut short?")]
    [DataRow("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5eaaaaaaa", "it has 66 characters where 59 are usual; is something appended?")]
    [DataRow("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n51", "character 59 of 59 is not one of a-z and 2-7")]
    [DataRow("bafkreifz1ut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", "character 10 of 59 is not one of a-z and 2-7")]
    [DataRow("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N", "one that starts with Qm has 46 characters, this one has 45")]
    [DataRow("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA30n", "one of its characters does not belong to base58")]
    [DataRow("film.mkv", "it starts neither with b (base32), Qm nor another known encoding")]
    public void A_mistyped_id_is_refused_with_what_is_wrong(string text, string why)
    {
        Assert.IsFalse(Cid.TryParse(text, out Cid cid));
        Assert.IsTrue(cid.IsEmpty);
        FormatException error = Assert.ThrowsExactly<FormatException>(() => Cid.Parse(text));
        Assert.Contains(why, error.Message);
    }

    [TestMethod]
    public void A_version_0_id_wrapped_in_multibase_is_refused()
    {
        string wrapped = Multibase.Encode(MultibaseEncoding.Base58Btc, Cid.Parse(EmptyFolder).AsSpan());
        Assert.IsFalse(Cid.TryParse(wrapped, out _));
    }

    [TestMethod]
    public void The_default_value_names_nothing()
    {
        Cid empty = default;
        Assert.IsTrue(empty.IsEmpty);
        Assert.AreEqual(("", "", 0, default(Cid)), (empty.ToString(), empty.ToShortString(), empty.ByteLength, empty));
        Assert.AreEqual(empty.GetHashCode(), default(Cid).GetHashCode());
        Assert.AreNotEqual(empty, Cid.OfRaw([]));
    }

    [TestMethod]
    public void A_span_too_short_for_the_id_is_left_alone()
    {
        Cid cid = Cid.Parse(HelloRaw);
        byte[] destination = new byte[cid.ByteLength];
        Assert.IsFalse(cid.TryWriteBytes(destination.AsSpan(1), out int none));
        Assert.IsTrue(cid.TryWriteBytes(destination, out int all));
        Assert.AreEqual((0, cid.ByteLength), (none, all));
        CollectionAssert.AreEqual(cid.ToArray(), destination);
        Span<char> text = stackalloc char[100];
        Assert.IsTrue(text.TryWrite($"{cid}", out int chars));
        Assert.AreEqual(HelloRaw, text[..chars].ToString());
        Assert.AreEqual("ei66wof36n5e"[^10..], cid.ToShortString());
    }
}
