using System.Net;
using P2P.Core.Nat;

namespace P2P.Core.Tests.Nat;

/// <summary>Goal: the bytes are those of RFC 6886 and RFC 6887. Method: the layouts of the RFCs, by hand.</summary>
[TestClass]
public sealed class MappingMessageTests
{
    private static readonly byte[] Nonce = [.. Enumerable.Range(1, 12).Select(static i => (byte)i)];

    [TestMethod]
    public void Nat_pmp_requests_and_answers()
    {
        Assert.AreEqual("0000", Convert.ToHexString(NatPmpMessage.AddressRequest()));
        Assert.AreEqual("0002" + "0000" + "0FA1" + "0FA2" + "00001C20", Convert.ToHexString(NatPmpMessage.MapRequest(4001, 4002, TimeSpan.FromHours(2))));

        Assert.IsTrue(NatPmpMessage.TryRead(Convert.FromHexString("0080" + "0000" + "00000064" + "CB007105"), out NatPmpResponse address));
        Assert.AreEqual((0, 100u, IPAddress.Parse("203.0.113.5")), (address.Result, address.Epoch, address.Address!));
        Assert.IsTrue(NatPmpMessage.TryRead(Convert.FromHexString("0082" + "0000" + "00000064" + "0FA1" + "0FA2" + "00000E10"), out NatPmpResponse map));
        Assert.AreEqual((4001, 4002, 3600u), (map.InternalPort, map.ExternalPort, map.Lifetime));
        Assert.IsTrue(NatPmpMessage.TryRead(Convert.FromHexString("0082" + "0002" + "00000064"), out NatPmpResponse refused));
        Assert.AreEqual(2, refused.Result);
        foreach (string broken in new[] { "", "00", "0080000000000064", "0080000000000064CB0071", "0082000000000064" + "0FA10FA2", "0180" + "0000000000640000", "0002" + "000000000064", "0081" + "0000" + "00000064" + "0000000000000000" })
            Assert.IsFalse(NatPmpMessage.TryRead(Convert.FromHexString(broken), out _), broken);
    }

    [TestMethod]
    public void Pcp_requests_and_answers()
    {
        IPAddress own = IPAddress.Parse("192.168.1.2");
        const string Mapped = "00000000000000000000FFFFC0A80102";
        Assert.AreEqual("0200" + "0000" + "00000000" + Mapped, Convert.ToHexString(PcpMessage.AnnounceRequest(own)));
        Assert.AreEqual(
            "0201" + "0000" + "00001C20" + Mapped + "0102030405060708090A0B0C" + "06000000" + "0FA1" + "0FA2" + "00000000000000000000FFFF00000000",
            Convert.ToHexString(PcpMessage.MapRequest(own, Nonce, 4001, 4002, TimeSpan.FromHours(2))));

        string head = "0281" + "0000" + "00000E10" + "00000064" + "000000000000000000000000";
        string map = "0102030405060708090A0B0C" + "06000000" + "0FA1" + "0FA2" + "00000000000000000000FFFFCB007105";
        Assert.IsTrue(PcpMessage.TryRead(Convert.FromHexString(head + map), out PcpResponse read));
        Assert.AreEqual((0, 3600u, 100u, true, 4001), (read.Result, read.Lifetime, read.Epoch, read.IsTcp, read.InternalPort));
        Assert.AreEqual(IPEndPoint.Parse("203.0.113.5:4002"), read.External);
        CollectionAssert.AreEqual(Nonce, read.Nonce);
        Assert.IsTrue(PcpMessage.TryRead(Convert.FromHexString("0281" + "0002" + "00000E10" + "00000064" + "000000000000000000000000"), out PcpResponse refused));
        Assert.AreEqual(2, refused.Result);
        Assert.IsTrue(PcpMessage.TryRead(Convert.FromHexString("0280" + head[4..]), out PcpResponse announce));
        Assert.AreEqual(PcpMessage.AnnounceOpcode, announce.Opcode);
        foreach (string broken in new[] { "", head[..40], head, head + map[..60], "0081" + head[4..] + map, "0201" + head[4..] + map, head + map + "00" })
            Assert.IsFalse(PcpMessage.TryRead(Convert.FromHexString(broken), out _), broken);
    }
}
