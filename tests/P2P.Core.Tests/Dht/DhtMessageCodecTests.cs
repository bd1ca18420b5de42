using System.Text;
using P2P.Core.Dht;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: the bytes are those of the specification, whatever they hold. Method: bytes written by hand, captures of go-libp2p, hostile messages.</summary>
[TestClass]
public sealed class DhtMessageCodecTests
{
    [TestMethod]
    public void A_request_has_the_bytes_that_go_writes()
    {
        var request = new DhtMessage { Type = DhtMessageType.FindNode, Key = new byte[] { 1, 2, 3 } };
        // type = 4, key, cluster level = 1
        Assert.AreEqual("0804" + "1203010203" + "5001", Convert.ToHexStringLower(DhtMessageCodec.Encode(request)));
    }

    [TestMethod]
    public void A_put_has_no_type_because_zero_is_left_out()
    {
        var request = new DhtMessage { Type = DhtMessageType.PutValue, Key = "k"u8.ToArray(), Record = new DhtRecord("k"u8.ToArray(), "v"u8.ToArray()) };
        Assert.AreEqual("12016b" + "1a060a016b120176" + "5001", Convert.ToHexStringLower(DhtMessageCodec.Encode(request)));
    }

    [TestMethod]
    public void Everything_that_is_written_is_read_again()
    {
        var message = new DhtMessage
        {
            Type = DhtMessageType.GetProviders,
            Key = new byte[34],
            Record = new DhtRecord("a"u8.ToArray(), "b"u8.ToArray(), "2026-01-01T00:00:00Z"),
            CloserPeers = [DhtContacts.Contact(1, "/ip4/192.0.2.1/tcp/1", "/ip6/2001:db8::1/tcp/2"), DhtContacts.Contact(2)],
            ProviderPeers = [DhtContacts.Contact(3, "/ip4/192.0.2.3/tcp/3")],
        };
        Assert.IsTrue(DhtMessageCodec.TryDecode(DhtMessageCodec.Encode(message), out DhtMessage? read));
        Assert.AreEqual(message.Type, read.Type);
        CollectionAssert.AreEqual(message.Key.ToArray(), read.Key.ToArray());
        Assert.AreEqual("a b 2026-01-01T00:00:00Z", $"{Encoding.ASCII.GetString(read.Record!.Key.Span)} {Encoding.ASCII.GetString(read.Record.Value.Span)} {read.Record.TimeReceived}");
        Assert.AreEqual(Describe(message.CloserPeers), Describe(read.CloserPeers));
        Assert.AreEqual(Describe(message.ProviderPeers), Describe(read.ProviderPeers));
    }

    [TestMethod]
    [Vectors]
    public void What_old_versions_of_go_sent_is_read()
    {
        string[] files = Directory.GetFiles(Vectors.Path("kad-dht"), "*.bin");
        Assert.HasCount(8, files);
        foreach (string file in files)
            Assert.IsTrue(DhtMessageCodec.TryDecode(File.ReadAllBytes(file), out _), file);
    }

    [TestMethod]
    public void Peers_and_addresses_beyond_the_limits_are_left_out()
    {
        string[] many = [.. Enumerable.Range(0, 100).Select(i => $"/ip4/192.0.2.1/tcp/{i + 1}")];
        var message = new DhtMessage { Type = DhtMessageType.FindNode, CloserPeers = [.. Enumerable.Range(0, 60).Select(i => DhtContacts.Contact(i, many))] };
        Assert.IsTrue(DhtMessageCodec.TryDecode(DhtMessageCodec.Encode(message), out DhtMessage? read));
        Assert.HasCount(DhtMessageCodec.MaxCloserPeers, read.CloserPeers);
        Assert.HasCount(DhtMessageCodec.MaxAddresses, read.CloserPeers[0].Addresses);
    }

    [TestMethod]
    public void An_address_that_names_another_peer_is_left_out()
    {
        Contact one = DhtContacts.Contact(1), two = DhtContacts.Contact(2);
        var message = new DhtMessage { Type = DhtMessageType.FindNode, CloserPeers = [new Contact(one.Peer, [Multiaddress.Parse($"/ip4/192.0.2.1/tcp/1/p2p/{two.Peer}"), Multiaddress.Parse($"/ip4/192.0.2.2/tcp/2/p2p/{one.Peer}")])] };
        Assert.IsTrue(DhtMessageCodec.TryDecode(DhtMessageCodec.Encode(message), out DhtMessage? read));
        Assert.AreEqual("/ip4/192.0.2.2/tcp/2", read.CloserPeers[0].Addresses.Single().ToString());
    }

    [TestMethod]
    [DataRow("08", DisplayName = "ends in the middle")]
    [DataRow("0807", DisplayName = "an unknown type")]
    [DataRow("1205aabb", DisplayName = "a length beyond the end")]
    [DataRow("4203ffffff", DisplayName = "a peer that is no message")]
    public void What_is_malformed_is_refused(string hex) => Assert.IsFalse(DhtMessageCodec.TryDecode(Convert.FromHexString(hex), out _));

    private static string Describe(IEnumerable<Contact> contacts) => string.Join("; ", contacts.Select(contact => $"{contact.Peer} {string.Join(' ', contact.Addresses)}"));
}
