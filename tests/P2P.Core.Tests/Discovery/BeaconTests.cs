using System.Net;
using P2P.Core.Discovery;

namespace P2P.Core.Tests.Discovery;

/// <summary>Goal: beacons are what protocol.md says, and nothing else is taken for one. Method: bytes.</summary>
[TestClass]
public sealed class BeaconTests
{
    [TestMethod]
    public void The_packet_is_as_documented()
    {
        PeerId peer = FakePeer.NewId();
        byte[] packet = new Beacon(peer, [4001, 258]) { Asks = true }.Write();
        byte[] expected =
        [
            .. "p2pb"u8, // magic
            1, // version
            1, // flags: it asks
            (byte)peer.ByteLength, .. peer.ToArray(),
            2, 0x0f, 0xa1, 0x01, 0x02, // ports
        ];
        CollectionAssert.AreEqual(expected, packet);
        Assert.IsTrue(Beacon.TryRead([.. packet, 1, 2, 3], out Beacon? read), "later versions may say more");
        Assert.AreEqual((peer, true, false), (read.Peer, read.Asks, read.IsGoodbye));
        CollectionAssert.AreEqual(new ushort[] { 4001, 258 }, read.Ports.ToArray());
    }

    [TestMethod]
    public void Who_only_asks_names_nobody()
    {
        byte[] packet = new Beacon(default, []) { Asks = true }.Write();
        CollectionAssert.AreEqual((byte[])[.. "p2pb"u8, 1, 1, 0, 0], packet);
        Assert.IsTrue(Beacon.TryRead(packet, out Beacon? read));
        Assert.IsTrue(read.Peer.IsEmpty && read.Asks && read.Ports.Count == 0);
    }

    [TestMethod]
    public void What_is_cut_short_or_says_too_much_is_none()
    {
        PeerId peer = FakePeer.NewId();
        byte[] packet = new Beacon(peer, [1, 2, 2]).Write();
        Assert.IsTrue(Beacon.TryRead(packet, out Beacon? read));
        Assert.HasCount(2, read.Ports);
        for (int length = 0; length < packet.Length; length++)
            Assert.IsFalse(Beacon.TryRead(packet.AsSpan(0, length), out _));
        byte[][] others =
        [
            [.. "p2pc"u8, .. packet.AsSpan(4)],
            [.. packet.AsSpan(0, 4), 2, .. packet.AsSpan(5)], // another version
            [.. "p2pb"u8, 1, 0, 0, 1, 0, 80], // ports of nobody
            new Beacon(peer, [0]).Write(),
            [.. packet.AsSpan(0, 7 + peer.ByteLength), Beacon.MaxPorts + 1, .. new byte[100]],
            [.. packet, .. new byte[Beacon.MaxBytes]],
        ];
        foreach (byte[] other in others)
            Assert.IsFalse(Beacon.TryRead(other, out _), Convert.ToHexString(other));
    }

    [TestMethod]
    [DataRow("10.77.0.1", 24, "10.77.0.255")]
    [DataRow("10.77.3.1", 22, "10.77.3.255")]
    [DataRow("10.1.2.3", 8, "10.255.255.255")]
    [DataRow("192.0.2.1", 31, "255.255.255.255")]
    public void A_network_has_one_address_for_all(string address, int prefixLength, string expected) =>
        Assert.AreEqual(expected, $"{BeaconSocket.BroadcastOf(IPAddress.Parse(address), prefixLength)}");
}
