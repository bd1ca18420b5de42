using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using P2P.Core.Addresses;

namespace P2P.Core.Tests.Addresses;

[TestClass]
public sealed class AddressPolicyTests
{
    private static readonly IPNetwork[] OnLink = [IPNetwork.Parse("192.168.1.0/24"), IPNetwork.Parse("fe80::/64"), IPNetwork.Parse("2001:db8:1::/64")];

    [TestMethod]
    [DataRow("0.0.0.0", "Unspecified")]
    [DataRow("0.1.2.3", "Reserved")]
    [DataRow("8.8.8.8", "Public")]
    [DataRow("10.255.0.1", "Private")]
    [DataRow("11.0.0.1", "Public")]
    [DataRow("100.64.0.1", "Private")]
    [DataRow("100.128.0.1", "Public")]
    [DataRow("127.255.0.1", "Loopback")]
    [DataRow("169.254.1.1", "LinkLocal")]
    [DataRow("172.31.255.255", "Private")]
    [DataRow("172.32.0.0", "Public")]
    [DataRow("192.168.1.1", "Private")]
    [DataRow("203.0.113.5", "Reserved")]
    [DataRow("224.0.0.251", "Multicast")]
    [DataRow("255.255.255.255", "Multicast")]
    [DataRow("250.0.0.1", "Reserved")]
    [DataRow("::", "Unspecified")]
    [DataRow("::1", "Loopback")]
    [DataRow("fe80::1", "LinkLocal")]
    [DataRow("fe80::1%7", "LinkLocal")]
    [DataRow("fd00::1", "Private")]
    [DataRow("ff02::1", "Multicast")]
    [DataRow("2001:db8::1", "Reserved")]
    [DataRow("2606:4700::1111", "Public")]
    [DataRow("::ffff:127.0.0.1", "Loopback")]
    [DataRow("::ffff:8.8.8.8", "Public")]
    [DataRow("64:ff9b::10.0.0.1", "Private")]
    [DataRow("64:ff9b::8.8.8.8", "Public")]
    [DataRow("2002:7f00:1::", "Loopback")]
    [DataRow("::127.0.0.1", "Reserved")]
    public void Every_address_has_its_scope(string address, string scope) => Assert.AreEqual(scope, AddressScopes.Of(IPAddress.Parse(address)).ToString());

    [TestMethod]
    [DataRow("/ip4/8.8.8.8/tcp/1", true, true)]
    [DataRow("/ip4/192.168.1.9/tcp/1", true, true)]
    [DataRow("/ip4/192.168.2.9/tcp/1", true, false)]
    [DataRow("/ip4/127.0.0.1/tcp/1", true, false)]
    [DataRow("/ip6/::1/tcp/1", true, false)]
    [DataRow("/ip6/::ffff:192.168.1.9/tcp/1", true, true)]
    [DataRow("/ip6/::ffff:127.0.0.1/tcp/1", true, false)]
    [DataRow("/ip6/64:ff9b::7f00:1/tcp/1", true, false)]
    [DataRow("/ip6/2001:db8:1::9/tcp/1", true, true)]
    [DataRow("/ip6/2001:db8:2::9/tcp/1", true, false)]
    [DataRow("/ip4/0.0.0.0/tcp/1", false, false)]
    [DataRow("/ip4/224.0.0.1/tcp/1", false, false)]
    [DataRow("/ip4/8.8.8.8/tcp/0", false, false)]
    [DataRow("/dns4/example.com/tcp/1", true, true)]
    [DataRow("/dnsaddr/example.com", true, true)]
    [DataRow("/unix/run/service.sock", true, false)]
    public void Peers_cannot_make_us_dial_what_only_the_user_may_name(string text, bool byUser, bool byPeer)
    {
        Multiaddress address = Multiaddress.Parse(text);
        Assert.AreEqual(byUser, AddressPolicy.MayDial(address, AddressOrigin.User, OnLink), "user");
        Assert.AreEqual(byPeer, AddressPolicy.MayDial(address, AddressOrigin.Peer, OnLink), "peer");
    }

    [TestMethod]
    public void Loopback_may_be_dialed_when_the_node_lives_there()
    {
        IReadOnlyList<IPNetwork> networks = OnLinkNetworks.Current(withLoopback: true);
        Assert.IsTrue(AddressPolicy.MayDial(Multiaddress.Parse("/ip4/127.0.0.1/tcp/1"), AddressOrigin.Peer, networks));
        Assert.IsFalse(AddressPolicy.MayDial(Multiaddress.Parse("/ip4/127.0.0.1/tcp/1"), AddressOrigin.Peer, OnLinkNetworks.Current()));
    }

    [TestMethod]
    [DataRow("192.168.1.77", 24, "192.168.1.0/24")]
    [DataRow("10.1.2.3", 0, "0.0.0.0/0")]
    [DataRow("10.1.2.3", 32, "10.1.2.3/32")]
    [DataRow("2001:db8::1:2:3:4", 61, "2001:db8::/61")]
    public void The_network_of_an_interface_has_no_host_bits(string address, int prefix, string expected) =>
        Assert.AreEqual(IPNetwork.Parse(expected), OnLinkNetworks.Of(IPAddress.Parse(address), prefix));

    [TestMethod]
    public void The_networks_of_this_machine_hold_its_own_addresses()
    {
        IReadOnlyList<IPNetwork> networks = OnLinkNetworks.Current(withLoopback: true);
        IEnumerable<IPAddress> own = NetworkInterface.GetAllNetworkInterfaces().Where(card => card.OperationalStatus == OperationalStatus.Up)
            .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address);
        foreach (IPAddress address in own.Where(address => address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            Assert.IsTrue(OnLinkNetworks.Contains(networks, address), address.ToString());
        }
    }
}
