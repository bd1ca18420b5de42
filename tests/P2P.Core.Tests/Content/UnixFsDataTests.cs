using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

[TestClass]
public sealed class UnixFsDataTests
{
    [TestMethod]
    // a folder; an empty file; a link to "foo"; a shard; a time before 1970 takes ten bytes
    [DataRow("0801")]
    [DataRow("08021800")]
    [DataRow("08041203666f6f")]
    [DataRow("08051201012822308002")]
    [DataRow("0802180038a403420b08ffffffffffffffffff01")]
    [DataRow("080218004207080115ffc99a3b")]
    public void It_is_written_as_it_was_read(string hex)
    {
        Assert.IsTrue(UnixFsData.TryDecode(Convert.FromHexString(hex), out UnixFsData? data));
        Assert.AreEqual(hex, Convert.ToHexStringLower(data.Encode()));
    }

    [TestMethod]
    public void Packed_block_sizes_are_read()
    {
        Assert.IsTrue(UnixFsData.TryDecode(Convert.FromHexString("08021882022203808001" + "2002"), out UnixFsData? data));
        CollectionAssert.AreEqual(new ulong[] { 16384, 2 }, data.BlockBytes);
    }

    [TestMethod]
    // no type; an unknown type; a wrong wire type; a fraction of zero and one too large; a mode beyond 32 bits
    [DataRow("")]
    [DataRow("0806")]
    [DataRow("0a00")]
    [DataRow("08024207080115" + "00000000")]
    [DataRow("08024207080115" + "00ca9a3b")]
    [DataRow("0802388080808010")]
    public void Malformed_data_is_refused(string hex) => Assert.IsFalse(UnixFsData.TryDecode(Convert.FromHexString(hex), out _));

    [TestMethod]
    public void Mode_and_time_are_kept()
    {
        var data = new UnixFsData(UnixFsType.File) { FileBytes = 0, Mode = 420, ModifiedAt = new UnixFsTime(-1, 999_999_999) };
        Assert.IsTrue(UnixFsData.TryDecode(data.Encode(), out UnixFsData? read));
        Assert.AreEqual(420u, read.Mode);
        Assert.AreEqual(new UnixFsTime(-1, 999_999_999), read.ModifiedAt);
    }
}
