using System.Net;
using System.Net.NetworkInformation;
using P2P.Core.Discovery;

namespace P2P.Core.Tests.Discovery;

/// <summary>On which interfaces there are neighbours.</summary>
[TestClass]
public sealed class LanInterfaceTests
{
    [TestMethod]
    [DataRow("eth0", NetworkInterfaceType.Ethernet, false)]
    [DataRow("wlan0", NetworkInterfaceType.Wireless80211, false)]
    [DataRow("docker0", NetworkInterfaceType.Ethernet, false)]
    [DataRow("Ethernet 2", NetworkInterfaceType.Ethernet, false)]
    [DataRow("tun0", NetworkInterfaceType.Unknown, true)]
    [DataRow("utun3", NetworkInterfaceType.Unknown, true)]
    [DataRow("wg0", NetworkInterfaceType.Unknown, true)]
    [DataRow("tailscale0", NetworkInterfaceType.Unknown, true)]
    [DataRow("Teredo", NetworkInterfaceType.Tunnel, true)]
    [DataRow("Modem", NetworkInterfaceType.Ppp, true)]
    public void Tunnels_are_told_from_networks(string name, NetworkInterfaceType type, bool isTunnel) => Assert.AreEqual(isTunnel, LanInterface.IsTunnel(name, type));

    [TestMethod]
    [DataRow("fe80::1", false)]
    [DataRow("172.17.0.1", true)]
    [DataRow("169.254.3.4", true)]
    [DataRow("fd00::1 fe80::1", true)]
    [DataRow("", false)]
    public void Where_we_have_no_address_to_be_dialed_nobody_is_looked_for(string addresses, bool expected) =>
        Assert.AreEqual(expected, LanInterface.CanBeReached([.. addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static text => (IPAddress.Parse(text), 24))]));
}
