using System.Text.Json;
using P2P.Core.Identity;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Identity;

/// <summary>Goal: peer ids read and write as everywhere. Method: one id in all its texts, the specification's keys, hostile texts and bytes.</summary>
[TestClass]
public sealed class PeerIdTests
{
    private const string Base58Text = "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq";
    private const string MultihashHex = "0024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";
    private const string HashedText = "QmaeANgBs1DTSxWSrPPtobgQuxW8XTfsS4ydbK4rCHzqxG";

    [TestMethod]
    [DataRow(Base58Text)]
    [DataRow("bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6")]
    [DataRow("BAFZAAJAIAEJCAHWR5D5OFRFBIS4L5D6UWR57HU5TJODRYPFM6YAQ6DSC2R2PZYT6")]
    [DataRow("k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe")]
    [DataRow("K51QZI5UQU5DGY8QSQ67HBZ73JQKW87L3FGF4A91QB0D9B5173TIR7N4VXK1OE")]
    [DataRow("f0172" + MultihashHex)]
    public void Every_text_of_an_id_reads_as_the_same_id(string text)
    {
        PeerId id = PeerId.Parse(text);

        Assert.AreEqual(Base58Text, id.ToString());
        Assert.AreEqual(MultihashHex, Convert.ToHexStringLower(id.ToArray()));
        Assert.AreEqual(PeerId.FromBytes(Convert.FromHexString(MultihashHex)), id);
        Assert.AreEqual("k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe", id.ToCidString());
        Assert.AreEqual("*Umo7R3pq", id.ToShortString());
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("1")]
    [DataRow("Qm")]
    [DataRow("k")]
    [DataRow("b")]
    [DataRow("not a peer id")]
    [DataRow("uAXIAJAgBEiA!!!!")]
    [DataRow("12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p")]
    [DataRow("12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p0")]
    [DataRow("12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pqq")]
    [DataRow("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi")]
    [DataRow("bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6=")]
    [DataRow("bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6\n")]
    [DataRow("\u00e9\u00e9\u00e9\u00e9")]
    [DataRow("k\u00e9\u00e9\u00e9\u212a")]
    public void A_text_that_is_no_peer_id_is_refused(string text)
    {
        Assert.IsFalse(PeerId.TryParse(text, out PeerId id));
        Assert.IsTrue(id.IsEmpty);
        Assert.ThrowsExactly<FormatException>(() => PeerId.Parse(text));
    }

    [TestMethod]
    public void A_long_text_is_refused_before_it_is_decoded()
    {
        Assert.IsFalse(PeerId.TryParse(new string('1', 1_000_000), out _));
        Assert.IsFalse(PeerId.TryParse("k" + new string('z', 1_000_000), out _));
        for (char first = ' '; first < 0x7f; first++)
        {
            for (int length = 1; length <= 110; length++)
            {
                _ = PeerId.TryParse(new string(first, length), out _);
                _ = PeerId.TryParse(first + new string('z', length), out _);
            }
        }
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("00")]
    [DataRow("0000")]
    [DataRow("0024")]
    [DataRow("1220")]
    [DataRow("111400000000000000000000000000000000000000aa")]
    [DataRow("1210000102030405060708090a0b0c0d0e0f")]
    [DataRow(MultihashHex + "00")]
    public void Bytes_that_are_no_peer_id_are_refused(string hex)
    {
        Assert.IsFalse(PeerId.TryFromBytes(Convert.FromHexString(hex), out PeerId id));
        Assert.IsTrue(id.IsEmpty);
        Assert.ThrowsExactly<FormatException>(() => PeerId.FromBytes(Convert.FromHexString(hex)));
    }

    [TestMethod]
    public void An_inline_key_has_at_most_42_bytes()
    {
        Assert.IsTrue(PeerId.TryFromBytes([0, 42, .. new byte[42]], out PeerId longest));
        Assert.IsFalse(PeerId.TryFromBytes([0, 43, .. new byte[43]], out _));
        Assert.AreEqual(longest, PeerId.Parse(longest.ToString()));
        Assert.AreEqual(longest, PeerId.Parse(longest.ToCidString()));
        Assert.IsFalse(longest.TryGetPublicKey(out _));
    }

    [TestMethod]
    public void Every_id_survives_its_texts()
    {
        for (int i = 0; i < 300; i++)
        {
            byte[] digest = Cryptography.CryptographyData.Bytes(i, 42);
            if (i % 3 == 0)
                digest.AsSpan(0, i % 40).Clear();
            PeerId hashed = PeerId.FromBytes([0x12, 32, .. digest[..32]]);
            PeerId inline = PeerId.FromBytes([0, (byte)((i % 42) + 1), .. digest[..((i % 42) + 1)]]);
            foreach (PeerId id in (PeerId[])[hashed, inline])
            {
                Assert.AreEqual(id, PeerId.Parse(id.ToString()));
                Assert.AreEqual(id, PeerId.Parse(id.ToCidString()));
            }
        }
    }

    [TestMethod]
    public void The_default_names_nobody_and_breaks_nothing()
    {
        PeerId none = default;
        Assert.IsTrue(none.IsEmpty);
        Assert.AreEqual(0, none.ByteLength);
        Assert.AreEqual("", none.ToString());
        Assert.AreEqual("", none.ToShortString());
        Assert.AreEqual("", none.ToCidString());
        Assert.IsEmpty(none.ToArray());
        Assert.AreEqual(none, new PeerId());
        Assert.AreNotEqual(none, PeerId.Parse(Base58Text));
        Assert.IsFalse(none.TryGetPublicKey(out _));
        Assert.IsTrue(none.TryWriteBytes([], out int written));
        Assert.AreEqual(0, written);
    }

    [TestMethod]
    public void Ids_compare_and_hash_by_their_bytes()
    {
        PeerId inline = PeerId.Parse(Base58Text), again = PeerId.Parse(inline.ToCidString()), hashed = PeerId.Parse(HashedText);
        Assert.IsTrue(inline == again);
        Assert.IsTrue(inline != hashed);
        Assert.AreEqual(inline.GetHashCode(), again.GetHashCode());
        Assert.IsTrue(inline < hashed && inline <= again && hashed > inline && again >= inline);
        Assert.IsTrue(inline.CompareTo(default) > 0);
        Assert.AreEqual(1, new HashSet<PeerId> { inline, again }.Count);
    }

    [TestMethod]
    public void Writing_says_whether_it_fits()
    {
        PeerId id = PeerId.Parse(Base58Text);
        Assert.IsFalse(id.TryWriteBytes(new byte[37], out int bytes));
        Assert.AreEqual(0, bytes);
        Assert.IsTrue(id.TryWriteBytes(new byte[40], out bytes));
        Assert.AreEqual(38, bytes);
        Assert.IsFalse(id.TryFormat(new char[51], out int chars, default, null));
        Assert.AreEqual(0, chars);
        Assert.IsTrue(id.TryFormat(new char[52], out chars, default, null));
        Assert.AreEqual(52, chars);
        Assert.AreEqual($"peer {Base58Text}!", $"peer {id}!");
    }

    [TestMethod]
    [Vectors]
    public void The_keys_of_the_specification_give_their_ids()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("libp2p-keys", "peer-id-spec-keys.json")));
        JsonElement keys = document.RootElement.GetProperty("keys");
        Assert.AreEqual(4, keys.GetArrayLength());
        foreach (JsonElement entry in keys.EnumerateArray())
        {
            string Text(string name) => entry.GetProperty(name).GetString()!;
            byte[] protobuf = Convert.FromHexString(Text("publicKeyProtobufHex"));

            Assert.IsTrue(PublicKey.TryDecode(protobuf, out PublicKey? key, out string? error), error);
            CollectionAssert.AreEqual(protobuf, key.Encode());
            PeerId id = key.ToPeerId();
            Assert.AreEqual(Text("derived_peerIdMultihashHex"), Convert.ToHexStringLower(id.ToArray()));
            Assert.AreEqual(Text("derived_peerIdBase58"), id.ToString());
            Assert.AreEqual(Text("derived_cidBase36"), id.ToCidString());
            Assert.AreEqual(id, PeerId.Parse(Text("derived_peerIdBase58")));
            Assert.AreEqual(id, PeerId.Parse(Text("derived_cidBase32")));
            Assert.AreEqual(id, PeerId.Parse(Text("derived_cidBase36")));
            Assert.AreEqual(protobuf.Length <= 42, id.TryGetPublicKey(out PublicKey? inside));
            Assert.AreEqual(protobuf.Length <= 42 ? key : null, inside);
        }
    }
}
