using System.Buffers;
using P2P.Core.Muxer;

namespace P2P.Core.Tests.Muxer;

[TestClass]
public sealed class YamuxHeaderTests
{
    [TestMethod]
    // version type flags stream   length
    [DataRow("00 00 0001 00000001 00000005", YamuxFrameType.Data, YamuxFlags.Syn, 1u, 5u, DisplayName = "five bytes open stream 1")]
    [DataRow("00 01 0002 00000002 00040000", YamuxFrameType.WindowUpdate, YamuxFlags.Ack, 2u, 262144u, DisplayName = "stream 2 accepted with 256 KiB more")]
    [DataRow("00 01 0004 00000003 00000000", YamuxFrameType.WindowUpdate, YamuxFlags.Fin, 3u, 0u, DisplayName = "half close, as go and js write it")]
    [DataRow("00 01 0008 fffffffd 0000002a", YamuxFrameType.WindowUpdate, YamuxFlags.Rst, 0xFFFFFFFDu, 42u, DisplayName = "reset with an error code")]
    [DataRow("00 02 0001 00000000 deadbeef", YamuxFrameType.Ping, YamuxFlags.Syn, 0u, 0xDEADBEEFu, DisplayName = "ping")]
    [DataRow("00 03 0000 00000000 00000001", YamuxFrameType.GoAway, YamuxFlags.None, 0u, 1u, DisplayName = "protocol error")]
    public void A_header_has_these_bytes(string hex, object type, object flags, uint id, uint length)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", ""));
        var expected = new YamuxHeader((YamuxFrameType)type, (YamuxFlags)flags, id, length);
        var written = new byte[YamuxHeader.Bytes];
        expected.Write(written);
        CollectionAssert.AreEqual(bytes, written);
        Assert.AreEqual(OperationStatus.Done, YamuxHeader.TryRead(bytes, out YamuxHeader read));
        Assert.AreEqual(expected, read);
        for (int cut = 0; cut < bytes.Length; cut++)
            Assert.AreEqual(OperationStatus.NeedMoreData, YamuxHeader.TryRead(bytes.AsSpan(0, cut), out _));
    }

    [TestMethod]
    [DataRow("01", DisplayName = "version 1")]
    [DataRow("0004", DisplayName = "type 4")]
    [DataRow("00ff00000000000000000000", DisplayName = "type 255")]
    public void An_unknown_version_or_type_is_invalid_as_soon_as_it_is_seen(string hex) =>
        Assert.AreEqual(OperationStatus.InvalidData, YamuxHeader.TryRead(Convert.FromHexString(hex), out _));
}
