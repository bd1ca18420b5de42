using System.Net;
using P2P.Core.Nat;
using P2P.Core.Node;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: whoever cannot be reached reads why and what to do. Method: facts in, sentences out.</summary>
[TestClass]
public sealed class DiagnosisTests
{
    private static readonly Gateway Router = new(IPAddress.Parse("192.168.1.1"), IPAddress.Parse("192.168.1.2"), "eth0");

    private static readonly ReachabilityFacts Home = new()
    {
        ListenAddresses = [Multiaddress.Parse("/ip4/127.0.0.1/tcp/4001"), Multiaddress.Parse("/ip4/192.168.1.2/tcp/4001")],
        MapsPorts = true,
        Routers = [Router],
        Lan = [("eth0", true)],
        Neighbours = 1,
    };

    [TestMethod]
    public void A_port_that_is_mapped_and_proved_is_all_well()
    {
        ReachabilityReport report = Diagnosis.Of(Home with
        {
            Internet = Reachability.Reachable,
            Mappings = [Mapped("/ip4/5.5.5.5/tcp/4001")],
            SeenAt = [IPAddress.Parse("5.5.5.5")],
            Tested = [new TestedAddress(Multiaddress.Parse("/ip4/5.5.5.5/tcp/4001"), Reachability.Reachable, 2)],
        });
        Assert.IsTrue(report.IsWell);
        Assert.IsEmpty(report.Advice);
        Assert.AreEqual(
            """
            Listening Ok tcp 4001 on 192.168.1.2
            Router Ok port 4001 mapped by UPnP: 5.5.5.5:4001 leads here (router 192.168.1.1)
            Internet Ok reachable from outside at 5.5.5.5:4001
            LAN Ok multicast DNS works on eth0; 1 peer
            """.ReplaceLineEndings("\n"),
            string.Join('\n', report.Checks.Select(static check => $"{check.Subject} {check.State} {check.Text}")));
    }

    [TestMethod]
    [DataRow("10.64.3.9")]
    [DataRow("100.64.1.1")]
    public void A_second_translation_is_named(string inner)
    {
        ReachabilityReport report = Diagnosis.Of(Home with { Internet = Reachability.Unreachable, Mappings = [Mapped($"/ip4/{inner}/tcp/4001")] });
        Assert.IsFalse(report.IsWell);
        Assert.AreEqual($"double NAT: UPnP gives {inner}, which is itself private", Text(report, "Router"));
        StringAssert.Contains(report.Advice.Single(), "ask the provider", StringComparison.OrdinalIgnoreCase);
    }

    [TestMethod]
    public void A_router_that_answers_and_gives_no_port_may_stand_behind_another()
    {
        ReachabilityReport report = Diagnosis.Of(Home with
        {
            Internet = Reachability.Unreachable,
            MappingFailures = [new MappingAttempt(Router, "PCP or NAT-PMP", "no answer", IsAnswer: false), new MappingAttempt(Router, "UPnP", "refused", IsAnswer: true)],
            SeenAt = [IPAddress.Parse("6.6.6.6")],
        });
        StringAssert.Contains(report.Advice.Single(), "Is it another than 6.6.6.6, or does it begin with 10., 192.168., 172.16. to 172.31. or 100.64. to 100.127., this is double NAT");
    }

    [TestMethod]
    public void A_router_that_knows_another_address_than_peers_see_is_named()
    {
        ReachabilityReport report = Diagnosis.Of(Home with { Internet = Reachability.Unreachable, Mappings = [Mapped("/ip4/5.5.5.5/tcp/4001")], SeenAt = [IPAddress.Parse("6.6.6.6")] });
        StringAssert.Contains(Text(report, "Router"), "but peers see this node at 6.6.6.6");
        StringAssert.Contains(report.Advice.Single(), "another router, or a VPN");
    }

    [TestMethod]
    public void A_router_that_maps_nothing_is_named_with_its_reasons()
    {
        ReachabilityReport report = Diagnosis.Of(Home with
        {
            Internet = Reachability.Unreachable,
            MappingFailures = [new MappingAttempt(Router, "PCP or NAT-PMP", "no answer", IsAnswer: false), new MappingAttempt(Router, "UPnP", "refused", IsAnswer: false)],
            Tested = [new TestedAddress(Multiaddress.Parse("/ip4/5.5.5.5/tcp/4001"), Reachability.Unreachable, 3)],
        });
        Assert.AreEqual("192.168.1.1 maps no port (PCP or NAT-PMP: no answer; UPnP: refused)", Text(report, "Router"));
        Assert.AreEqual("not reachable from outside (3 peers tried)", Text(report, "Internet"));
        Assert.AreEqual("Switch on UPnP or NAT-PMP in the router at 192.168.1.1, or have it forward TCP port 4001 to 192.168.1.2 by hand.", report.Advice.Single());

        // somebody has set it up by hand
        report = Diagnosis.Of(Home with { Internet = Reachability.Reachable, Confirmed = [Multiaddress.Parse("/ip4/5.5.5.5/tcp/4001")] });
        Assert.IsTrue(report.IsWell);
        Assert.IsEmpty(report.Advice);
    }

    [TestMethod]
    public void A_firewall_behind_a_mapped_port_is_named()
    {
        ReachabilityReport report = Diagnosis.Of(Home with { Internet = Reachability.Unreachable, Mappings = [Mapped("/ip4/5.5.5.5/tcp/4001")], SeenAt = [IPAddress.Parse("5.5.5.5")] });
        StringAssert.Contains(report.Advice.Single(), "let TCP port 4001 through the firewall of this machine");
    }

    [TestMethod]
    public void A_network_without_multicast_is_named_and_what_is_switched_off_is_no_fault()
    {
        Assert.AreEqual("1 peer found by other means than multicast DNS, which does not get through on wlan0", Text(Diagnosis.Of(Home with { Lan = [("wlan0", false)] }), "LAN"));
        ReachabilityReport report = Diagnosis.Of(Home with { Lan = [("wlan0", false)], Neighbours = 0 });
        Assert.AreEqual("multicast DNS is blocked on wlan0: not even our own questions come back", Text(report, "LAN"));
        Assert.IsTrue(report.Advice.Any(static advice => advice.Contains("UDP port 5353", StringComparison.Ordinal)));
        report = Diagnosis.Of(new ReachabilityFacts { ListenAddresses = [Multiaddress.Parse("/ip4/127.0.0.1/tcp/1")] });
        Assert.IsTrue(report.IsWell);
        report = Diagnosis.Of(new ReachabilityFacts { ListenAddresses = [] });
        Assert.IsFalse(report.IsWell);
        report = Diagnosis.Of(new ReachabilityFacts { ListenAddresses = [Multiaddress.Parse("/ip4/5.5.5.5/tcp/1")], MapsPorts = true, Internet = Reachability.Unreachable });
        Assert.AreEqual("not needed: this machine has a public address itself", Text(report, "Router"));
        StringAssert.Contains(report.Advice.Single(), "firewall");
    }

    private static MappedPort Mapped(string external) => new(MappingProtocol.Upnp, "192.168.1.1", Multiaddress.Parse(external), 4001, TimeSpan.FromHours(1));

    private static string Text(ReachabilityReport report, string subject) => report.Checks.Single(check => check.Subject == subject).Text;
}
