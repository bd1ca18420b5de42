using System.Text.Json;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

[TestClass]
public sealed class DagPbCodecTests
{
    [TestMethod]
    [Vectors]
    public void Every_fixture_decodes_and_encodes_to_the_same_bytes()
    {
        string[] files = [.. Directory.EnumerateFiles(Vectors.Path("codec-fixtures", "fixtures"), "*.dag-pb", SearchOption.AllDirectories)];
        Assert.IsGreaterThan(10, files.Length);
        foreach (string file in files)
        {
            byte[] block = File.ReadAllBytes(file);
            Assert.IsTrue(DagPbCodec.TryDecode(block, out DagPbNode? node), file);
            CollectionAssert.AreEqual(block, DagPbCodec.Encode(node.Links, node.Data), file);
        }
    }

    [TestMethod]
    [Vectors]
    public void Every_fixture_has_the_hash_that_its_name_says()
    {
        int verified = 0;
        foreach (string file in Directory.EnumerateFiles(Vectors.Path("codec-fixtures", "fixtures"), "*", SearchOption.AllDirectories))
        {
            Assert.IsTrue(Cid.TryParse(Path.GetFileNameWithoutExtension(file), out Cid cid), file);
            if (!BlockVerification.IsAccepted(cid, out _))
                continue;
            Assert.IsTrue(BlockVerification.Verify(cid, File.ReadAllBytes(file)), file);
            verified++;
        }

        Assert.IsGreaterThan(200, verified);
    }

    [TestMethod]
    [Vectors]
    public void Every_negative_fixture_is_refused()
    {
        int refused = 0;
        foreach (string file in Directory.EnumerateFiles(Vectors.Path("codec-fixtures", "negative-fixtures", "dag-pb", "decode")))
        {
            using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement item in cases.RootElement.EnumerateArray())
            {
                byte[] block = Convert.FromHexString(item.GetProperty("hex").GetString()!);
                Assert.IsFalse(DagPbCodec.TryDecode(block, out _), item.GetProperty("name").GetString());
                refused++;
            }
        }

        Assert.AreEqual(9, refused);
    }

    [TestMethod]
    // an unknown field; a varint where links belong; data twice; a link field twice; link fields out of order; a length beyond the end; bytes after the id
    [DataRow("1a00")]
    [DataRow("1000")]
    [DataRow("0a000a00")]
    [DataRow("12080a0401550000" + "1200" + "1200")]
    [DataRow("120812000a0401550000")]
    [DataRow("0a05ff")]
    [DataRow("12070a050155000000")]
    public void Other_encodings_are_refused(string hex) => Assert.IsFalse(DagPbCodec.TryDecode(Convert.FromHexString(hex), out _));

    [TestMethod]
    public void Absent_and_empty_stay_apart()
    {
        // data absent, data empty; a link bare, with an empty name, with a size of zero
        foreach (string hex in new[] { "", "0a00", "12060a0401550000", "12080a04015500001200", "12080a04015500001800", "120a0a0401550000120018000a00" })
        {
            byte[] block = Convert.FromHexString(hex);
            Assert.IsTrue(DagPbCodec.TryDecode(block, out DagPbNode? node), hex);
            Assert.AreEqual(hex, Convert.ToHexStringLower(DagPbCodec.Encode(node.Links, node.Data)));
        }
    }

    [TestMethod]
    public void Data_before_the_links_is_read()
    {
        Assert.IsTrue(DagPbCodec.TryDecode(Convert.FromHexString("0a0101" + "12060a0401550000"), out DagPbNode? node));
        Assert.AreEqual(1, node.Links.Length);
        CollectionAssert.AreEqual(new byte[] { 1 }, node.Data);
    }

    [TestMethod]
    public void No_truncation_or_flipped_byte_makes_it_throw()
    {
        byte[] block = DagPbCodec.Encode(
            [new DagPbLink(Cid.OfRaw([1]), "name"u8.ToArray(), 300), new DagPbLink(Cid.OfDagPb([2]), [], null)], new UnixFsData(UnixFsType.Directory).Encode());
        for (int length = 0; length < block.Length; length++)
            DagPbCodec.TryDecode(block.AsSpan(0, length), out _);
        for (int i = 0; i < block.Length; i++)
        {
            for (int value = 0; value < 256; value++)
            {
                byte[] changed = [.. block];
                changed[i] = (byte)value;
                if (DagPbCodec.TryDecode(changed, out DagPbNode? node) && node.Data is { } data)
                    UnixFsData.TryDecode(data, out _);
            }
        }
    }
}
